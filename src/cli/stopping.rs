//! Ctrl-C: at once for most commands, in two stages for those that work on a cloud.

use std::sync::Arc;

use tokio::sync::watch;

use super::output::Output;
use crate::executor::Stop;

/// How a command learns that it is to stop.
#[derive(Clone, Debug)]
pub(super) struct Stopper(Arc<watch::Sender<Stop>>);

impl Default for Stopper {
    fn default() -> Stopper {
        Stopper(Arc::new(watch::Sender::new(Stop::Go)))
    }
}

impl Stopper {
    /// From here on, for as long as the receiver lives, the command stops in its own time.
    pub(super) fn listen(&self) -> watch::Receiver<Stop> {
        self.0.subscribe()
    }

    /// Passes an interrupt on; `false` when nobody listens, or when it was passed on twice already.
    pub(super) fn interrupt(&self, out: &Output) -> bool {
        let now = *self.0.borrow();
        let next = match now {
            Stop::Go => Stop::Drain,
            Stop::Drain => Stop::Abort,
            Stop::Abort => return false,
        };
        let listened_to = self.0.send(next).is_ok();
        if listened_to && next == Stop::Drain {
            out.say("stopping when the calls under way are answered; press Ctrl-C again to stop at once");
        }
        listened_to
    }
}

/// The signals that ask the program to end. Where no handler can be set, the system's own behaviour stands.
#[cfg(unix)]
pub(super) struct Interrupts(Vec<tokio::signal::unix::Signal>);

#[cfg(unix)]
impl Interrupts {
    pub(super) fn listen() -> Interrupts {
        use tokio::signal::unix::{SignalKind, signal};
        let kinds = [SignalKind::interrupt(), SignalKind::terminate()];
        Interrupts(kinds.into_iter().filter_map(|kind| signal(kind).ok()).collect())
    }

    /// Waits for the next of them.
    pub(super) async fn next(&mut self) {
        std::future::poll_fn(|context| {
            match self.0.iter_mut().any(|signal| signal.poll_recv(context).is_ready()) {
                true => std::task::Poll::Ready(()),
                false => std::task::Poll::Pending,
            }
        })
        .await;
    }
}

/// The signals that ask the program to end. Where no handler can be set, the system's own behaviour stands.
#[cfg(not(unix))]
pub(super) struct Interrupts;

#[cfg(not(unix))]
impl Interrupts {
    pub(super) fn listen() -> Interrupts {
        Interrupts
    }

    /// Waits for the next of them.
    pub(super) async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending().await
        }
    }
}

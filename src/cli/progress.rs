//! Progress on a terminal; nothing anywhere else.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::output::Output;

/// Shows that something of unknown length is under way until it is dropped.
#[derive(Debug)]
pub struct Spinner(ProgressBar);

impl Spinner {
    /// Starts to turn, with a few words on what is done.
    pub fn start(out: &Output, what: &'static str) -> Spinner {
        if !out.draws_progress() {
            return Spinner(ProgressBar::hidden());
        }
        let bar = ProgressBar::new_spinner().with_message(what);
        bar.set_draw_target(ProgressDrawTarget::stderr());
        bar.enable_steady_tick(Duration::from_millis(100));
        Spinner(bar)
    }

    /// Says how far it is.
    pub fn say(&self, words: String) {
        self.0.set_message(words);
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// Shows how many of a known number of things are done until it is dropped.
#[derive(Debug)]
pub struct Bar(ProgressBar);

impl Bar {
    /// Starts at none of `total`.
    pub fn start(out: &Output, total: usize) -> Bar {
        if !out.draws_progress() {
            return Bar(ProgressBar::hidden());
        }
        let style =
            ProgressStyle::with_template("{wide_bar} {pos}/{len} {elapsed}").expect("a fixed template");
        let bar = ProgressBar::new(total as u64).with_style(style);
        bar.set_draw_target(ProgressDrawTarget::stderr());
        Bar(bar)
    }

    /// One more is done.
    pub fn advance(&self) {
        self.0.inc(1);
    }

    /// Prints a line above the bar.
    pub fn above(&self, print: impl FnOnce()) {
        self.0.suspend(print);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

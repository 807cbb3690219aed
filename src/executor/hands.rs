//! What does the steps that no driver does: the user's hooks, and looks at what was moved.

use std::future::Future;
use std::pin::Pin;

use carafe_model::steps::{Call, Probe, Step};

use crate::run_id::RunId;

/// How a hook or a look ended. The texts are for people, bounded, and hold no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// As it should.
    Well(String),
    /// Not as it should.
    Badly(String),
    /// Nobody knows: it was cut off.
    Unknown(String),
}

/// One call of a hook.
#[derive(Clone, Debug)]
pub struct Errand<'a> {
    /// The step it is for.
    pub step: &'a Step,
    /// The run.
    pub run: &'a RunId,
    /// The same at every repetition of this step, so that the receiver can tell one.
    pub key: &'a str,
    /// What the call is for: `run`, `verify` or `undo`.
    pub purpose: &'static str,
    /// What is called.
    pub call: &'a Call,
    /// After so many seconds it is cut off.
    pub timeout_s: u32,
}

/// What hands answer, later.
pub type Later<'a> = Pin<Box<dyn Future<Output = Ended> + Send + 'a>>;

/// Runs hooks and looks at what was moved.
pub trait Hands: Send + Sync {
    /// Runs a hook's call to its end or to its time-out.
    fn call<'a>(&'a self, errand: Errand<'a>) -> Later<'a>;

    /// Looks at every probe once; well only if all are.
    fn look<'a>(&'a self, probes: &'a [Probe]) -> Later<'a>;
}

/// Does nothing and finds everything well: for dry runs and simulated clouds.
#[derive(Clone, Copy, Debug, Default)]
pub struct TiedHands;

impl Hands for TiedHands {
    fn call<'a>(&'a self, errand: Errand<'a>) -> Later<'a> {
        let done = format!("not {}, because the cloud is simulated", past(errand.purpose));
        Box::pin(std::future::ready(Ended::Well(done)))
    }

    fn look<'a>(&'a self, _: &'a [Probe]) -> Later<'a> {
        Box::pin(std::future::ready(Ended::Well("not looked at, because the cloud is simulated".to_owned())))
    }
}

fn past(purpose: &str) -> &str {
    match purpose {
        "verify" => "verified",
        "undo" => "undone",
        _ => "run",
    }
}

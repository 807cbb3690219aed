//! The user's own steps: commands, web requests and looks at what was moved, around the steps of a plan.
//!
//! `file` reads `hooks.toml`, [`attach`] puts what it says between the steps of a plan, and [`RealHands`] does it.

use std::sync::Arc;

use carafe_model::steps::{Call, Probe};
use serde_json::json;

use crate::drivers::secret::{Secret, SecretRef};
use crate::executor::hands::{Ended, Errand, Hands, Later};

pub mod file;

mod attach;

mod command;

mod probe;

mod request;

pub use attach::attach;
pub use file::CODES;

/// How much of what a hook says is kept.
const MOST_OUTPUT: usize = 2_000;

/// Looks a variable of the environment up.
pub type Environment = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Runs commands, sends requests and looks, for real.
pub struct RealHands {
    environment: Arc<Environment>,
    client: Result<reqwest::Client, String>,
}

impl RealHands {
    /// Hands that take secrets from an environment.
    pub fn new(environment: Arc<Environment>) -> RealHands {
        RealHands { environment, client: crate::http::client() }
    }

    async fn run(&self, errand: Errand<'_>) -> Ended {
        let references = match errand.call {
            Call::Command { secrets, .. } | Call::Http { secrets, .. } => secrets,
        };
        let mut secrets: Vec<(&str, Secret)> = Vec::new();
        for (name, reference) in references {
            let fetched = SecretRef::parse(reference)
                .map_err(|error| error.to_string())
                .and_then(|reference| reference.fetch(&*self.environment));
            match fetched {
                Ok(secret) => secrets.push((name, secret)),
                Err(why) => return Ended::Badly(format!("the secret {name} cannot be had: {why}")),
            }
        }
        let ended = match errand.call {
            Call::Command { command, .. } => command::run(&errand, command, &secrets).await,
            Call::Http { method, url, expect, .. } => match &self.client {
                Ok(client) => request::send(client, &errand, method, url, expect, &secrets).await,
                Err(why) => Ended::Badly(why.clone()),
            },
        };
        redacted(ended, &secrets)
    }
}

impl Hands for RealHands {
    fn call<'a>(&'a self, errand: Errand<'a>) -> Later<'a> {
        Box::pin(self.run(errand))
    }

    fn look<'a>(&'a self, probes: &'a [Probe]) -> Later<'a> {
        Box::pin(probe::look(&self.client, probes))
    }
}

/// What a hook is told: on standard input of a command, as the body of a request.
fn told(errand: &Errand<'_>) -> String {
    json!({
        "carafe": "hook/1",
        "run": errand.run,
        "key": errand.key,
        "purpose": errand.purpose,
        "step": errand.step,
    })
    .to_string()
}

/// Takes out of what a hook said whatever is a secret of its own, and whatever a terminal would obey.
fn redacted(ended: Ended, secrets: &[(&str, Secret)]) -> Ended {
    let clean = |text: String| {
        let hidden = secrets.iter().fold(text, |text, (_, secret)| text.replace(secret.expose(), "[secret]"));
        hidden
            .chars()
            .filter(|c| !c.is_control() || *c == '\n')
            .collect::<String>()
            .trim()
            .replace('\n', " | ")
    };
    match ended {
        Ended::Well(text) => Ended::Well(clean(text)),
        Ended::Badly(text) => Ended::Badly(clean(text)),
        Ended::Unknown(text) => Ended::Unknown(clean(text)),
    }
}

/// The end of what a hook said, behind what it came to.
fn with_output(what: String, output: &[u8]) -> String {
    let text = String::from_utf8_lossy(output);
    let text = text.trim();
    match text.is_empty() {
        true => what,
        false => format!("{what}: {text}"),
    }
}

#[cfg(test)]
mod tests;

//! The README of an export: how to use it, and everything that configuration cannot carry.

use std::collections::BTreeSet;

use carafe_model::document::{Document, sha256};
use carafe_model::finding::Finding;
use carafe_model::plan::Plan;
use carafe_model::steps::{Action, Call, Step};

use super::Module;
use crate::drivers::Kind;

/// The README of an export.
pub fn readme(plan: &Plan, modules: &[Module], findings: &[Finding]) -> String {
    let mut page = format!(
        "# {}\n\nModules for OpenTofu and Terraform, written by Carafe {} from the plan with the SHA-256\n`{}`.\n\n\
         Each folder is a module that is applied alone and has a state of its own. No credentials are in them: every\n\
         plug-in takes them from its own environment variables or files.\n",
        text(&plan.name),
        env!("CARGO_PKG_VERSION"),
        sha256(plan.to_json().as_bytes()),
    );
    page.push_str("\n| folder | region | plug-in |\n| --- | --- | --- |\n");
    for module in modules {
        let place = format!("{}/{}", module.provider, module.region);
        let cells = [module.folder.as_str(), &place, &module.plugin].map(text);
        page.push_str(&format!("| {} |\n", cells.join(" | ")));
    }
    page.push_str(
        "\nIn each folder, give the variables that have no default, for example in a file `terraform.tfvars`, then:\n\n\
         ```sh\ntofu init\ntofu plan\ntofu apply\n```\n\n\
         `terraform` takes the same commands. A module makes the machines of all waves. What is moved onto them is\n\
         moved wave by wave, as the plan orders it:\n",
    );
    for wave in numbers(plan) {
        let steps = plan.steps.iter().filter(|step| step.wave == wave);
        let lines: Vec<String> = steps.filter_map(|step| by_hand(step, modules)).collect();
        if lines.is_empty() {
            continue;
        }
        match plan.waves.iter().find(|known| known.number == wave) {
            Some(known) => {
                page.push_str(&format!("\n## Wave {wave}\n\n{}\n\n", text(known.reason.as_str())));
            }
            None => page.push_str("\n## Before the first wave\n\n"),
        }
        for (place, line) in lines.iter().enumerate() {
            page.push_str(&format!("{}. {line}\n", place + 1));
        }
    }
    if !findings.is_empty() {
        page.push_str("\n## What to look at\n\n");
    }
    for finding in findings {
        let help = finding.help.as_ref().map(|help| format!(" ({})", text(help.as_str())));
        page.push_str(&format!(
            "- {}: {}{}.\n",
            finding.code,
            text(finding.summary.as_str()),
            help.unwrap_or_default()
        ));
    }
    page
}

/// The waves of the steps, in order.
fn numbers(plan: &Plan) -> BTreeSet<u32> {
    plan.steps.iter().map(|step| step.wave).collect()
}

fn has_module(step: &Step, modules: &[Module]) -> bool {
    modules
        .iter()
        .any(|module| module.provider == step.provider.as_str() && module.region == step.region.as_str())
}

/// What a person has to do or to start for a step; `None` for what a module makes.
fn by_hand(step: &Step, modules: &[Module]) -> Option<String> {
    let name = text(step.action.name());
    Some(match &step.action {
        Action::Manual { text: words, .. } => format!("By hand, {name}: {}", text(words.as_str())),
        Action::Hook { run, undo, .. } => {
            let undo =
                undo.as_ref().map(|undo| format!(" To take it back: {}.", call(undo))).unwrap_or_default();
            format!("Hook {name}: {}.{undo}", call(run))
        }
        Action::Check { probes, .. } => {
            let probes: Vec<String> = probes.iter().map(|probe| text(&probe.words())).collect();
            format!("Check {name}: {}.", probes.join(", "))
        }
        Action::Approval { text: words, .. } => format!("Approval {name}: {}", text(words)),
        Action::Network { .. }
        | Action::Subnet { .. }
        | Action::SecurityGroup { .. }
        | Action::KeyPair { .. }
        | Action::Machine { .. }
        | Action::Disk { .. }
        | Action::Attachment { .. }
        | Action::PublicAddress { .. }
        | Action::LoadBalancer { .. }
        | Action::KubernetesCluster { .. } => {
            if has_module(step, modules) {
                return None;
            }
            let words = Kind::of(&step.action).map_or("resource", Kind::words);
            format!(
                "Make by other means, in {}: {words} {name}.",
                text(&format!("{}/{}", step.provider, step.region))
            )
        }
    })
}

/// A call in words. Secrets are named by where they are kept, as in the plan.
fn call(call: &Call) -> String {
    match call {
        Call::Command { command, secrets } => {
            let words: Vec<String> = command.iter().map(|word| text(word)).collect();
            format!("run {}{}", words.join(" "), kept(secrets.iter()))
        }
        Call::Http { method, url, secrets, expect: _ } => {
            format!("send {} {}{}", text(method), text(url), kept(secrets.iter()))
        }
    }
}

fn kept<'a>(secrets: impl Iterator<Item = (&'a String, &'a String)>) -> String {
    let words: Vec<String> =
        secrets.map(|(name, from)| format!("{} from {}", text(name), text(from))).collect();
    match words.is_empty() {
        true => String::new(),
        false => format!(" with {}", words.join(", ")),
    }
}

/// Text from outside as Markdown that means only itself, on one line.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_control() || c == '\u{2028}' || c == '\u{2029}' => out.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '!' | '~' | '$' => {
                out.extend(['\\', c])
            }
            '&' => out.push_str("&amp;"),
            c => out.push(c),
        }
    }
    out
}

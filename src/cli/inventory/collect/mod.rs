//! `carafe inventory collect`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use carafe_inventory::InputFile;
use carafe_inventory::collected::answers::Collection;
use carafe_model::document::Document;
use carafe_model::finding::Finding;
use clap::Subcommand;
use serde_json::json;

use super::import::counts;
use crate::cli::Context;
use crate::cli::findings::{self, FailOnArg};
use crate::cli::output::Format;
use crate::cli::outputs;
use crate::cli::plan::duration;
use crate::collect::{Collected, Refused};
use crate::drivers::secret::SecretRef;
use crate::error::{Error, Exit, plural};
use crate::files;
use crate::inputs;

mod kubernetes;
mod libvirt;
mod prometheus;
mod ssh;
mod vsphere;

/// Ask live systems what runs on them, without agents
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  carafe inventory collect ssh web1 db1 -o estate.json
  carafe inventory collect ssh --hosts hosts.txt --for 1h --every 10s -o estate.json
  carafe inventory collect kubernetes --context prod -o estate.json
  carafe inventory collect vsphere vcenter.example --user reader@vsphere.local -o estate.json
  carafe inventory collect libvirt qemu+ssh://root@hv1/system -o estate.json")]
pub(in crate::cli) enum Command {
    Ssh(ssh::Ssh),
    Kubernetes(kubernetes::Kubernetes),
    Vsphere(vsphere::Vsphere),
    Libvirt(libvirt::Libvirt),
    Prometheus(prometheus::Prometheus),
}

pub(super) fn run(command: &Command, context: &Context) -> Result<Exit, Error> {
    match command {
        Command::Ssh(args) => ssh::run(args, context),
        Command::Kubernetes(args) => kubernetes::run(args, context),
        Command::Vsphere(args) => vsphere::run(args, context),
        Command::Libvirt(args) => libvirt::run(args, context),
        Command::Prometheus(args) => prometheus::run(args, context),
    }
}

/// What becomes of what was collected: the same for every kind of system.
#[derive(Debug, clap::Args)]
struct Keep {
    /// Keep what was answered in this file, to be read again with inventory import
    #[arg(long, value_name = "FILE")]
    collection: Option<PathBuf>,
    /// What to call the estate
    #[arg(long, default_value = "estate")]
    name: String,
    /// Write the estate to this file; to standard output when absent or -
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How to print what was collected; json needs an output file beside it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    fail_on: FailOnArg,
}

impl Keep {
    /// Refuses what cannot be written, before anything is asked.
    fn check<'a>(&'a self, reads: impl IntoIterator<Item = &'a PathBuf>) -> Result<(), Error> {
        let to_stdout = self.output.as_deref().is_none_or(files::is_standard_stream);
        if to_stdout && self.format == Format::Json {
            return Err(Error::usage(
                "the estate and the findings cannot both go to standard output",
                "write the estate to a file with -o estate.json",
            ));
        }
        outputs::Paths::default().reads(reads).writes(&self.output).writes(&self.collection).apart()
    }

    /// Writes the collection where the user wants it.
    fn keep(&self, context: &Context, bytes: &[u8]) -> Result<(), Error> {
        match &self.collection {
            Some(path) => Ok(context.out.document(path, bytes)?),
            None => Ok(()),
        }
    }

    /// Keeps, reads and writes what an API or a program answered.
    fn finish_answers(
        &self,
        context: &Context,
        source: &'static str,
        collected: Result<Collected, Refused>,
    ) -> Result<Exit, Error> {
        let Collected { answers, findings } =
            collected.map_err(|Refused { what, help }| Error::failed(what, help))?;
        let asked = plural(answers.len(), "answer", "answers");
        let bytes = serde_json::to_vec(&Collection::new(source, answers)).expect("texts and lists");
        self.finish(context, source, &bytes, findings, &asked)
    }

    /// Reads a collection, judges what was found, and writes the estate.
    fn finish(
        &self,
        context: &Context,
        source: &'static str,
        collection: &[u8],
        mut found: Vec<Finding>,
        asked: &str,
    ) -> Result<Exit, Error> {
        self.keep(context, collection)?;
        let name = self.collection.as_deref().map_or_else(|| source.to_owned(), files::display_name);
        let import =
            carafe_inventory::import(&[InputFile { name: &name, bytes: collection }], None, &self.name);
        found.extend(import.findings);
        findings::judge(context, self.format, self.fail_on, &found)?;
        let estate = inputs::usable(import.estate)?;
        let output = self.output.as_deref().unwrap_or(Path::new(files::STANDARD_STREAM));
        let json = estate.to_json();
        context.out.document(output, json.as_bytes())?;
        let to_stdout = files::is_standard_stream(output);
        let said = format!("{}, from {asked}", counts(&estate));
        match self.format {
            Format::Text if to_stdout => context.out.say(&said),
            Format::Text => context.out.data(&format!("wrote {}: {said}\n", output.display()))?,
            Format::Json => {
                let rest = json!({
                    "written": output,
                    "estate_sha256": carafe_model::document::sha256(json.as_bytes()),
                    "hosts": estate.hosts.len(),
                    "flows": estate.flows.len(),
                });
                context.out.json(&findings::to_json(&found, rest))?;
            }
        }
        Ok(Exit::Done)
    }
}

/// A reference to a secret; what is none is not repeated, as it may be the secret.
fn secret(text: &str) -> Result<SecretRef, String> {
    SecretRef::parse(text).map_err(|error| error.to_string())
}

/// Samples of a period: one at either end, and one for every step between.
fn samples(period: Option<Duration>, every: Duration) -> Result<u32, Error> {
    let Some(period) = period else { return Ok(1) };
    if every > period {
        return Err(Error::usage(
            "--every is longer than --for",
            "take at least two samples, such as --for 10m --every 10s",
        ));
    }
    Ok(u32::try_from(period.as_secs() / every.as_secs()).unwrap_or(u32::MAX).saturating_add(1))
}

#[cfg(test)]
mod tests {
    use crate::collect::COLLECTORS;

    #[test]
    fn every_collector_has_its_command_and_its_page() {
        let command = crate::cli::command();
        let inventory = command.find_subcommand("inventory").expect("it is a command");
        let collect = inventory.find_subcommand("collect").expect("it is a command");
        let commands: Vec<&str> = collect.get_subcommands().map(clap::Command::get_name).collect();
        let collectors: Vec<&str> = COLLECTORS.iter().map(|collector| collector.name).collect();
        assert_eq!(commands, collectors);
        let page = include_str!("../../../../docs/collection.md");
        for collector in COLLECTORS {
            let row = format!("| `{}` | {} |", collector.name, collector.asks);
            assert!(page.contains(&row), "docs/collection.md has no row: {row}");
        }
    }
}

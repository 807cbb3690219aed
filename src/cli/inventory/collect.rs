//! `carafe inventory collect`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use carafe_inventory::InputFile;
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
use crate::cli::progress::Bar;
use crate::collect::ssh::{self, Request};
use crate::error::{Error, Exit, plural};
use crate::files;
use crate::inputs;

/// Ask live systems what runs on them, without agents
#[derive(Debug, Subcommand)]
#[command(after_help = "\
Examples:
  carafe inventory collect ssh web1 db1 -o estate.json
  carafe inventory collect ssh --hosts hosts.txt --for 1h --every 10s -o estate.json")]
pub(in crate::cli) enum Command {
    Ssh(Ssh),
}

pub(super) fn run(command: &Command, context: &Context) -> Result<Exit, Error> {
    match command {
        Command::Ssh(args) => run_ssh(args, context),
    }
}

/// Collect from Linux hosts over SSH
///
/// Uses the ssh program with your own configuration: keys, agent, jump hosts and known hosts. It never asks for a
/// password, so each host must let you in without one. A script is sent to a shell on each host; it needs standard
/// tools only, writes nothing and leaves nothing. A host that cannot be collected is listed, and the others are used.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe inventory collect ssh web1 db1 -o estate.json
  carafe inventory collect ssh --hosts hosts.txt --sudo -o estate.json
  carafe inventory collect ssh --hosts hosts.txt --for 1h --every 10s -o estate.json
  carafe inventory collect ssh web1 --collection web1.json -o estate.json")]
pub(in crate::cli) struct Ssh {
    /// Hosts as ssh knows them: host, user@host, or ssh://user@host:port
    #[arg(value_name = "HOST", required_unless_present = "hosts")]
    targets: Vec<String>,
    /// Read hosts from this file, one a line; # begins a comment
    #[arg(long, value_name = "FILE")]
    hosts: Option<PathBuf>,
    /// Use this configuration of ssh instead of your own
    #[arg(long, value_name = "FILE")]
    ssh_config: Option<PathBuf>,
    /// Ask for more with sudo on hosts where it needs no password
    #[arg(long)]
    sudo: bool,
    /// Watch each host for this long, to measure use and traffic
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    period: Option<Duration>,
    /// Time between two samples while watching
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "10s")]
    every: Duration,
    /// Hosts that are asked at the same time
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=512))]
    parallelism: u16,
    /// How long one host may take, beside the time it is watched
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s")]
    timeout: Duration,
    /// Keep what the hosts answered in this file, to be read again with inventory import
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

impl Ssh {
    /// The hosts of the command line, then those of the file.
    fn all_targets(&self, context: &Context) -> Result<Vec<String>, Error> {
        let mut targets = self.targets.clone();
        if let Some(path) = &self.hosts {
            let text = files::read_text(path, context.limit)?;
            let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
            targets.extend(lines.filter(|line| !line.is_empty()).map(str::to_owned));
        }
        if targets.is_empty() {
            return Err(Error::usage("there are no hosts to collect from", "name at least one"));
        }
        Ok(targets)
    }

    /// Samples of each host: one at either end, and one for every step between.
    fn samples(&self) -> Result<u32, Error> {
        let Some(period) = self.period else { return Ok(1) };
        if self.every > period {
            return Err(Error::usage(
                "--every is longer than --for",
                "take at least two samples, such as --for 10m --every 10s",
            ));
        }
        Ok(u32::try_from(period.as_secs() / self.every.as_secs()).unwrap_or(u32::MAX).saturating_add(1))
    }
}

fn run_ssh(args: &Ssh, context: &Context) -> Result<Exit, Error> {
    let to_stdout = args.output.as_deref().is_none_or(files::is_standard_stream);
    if to_stdout && args.format == Format::Json {
        return Err(Error::usage(
            "the estate and the findings cannot both go to standard output",
            "write the estate to a file with -o estate.json",
        ));
    }
    outputs::Paths::default().reads(&args.hosts).writes(&args.output).writes(&args.collection).apart()?;
    let targets = args.all_targets(context)?;
    let samples = args.samples()?;
    let bar = Bar::start(&context.out, targets.len());
    let asked = targets.len();
    let request = Request {
        targets,
        config: args.ssh_config.clone(),
        sudo: args.sudo,
        parallel: usize::from(args.parallelism),
        timeout: args.timeout,
        samples,
        every: args.every,
    };
    let (collection, mut found) = context.wait(ssh::collect(request, || bar.advance()));
    drop(bar);
    let bytes = serde_json::to_vec(&collection).expect("texts and lists");
    if let Some(path) = &args.collection {
        context.out.document(path, &bytes)?;
    }
    let name = args.collection.as_deref().map_or_else(|| "ssh".to_owned(), files::display_name);
    if collection.hosts.is_empty() {
        findings::judge(context, args.format, args.fail_on, &found)?;
        return Err(Error::failed("no host could be collected", "mend what the findings above tell of"));
    }
    let collected = collection.hosts.len();
    drop(collection);
    let import = carafe_inventory::import(&[InputFile { name: &name, bytes: &bytes }], None, &args.name);
    found.extend(import.findings);
    finish(
        args,
        context,
        import.estate,
        &found,
        &format!("{} of {asked} asked", plural(collected, "host", "hosts")),
    )
}

/// Judges what was found, and writes the estate.
fn finish(
    args: &Ssh,
    context: &Context,
    estate: Option<carafe_model::estate::Estate>,
    found: &[Finding],
    asked: &str,
) -> Result<Exit, Error> {
    findings::judge(context, args.format, args.fail_on, found)?;
    let estate = inputs::usable(estate)?;
    let output = args.output.as_deref().unwrap_or(Path::new(files::STANDARD_STREAM));
    let json = estate.to_json();
    context.out.document(output, json.as_bytes())?;
    let to_stdout = files::is_standard_stream(output);
    let said = format!("{}, from {asked}", counts(&estate));
    match args.format {
        Format::Text if to_stdout => context.out.say(&said),
        Format::Text => context.out.data(&format!("wrote {}: {said}\n", output.display()))?,
        Format::Json => {
            let rest = json!({
                "written": output,
                "estate_sha256": carafe_model::document::sha256(json.as_bytes()),
                "hosts": estate.hosts.len(),
                "flows": estate.flows.len(),
            });
            context.out.json(&findings::to_json(found, rest))?;
        }
    }
    Ok(Exit::Done)
}

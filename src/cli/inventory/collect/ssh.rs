//! `carafe inventory collect ssh`.

use std::path::PathBuf;
use std::time::Duration;

use super::{Keep, duration};
use crate::cli::Context;
use crate::cli::findings;
use crate::cli::progress::Bar;
use crate::collect::ssh::{self, Request};
use crate::error::{Error, Exit, plural};
use crate::files;

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
    #[command(flatten)]
    keep: Keep,
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
}

pub(super) fn run(args: &Ssh, context: &Context) -> Result<Exit, Error> {
    args.keep.check(&args.hosts)?;
    let targets = args.all_targets(context)?;
    let samples = super::samples(args.period, args.every)?;
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
    let (collection, found) = context.wait(ssh::collect(request, || bar.advance()));
    drop(bar);
    let bytes = serde_json::to_vec(&collection).expect("texts and lists");
    let collected = collection.hosts.len();
    drop(collection);
    if collected == 0 {
        args.keep.keep(context, &bytes)?;
        findings::judge(context, args.keep.format, args.keep.fail_on, &found)?;
        return Err(Error::failed("no host could be collected", "mend what the findings above tell of"));
    }
    let asked = format!("{} of {asked} asked", plural(collected, "host", "hosts"));
    args.keep.finish(context, "ssh", &bytes, found, &asked)
}

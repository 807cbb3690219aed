//! `carafe inventory collect kubernetes`.

use std::path::PathBuf;
use std::time::Duration;

use super::{Keep, duration};
use crate::cli::Context;
use crate::cli::progress::Bar;
use crate::collect::kubernetes::{self, Kubeconfig, Request};
use crate::error::{Error, Exit};
use crate::settings;

/// Collect from a Kubernetes cluster
///
/// Asks the API server for nodes and what runs on them, with the credentials of your kubeconfig: token, token file,
/// certificate, password or plugin. Environment variables, arguments and commands of containers are not kept, as they may
/// hold secrets. A list that you may not read is told, and the rest is used; without the nodes nothing is.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe inventory collect kubernetes -o estate.json
  carafe inventory collect kubernetes --kubeconfig admin.conf --context prod -o estate.json
  carafe inventory collect kubernetes --for 24h --every 1m -o estate.json")]
pub(in crate::cli) struct Kubernetes {
    /// Use this kubeconfig instead of those in KUBECONFIG or ~/.kube/config
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Use this context instead of the current one
    #[arg(long, value_name = "NAME")]
    context: Option<String>,
    /// Watch the metrics of the nodes for this long, to measure use
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    period: Option<Duration>,
    /// Time between two samples while watching
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s")]
    every: Duration,
    /// How long one answer may take
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "60s")]
    timeout: Duration,
    #[command(flatten)]
    keep: Keep,
}

pub(super) fn run(args: &Kubernetes, context: &Context) -> Result<Exit, Error> {
    args.keep.check(&args.kubeconfig)?;
    let samples = super::samples(args.period, args.every)?;
    let paths = match &args.kubeconfig {
        Some(path) => vec![path.clone()],
        None => settings::kubeconfigs(),
    };
    let bar = Bar::start(&context.out, kubernetes::STEPS);
    let request = Request { timeout: args.timeout, samples, every: args.every };
    let collected = context.wait(async {
        let access = Kubeconfig::read(&paths)?.access(args.context.as_deref()).await?;
        kubernetes::collect(&access, request, || bar.advance()).await
    });
    drop(bar);
    args.keep.finish_answers(context, "kubernetes", collected)
}

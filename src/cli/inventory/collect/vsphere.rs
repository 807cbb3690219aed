//! `carafe inventory collect vsphere`.

use std::path::PathBuf;
use std::time::Duration;

use clap::ValueEnum;

use super::{Keep, duration, secret};
use crate::cli::Context;
use crate::cli::progress::Bar;
use crate::collect::vsphere::{self, History, Request};
use crate::drivers::rest::base_url;
use crate::drivers::secret::SecretRef;
use crate::error::{Error, Exit};
use crate::files;
use crate::http::Tls;
use crate::settings;

/// Collect from a vCenter or an ESXi host
///
/// Reads the machines with their disks, interfaces and what VMware Tools tell of them, where they run, custom attributes and
/// tags, and how busy they were. The role Read-only is enough. What cannot be read is told, and the rest is used; without the
/// machines nothing is.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  VCENTER_PASSWORD=… carafe inventory collect vsphere vcenter.example --user reader@vsphere.local -o estate.json
  carafe inventory collect vsphere vcenter.example --user reader@vsphere.local \\
    --password file:/run/secrets/vcenter --ca vcenter-ca.pem --history month -o estate.json")]
pub(in crate::cli) struct Vsphere {
    /// Name or address of the server
    #[arg(value_name = "SERVER")]
    server: String,
    /// Who asks
    #[arg(long, value_name = "NAME")]
    user: String,
    /// Where the password is kept: env:NAME, file:PATH or cmd:PROGRAM ARGUMENT…
    #[arg(long, value_name = "WHERE", default_value = "env:VCENTER_PASSWORD", value_parser = secret)]
    password: SecretRef,
    /// Trust the authorities in this PEM file instead of those of the operating system
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// How far back to read how busy the machines were
    #[arg(long, value_enum, default_value_t, value_name = "TIME")]
    history: HistoryArg,
    /// How long one answer may take
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "120s")]
    timeout: Duration,
    #[command(flatten)]
    keep: Keep,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum HistoryArg {
    /// Not at all
    None,
    /// A day, in means of five minutes
    Day,
    /// A week, in means of half an hour
    #[default]
    Week,
    /// A month, in means of two hours
    Month,
}

pub(super) fn run(args: &Vsphere, context: &Context) -> Result<Exit, Error> {
    args.keep.check(&args.ca)?;
    let address =
        if args.server.contains("://") { args.server.clone() } else { format!("https://{}", args.server) };
    let mut url = base_url("the server", &address)
        .map_err(|error| Error::usage(error.message, "write a name such as vcenter.example"))?;
    url.set_path("/sdk");
    let password = args.password.fetch(&settings::variable).map_err(|why| {
        Error::failed(format!("there is no password: {why}"), "say with --password where it is kept")
    })?;
    let authorities = match &args.ca {
        Some(path) => Some(files::read_text(path, context.limit)?.into_bytes()),
        None => None,
    };
    let history = match args.history {
        HistoryArg::None => History::None,
        HistoryArg::Day => History::Day,
        HistoryArg::Week => History::Week,
        HistoryArg::Month => History::Month,
    };
    let bar = Bar::start(&context.out, vsphere::STEPS);
    let request = Request {
        url,
        user: args.user.clone(),
        password,
        tls: Tls { authorities, ..Tls::default() },
        timeout: args.timeout,
        history,
    };
    let collected = context.wait(vsphere::collect(request, || bar.advance()));
    drop(bar);
    args.keep.finish_answers(context, "vsphere", collected)
}

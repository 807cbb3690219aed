//! `carafe inventory collect libvirt`.

use std::time::Duration;

use super::{Keep, duration};
use crate::cli::Context;
use crate::cli::progress::Spinner;
use crate::collect::libvirt;
use crate::error::{Error, Exit};

/// Collect from a hypervisor with libvirt
///
/// Uses the virsh program with the addresses and keys as you have them. Reads the description of every machine, running or
/// not, and the sizes of its disks. It never asks for a password. For several hypervisors, keep what each answered with
/// --collection and read the files together with inventory import.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe inventory collect libvirt qemu:///system -o estate.json
  carafe inventory collect libvirt qemu+ssh://root@hv1/system --collection hv1.json -o hv1-estate.json")]
pub(in crate::cli) struct Libvirt {
    /// Address of the hypervisor, as virsh -c takes it
    #[arg(value_name = "URI")]
    uri: String,
    /// How long one call of virsh may take
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "120s")]
    timeout: Duration,
    #[command(flatten)]
    keep: Keep,
}

pub(super) fn run(args: &Libvirt, context: &Context) -> Result<Exit, Error> {
    args.keep.check([])?;
    let turning = Spinner::start(&context.out, "asking");
    let collected = context.wait(libvirt::collect(&args.uri, args.timeout));
    drop(turning);
    args.keep.finish_answers(context, "libvirt", collected)
}

//! `carafe inventory show`.

use std::path::PathBuf;

use carafe_model::estate::{Endpoint, Estate};
use carafe_model::host::Host;
use carafe_model::units::Quantity;
use serde_json::json;

use crate::cli::Context;
use crate::cli::findings::{self, FailOnArg};
use crate::cli::output::{Format, Tone, clean};
use crate::cli::table::{Side, Table};
use crate::error::{Error, Exit, plural};
use crate::inputs;

/// Show what is in an estate
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe inventory show estate.json
  carafe inventory show estate.json --format json | jq '.hosts[].id'")]
pub(crate) struct Args {
    /// The estate document, or - for standard input
    estate: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    fail_on: FailOnArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let (estate, found) = inputs::document::<Estate>(&args.estate, context.limit)?;
    findings::judge(context, args.format, args.fail_on, &found)?;
    let estate = inputs::usable(estate)?;
    match args.format {
        Format::Text => context.out.data(&text(&estate))?,
        Format::Json => {
            let rest = json!({
                "name": estate.name,
                "totals": totals(&estate),
                "hosts": estate.hosts,
                "apps": estate.apps,
                "load_balancers": estate.load_balancers,
                "clusters": estate.clusters,
                "flows": estate.flows,
            });
            context.out.json(&findings::to_json(&found, rest))?;
        }
    }
    Ok(Exit::Done)
}

/// What the hosts of an estate have together; unknown sizes are counted apart, not as nothing.
fn totals(estate: &Estate) -> serde_json::Value {
    let hosts = &estate.hosts;
    json!({
        "hosts": hosts.len(),
        "staying": hosts.iter().filter(|host| host.stays_because.is_some()).count(),
        "vcpus": hosts.iter().filter_map(|host| host.vcpus).map(|vcpus| u64::from(vcpus.0)).sum::<u64>(),
        "hosts_without_vcpus": hosts.iter().filter(|host| host.vcpus.is_none()).count(),
        "memory_mib": hosts.iter().filter_map(|host| host.memory_mib).fold(0, |sum: u64, mib| sum.saturating_add(mib.0)),
        "hosts_without_memory": hosts.iter().filter(|host| host.memory_mib.is_none()).count(),
        "disk_gib": hosts.iter().filter_map(disk_gib).fold(0, u64::saturating_add),
        "disks_without_size": hosts.iter().flat_map(|host| &host.disks).filter(|disk| disk.size_gib.is_none()).count(),
        "apps": estate.apps.len(),
        "load_balancers": estate.load_balancers.len(),
        "clusters": estate.clusters.len(),
        "flows": estate.flows.len(),
        "flows_without_volume": estate.flows.iter().filter(|flow| flow.gib_month.is_none()).count(),
    })
}

fn disk_gib(host: &Host) -> Option<u64> {
    host.disks.iter().filter_map(|disk| disk.size_gib).map(|gib| gib.0).reduce(u64::saturating_add)
}

const UNKNOWN: &str = "?";

fn text(estate: &Estate) -> String {
    let or_unknown = |value: Option<String>| value.unwrap_or_else(|| UNKNOWN.to_owned());
    let mut hosts = Table::new(&[
        ("host", Side::Left),
        ("app", Side::Left),
        ("vCPU", Side::Right),
        ("memory MiB", Side::Right),
        ("disk GiB", Side::Right),
        ("system", Side::Left),
        ("stays because", Side::Left),
    ]);
    for host in &estate.hosts {
        hosts.row([
            host.id.to_string(),
            host.app.as_ref().map(ToString::to_string).unwrap_or_default(),
            or_unknown(host.vcpus.map(|vcpus| vcpus.0.to_string())),
            or_unknown(host.memory_mib.map(|memory| memory.0.to_string())),
            or_unknown(disk_gib(host).map(|gib| gib.to_string())),
            or_unknown(host.os.as_ref().map(|os| os.name.clone())),
            host.stays_because.clone().unwrap_or_default(),
        ]);
    }
    let mut parts = vec![
        format!("{}\n", Tone::Strong.paint(&clean(&estate.name))),
        format!(
            "{}, {}, {}, {}, {}\n",
            plural(estate.hosts.len(), "host", "hosts"),
            plural(estate.apps.len(), "app", "apps"),
            plural(estate.flows.len(), "flow", "flows"),
            plural(estate.load_balancers.len(), "load balancer", "load balancers"),
            plural(estate.clusters.len(), "cluster", "clusters"),
        ),
        hosts.render(),
    ];
    if !estate.flows.is_empty() {
        parts.push(flows(estate));
    }
    if !estate.load_balancers.is_empty() {
        parts.push(load_balancers(estate));
    }
    parts.join("\n")
}

fn flows(estate: &Estate) -> String {
    let mut table = Table::new(&[
        ("flow from", Side::Left),
        ("to", Side::Left),
        ("port", Side::Left),
        ("GiB a month", Side::Right),
        ("and back", Side::Right),
    ]);
    let volume = |gib: Option<Quantity>| gib.map_or(UNKNOWN.to_owned(), |gib| gib.to_string());
    for flow in &estate.flows {
        let protocol = flow.protocol.as_deref().unwrap_or_default();
        table.row([
            end(&flow.from),
            end(&flow.to),
            flow.port.map_or_else(|| protocol.to_owned(), |port| format!("{protocol}/{port}")),
            volume(flow.gib_month),
            volume(flow.gib_month_back),
        ]);
    }
    table.render()
}

fn end(endpoint: &Endpoint) -> String {
    match endpoint {
        Endpoint::Host(host) => host.to_string(),
        Endpoint::External(name) => format!("{name} (outside)"),
    }
}

fn load_balancers(estate: &Estate) -> String {
    let mut table = Table::new(&[
        ("load balancer", Side::Left),
        ("listens", Side::Left),
        ("public", Side::Left),
        ("members", Side::Left),
    ]);
    for balancer in &estate.load_balancers {
        let members: Vec<&str> = balancer.members.iter().map(|member| member.as_str()).collect();
        table.row([
            balancer.id.to_string(),
            format!("{}/{}", balancer.protocol, balancer.port),
            if balancer.public { "yes" } else { "no" }.to_owned(),
            members.join(", "),
        ]);
    }
    table.render()
}

//! A source machine: what it is made of and what it uses. Every value that a source may lack is optional.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{AppId, HostId};
use crate::inside::Inside;
use crate::units::{Gib, Mib, Money, Quantity, Vcpus};

/// A source machine, virtual or physical.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Host {
    /// Unique in the estate; what rules, flows and plans call it.
    pub id: HostId,
    /// The name people use; may repeat.
    pub name: String,
    /// The source's own identifier: machine id, SMBIOS UUID, or managed object reference.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub machine_id: Option<String>,
    /// The app it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<AppId>,
    /// Free labels; rules match on `key=value`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Instruction set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub architecture: Option<Architecture>,
    /// Hardware threads the machine sees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vcpus: Option<Vcpus>,
    /// The processor's marketing name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_model: Option<String>,
    /// Memory the machine has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<Mib>,
    /// Operating system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub os: Option<Os>,
    /// How it boots.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firmware: Option<Firmware>,
    /// Whether it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub power: Option<Power>,
    /// Disks; the first is the one it boots from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disks: Vec<Disk>,
    /// Network interfaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nics: Vec<Nic>,
    /// Firewall rules in the order in which they are tried; the first match decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub firewall: Vec<FirewallRule>,
    /// Routing table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<Route>,
    /// Accelerators; absent means none is known of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpu: Option<Gpu>,
    /// Measured use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// What was found inside the running machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inside: Option<Inside>,
    /// Whether it needs a public address of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub public_address: bool,
    /// Why it cannot move; absent means it can. Its flows to hosts that move are priced all the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stays_because: Option<String>,
    /// What it costs a month today, in the estate's currency, where that is known by host.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monthly_cost: Option<Money>,
}

impl Host {
    /// A host of which only the name is known.
    pub fn named(id: impl Into<HostId>) -> Host {
        let id = id.into();
        Host {
            name: id.0.clone(),
            id,
            machine_id: None,
            app: None,
            labels: BTreeMap::new(),
            architecture: None,
            vcpus: None,
            cpu_model: None,
            memory_mib: None,
            os: None,
            firmware: None,
            power: None,
            disks: Vec::new(),
            nics: Vec::new(),
            firewall: Vec::new(),
            routes: Vec::new(),
            gpu: None,
            usage: None,
            inside: None,
            public_address: false,
            stays_because: None,
            monthly_cost: None,
        }
    }
}

/// An instruction set that clouds sell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Architecture {
    /// 64-bit x86.
    X86_64,
    /// 64-bit Arm.
    Arm64,
    /// Anything else, for example POWER or 32-bit x86: no cloud offer fits.
    Other,
}

/// An operating system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Os {
    /// What decides licences and images.
    pub family: OsFamily,
    /// As the source writes it, for example `Ubuntu 22.04.3 LTS`.
    pub name: String,
    /// The version alone, for example `22.04`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Operating systems by how clouds charge for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OsFamily {
    /// Linux without a licence charge.
    Linux,
    /// Red Hat Enterprise Linux.
    Rhel,
    /// SUSE Linux Enterprise Server.
    Sles,
    /// Windows, server or client.
    Windows,
    /// Any other system.
    Other,
}

/// How a machine boots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Firmware {
    /// Legacy BIOS.
    Bios,
    /// UEFI.
    Uefi,
}

/// Whether a machine runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Power {
    /// Running.
    On,
    /// Switched off.
    Off,
    /// Suspended to memory or disk.
    Suspended,
}

/// A disk of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Disk {
    /// Its name on the host.
    pub name: String,
    /// Capacity; absent when the source does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size_gib: Option<Gib>,
    /// Space in use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_gib: Option<Gib>,
    /// What it is made of; absent when the source does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media: Option<Media>,
    /// Shared with other machines.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    /// A raw device map, not a file: it cannot be copied as an image.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub raw: bool,
}

/// What a disk is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Media {
    /// Solid state.
    Ssd,
    /// Spinning.
    Hdd,
}

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nic {
    /// Its name on the host.
    pub name: String,
    /// Hardware address, lower case with colons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// Addresses, with a prefix length where it is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// The network or port group it is plugged into.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
}

/// One rule of a host's firewall.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FirewallRule {
    /// Inbound or outbound.
    pub direction: Direction,
    /// Allow or deny.
    pub action: Action,
    /// `tcp`, `udp`, `icmp`, or `*` for all.
    pub protocol: String,
    /// Sources in CIDR notation, or `*`.
    pub source: String,
    /// Destinations in CIDR notation, or `*`.
    pub destination: String,
    /// Destination ports: single, list or range (`80,443`, `1024-65535`), or `*`.
    pub ports: String,
}

/// Which way traffic goes, seen from the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Into the host.
    Inbound,
    /// Out of the host.
    Outbound,
}

/// What a rule does with what it matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Lets it pass.
    Allow,
    /// Stops it.
    Deny,
}

/// One route of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Destination in CIDR notation.
    pub destination: String,
    /// Next hop; absent for a directly connected network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// Interface it leaves by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<String>,
    /// Preference; lower wins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<u32>,
}

/// Accelerators of a host.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gpu {
    /// How many.
    pub count: u32,
    /// Model, as the source writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
}

/// Measured use over a window. Each distribution is of the peaks of ten-minute bins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Usage {
    /// Length of the window, in hours.
    pub window_hours: u32,
    /// How much of the window has samples, in percent.
    pub coverage_percent: u32,
    /// Processor use in percent of all hardware threads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_percent: Option<Distribution>,
    /// Memory in use, in MiB.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<Distribution>,
    /// Network throughput in Mbit/s, the larger of the two directions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network_mbps: Option<Distribution>,
}

/// Percentiles of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Distribution {
    /// Median.
    pub p50: Quantity,
    /// 90th percentile.
    pub p90: Quantity,
    /// 95th percentile.
    pub p95: Quantity,
    /// 99th percentile.
    pub p99: Quantity,
    /// Largest value seen.
    pub max: Quantity,
}

//! Everything that is inventoried: hosts, the traffic between them, and what they form together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::host::Host;
use crate::ids::{AppId, ClusterId, HostId, LoadBalancerId};
use crate::units::{Currency, Money, Quantity};

/// The whole inventory; the document `estate/1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Estate {
    /// Kind and version of this document: `estate/1`.
    pub carafe: String,
    /// What people call it.
    pub name: String,
    /// The files or systems it was read from, in the order of reading.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<Source>,
    /// What running it costs today.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub today: Option<CurrentCost>,
    /// Source machines.
    pub hosts: Vec<Host>,
    /// Traffic.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub flows: Vec<Flow>,
    /// Groups of hosts that move together.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apps: Vec<App>,
    /// Load balancers in front of hosts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub load_balancers: Vec<LoadBalancer>,
    /// Kubernetes clusters and the hosts they run on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clusters: Vec<KubernetesCluster>,
}

impl Document for Estate {
    const KIND: &'static str = "estate";
    const VERSION: u32 = 1;
}

impl Estate {
    /// An estate with a name and nothing in it.
    pub fn empty(name: impl Into<String>) -> Estate {
        Estate {
            carafe: Estate::header(),
            name: name.into(),
            sources: Vec::new(),
            today: None,
            hosts: Vec::new(),
            flows: Vec::new(),
            apps: Vec::new(),
            load_balancers: Vec::new(),
            clusters: Vec::new(),
        }
    }
}

/// Where a part of the estate was read from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// The file's name without its folder.
    pub file: String,
    /// The importer that read it.
    pub format: String,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// What the estate costs today: the figure savings are measured against.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CurrentCost {
    /// A month of it.
    pub monthly: Money,
    /// In which currency.
    pub currency: Currency,
    /// What is counted, and who says so.
    pub source: String,
}

/// Traffic from one end to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Flow {
    /// Who opens the connection.
    pub from: Endpoint,
    /// Who is connected to.
    pub to: Endpoint,
    /// `tcp` or `udp`, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Destination port, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// GiB a month sent by `from`; absent is unknown, not none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gib_month: Option<Quantity>,
    /// GiB a month sent back by `to`; absent is unknown, not none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gib_month_back: Option<Quantity>,
    /// Longest round trip in milliseconds that the two ends bear; absent for any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rtt_ms: Option<Quantity>,
}

/// One end of a flow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Endpoint {
    /// A host of the estate.
    Host(HostId),
    /// Anything outside it, by a name people know, for example `internet` or `bank`.
    External(String),
}

/// A group of hosts that moves together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct App {
    /// Unique in the estate.
    pub id: AppId,
    /// What people call it.
    pub name: String,
}

/// A load balancer in front of hosts. It goes to the region of its members, which stay together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LoadBalancer {
    /// Unique in the estate.
    pub id: LoadBalancerId,
    /// `tcp`, `udp`, `http` or `https`.
    pub protocol: String,
    /// The port it listens on.
    pub port: u16,
    /// Whether it listens to the internet.
    pub public: bool,
    /// Where it sends traffic.
    pub members: Vec<HostId>,
    /// The port members listen on.
    pub member_port: u16,
    /// What it runs on today, for example `haproxy`, and the host it runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub software: Option<String>,
    /// How it finds out that a member is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
}

/// How a load balancer finds out that a member is well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HealthCheck {
    /// `tcp` or `http`.
    pub protocol: String,
    /// Port it asks; absent for the member port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// Seconds between two questions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_seconds: Option<u32>,
    /// Seconds it waits for an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    /// Answers in a row that change its mind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<u32>,
}

/// A Kubernetes cluster. Its hosts go to one region, where a managed control plane takes over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KubernetesCluster {
    /// Unique in the estate.
    pub id: ClusterId,
    /// Kubernetes version, for example `1.30.2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Hosts that run its control plane today; a managed cluster replaces them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub control_plane: Vec<HostId>,
    /// Hosts that run its workloads.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub workers: Vec<HostId>,
    /// Addresses of pods, in CIDR notation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pod_cidr: Option<String>,
    /// Addresses of services, in CIDR notation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_cidr: Option<String>,
}

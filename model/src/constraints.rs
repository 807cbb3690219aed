//! What a policy demands of several hosts at once: groups, limits on round trips, quotas, and where fixed ends are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estate::Endpoint;
use crate::host::Host;
use crate::ids::ProviderName;
use crate::policy::Match;
use crate::units::{Quantity, Vcpus};

/// How large a place is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// A part of a region that fails on its own.
    Zone,
    /// A region.
    Region,
    /// A provider.
    Provider,
}

impl Level {
    /// The name in policies.
    pub const fn name(self) -> &'static str {
        match self {
            Level::Zone => "zone",
            Level::Region => "region",
            Level::Provider => "provider",
        }
    }
}

/// Hosts that must share a place, or must not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GroupRule {
    /// What messages call it.
    pub name: String,
    /// Its hosts.
    #[serde(rename = "match")]
    pub matches: Match,
    /// All of them go to one and the same of these.
    pub same: Option<Level>,
    /// At most `at_most` of them go to one and the same of these.
    pub apart: Option<Level>,
    /// How many may share what `apart` names.
    pub at_most: u32,
}

impl Default for GroupRule {
    fn default() -> Self {
        GroupRule { name: String::new(), matches: Match::default(), same: None, apart: None, at_most: 1 }
    }
}

/// Which ends of flows are meant: hosts as in [`Match`], or something outside the estate.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EndMatch {
    /// The host with this id or name; `*` stands for any run of characters.
    pub host: Option<String>,
    /// Hosts of this app.
    pub app: Option<String>,
    /// Hosts with this label, as `key=value`, or `key` for any value.
    pub label: Option<String>,
    /// The external end of this name.
    pub external: Option<String>,
}

impl EndMatch {
    /// Whether an end is meant; `host` is the host it names, if it names one that exists.
    pub fn fits(&self, end: &Endpoint, host: Option<&Host>) -> bool {
        match end {
            Endpoint::External(name) => self.external.as_ref() == Some(name),
            Endpoint::Host(_) => {
                self.external.is_none()
                    && host.is_some_and(|host| {
                        let EndMatch { host: name, app, label, external: _ } = self.clone();
                        Match { host: name, app, label }.fits(host)
                    })
            }
        }
    }
}

/// A longest round trip for the flows between two sets of ends, whoever opens the connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FlowRule {
    /// Ends on one side.
    pub from: EndMatch,
    /// Ends on the other side.
    pub to: EndMatch,
    /// Longest round trip in milliseconds.
    pub max_rtt_ms: Quantity,
}

/// Where something is that does not move: a host that stays, or an external end.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Location {
    /// What is there.
    #[serde(rename = "match")]
    pub matches: EndMatch,
    /// Degrees north.
    pub latitude: Quantity,
    /// Degrees east.
    pub longitude: Quantity,
}

/// What a host may need beside its machine, and not every provider or driver can make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Service {
    /// A load balancer.
    LoadBalancer,
    /// A public address of its own.
    PublicAddress,
    /// A managed Kubernetes cluster.
    Kubernetes,
}

impl Service {
    /// Every one of them.
    pub const ALL: [Service; 3] = [Service::LoadBalancer, Service::PublicAddress, Service::Kubernetes];

    /// The name in policies.
    pub const fn name(self) -> &'static str {
        match self {
            Service::LoadBalancer => "load-balancer",
            Service::PublicAddress => "public-address",
            Service::Kubernetes => "kubernetes",
        }
    }
}

/// What cannot be made at a provider, so that no host that needs it goes there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unavailable {
    /// Where.
    pub provider: ProviderName,
    /// What.
    pub services: Vec<Service>,
}

/// How much a provider lets the user have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Quota {
    /// In this region, as `provider/region`.
    pub region: Option<String>,
    /// Of this provider, in all its regions together.
    pub provider: Option<ProviderName>,
    /// Counts only machines of this family; all when absent.
    pub family: Option<String>,
    /// Most hardware threads.
    pub max_vcpus: Option<Vcpus>,
    /// Most machines.
    pub max_hosts: Option<u32>,
}

//! The graph of things the executor does, as data.
//!
//! A step names the resource it wants to exist and the steps it stands on; the graph has no cycles. Names of resources
//! are unique within a provider's region and derived from the plan, so that a second run finds what the first made.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::estate::HealthCheck;
use crate::host::{Architecture, OsFamily};
use crate::ids::{HostId, ProviderName, RegionName, StepId};
use crate::language::Sentence;
use crate::units::{Gib, Mib, Quantity, Vcpus};

/// One thing the executor does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Unique in the plan, for example `aws/ap-northeast-2/machine/erp-db-1`.
    pub id: StepId,
    /// The wave it belongs to, from 1; 0 prepares for all waves.
    pub wave: u32,
    /// Where.
    pub provider: ProviderName,
    /// Where.
    pub region: RegionName,
    /// The host it is done for, where it is for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<HostId>,
    /// Steps that must be done before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<StepId>,
    /// What is done.
    pub action: Action,
}

/// What a step does: makes a resource exist, or asks a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Action {
    /// A private network.
    Network {
        /// Its name.
        name: String,
        /// Its addresses in CIDR notation.
        cidr: String,
    },
    /// A subnet of a network.
    Subnet {
        /// Its name.
        name: String,
        /// The network's name.
        network: String,
        /// Its addresses in CIDR notation.
        cidr: String,
        /// The zone it is in; absent lets the provider choose.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<String>,
    },
    /// A set of firewall rules.
    SecurityGroup {
        /// Its name.
        name: String,
        /// The network's name.
        network: String,
        /// What it lets pass; anything else is stopped.
        rules: Vec<AllowRule>,
    },
    /// A key pair for logging in.
    KeyPair {
        /// Its name.
        name: String,
    },
    /// A virtual machine.
    Machine {
        /// Its name.
        name: String,
        /// The instance type.
        instance_type: String,
        /// What it must offer at least, so that a driver can check.
        vcpus: Vcpus,
        /// What it must offer at least, so that a driver can check.
        memory_mib: Mib,
        /// What it boots.
        image: ImageQuery,
        /// The subnet's name.
        subnet: String,
        /// Names of security groups.
        security_groups: Vec<String>,
        /// The key pair's name.
        key_pair: String,
        /// Size of the disk it boots from; absent lets the image decide.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        root_disk_gib: Option<Gib>,
        /// Class of the disk it boots from; absent lets the provider choose.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        root_disk_class: Option<String>,
    },
    /// A data disk.
    Disk {
        /// Its name.
        name: String,
        /// Its class; absent lets the provider choose.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        class: Option<String>,
        /// Its size.
        size_gib: Gib,
        /// The zone it is in, which is its machine's; absent lets the provider choose.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        zone: Option<String>,
    },
    /// A data disk plugged into a machine.
    Attachment {
        /// Its name.
        name: String,
        /// The disk's name.
        disk: String,
        /// The machine's name.
        machine: String,
    },
    /// A public address given to a machine.
    PublicAddress {
        /// Its name.
        name: String,
        /// The machine's name.
        machine: String,
    },
    /// A load balancer with its members.
    LoadBalancer {
        /// Its name.
        name: String,
        /// The subnet's name.
        subnet: String,
        /// Whether it listens to the internet.
        public: bool,
        /// `tcp` or `udp`.
        protocol: String,
        /// Port it listens on.
        port: u16,
        /// Port of the members.
        member_port: u16,
        /// Names of machines.
        members: Vec<String>,
        /// How it finds out that a member is well; absent for a connection to the member port.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        health_check: Option<HealthCheck>,
    },
    /// A managed Kubernetes cluster with one group of nodes.
    KubernetesCluster {
        /// Its name.
        name: String,
        /// Version; absent lets the provider choose.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<String>,
        /// Names of subnets.
        subnets: Vec<String>,
        /// Names of security groups.
        security_groups: Vec<String>,
        /// The key pair's name.
        key_pair: String,
        /// Instance type of its nodes.
        instance_type: String,
        /// How many nodes.
        nodes: u32,
    },
    /// Something a person does and confirms, for example copying data or switching over.
    Manual {
        /// What it is called.
        name: String,
        /// What to do, in a sentence.
        text: Sentence,
        /// How much data is moved by it, where that is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        gib: Option<Quantity>,
    },
    /// A command or a web request of the user's own, for example one that copies data or changes a DNS record.
    Hook {
        /// What it is called.
        name: String,
        /// What is run.
        run: Call,
        /// Tells whether it took effect, for when the reply to `run` was lost; absent when nothing can tell.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verify: Option<Call>,
        /// Takes its effect back when the run is destroyed; absent when there is nothing to take back.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        undo: Option<Call>,
        /// Whether running it twice does no harm; then it is run again when its reply was lost.
        #[serde(default)]
        repeat: bool,
        /// After so many seconds it is ended, and nobody knows whether it took effect.
        timeout_s: u32,
    },
    /// Looks whether what was moved works.
    Check {
        /// What it is called.
        name: String,
        /// What is looked at; all of it has to be well.
        probes: Vec<Probe>,
        /// For so many seconds it is looked at again and again before the check counts as failed.
        within_s: u32,
    },
    /// A person says that the run may go on.
    Approval {
        /// What it is called.
        name: String,
        /// What is approved, in a sentence.
        text: String,
    },
}

/// A command or a web request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "by", rename_all = "snake_case", deny_unknown_fields)]
pub enum Call {
    /// A program with its arguments, started without a shell. It ended well when its exit code is 0.
    Command {
        /// The program, then its arguments; at least one.
        command: Vec<String>,
        /// Variables of its environment that hold secrets, each with where the secret is kept, for example `env:TOKEN`.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        secrets: BTreeMap<String, String>,
    },
    /// A web request with a JSON body. It ended well when the status is one of `expect`.
    Http {
        /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
        method: String,
        /// Where to.
        url: String,
        /// Headers that hold secrets, each with where the secret is kept, for example `env:TOKEN`.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        secrets: BTreeMap<String, String>,
        /// Status codes that mean success; empty for 200 to 299.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        expect: Vec<u16>,
    },
}

/// One thing a check looks at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub enum Probe {
    /// A TCP port that takes connections.
    Tcp {
        /// Name or address of the machine.
        address: String,
        /// The port.
        port: u16,
    },
    /// An SSH server that shows a known host key.
    SshHostKey {
        /// Name or address of the machine.
        address: String,
        /// The port, 22 as a rule.
        port: u16,
        /// The key as `known_hosts` writes it, for example `ssh-ed25519 AAAA…`.
        key: String,
    },
    /// A URL that answers with a status.
    Http {
        /// Which.
        url: String,
        /// The status that means health, 200 as a rule.
        status: u16,
    },
}

impl Probe {
    /// What is looked at, in words.
    pub fn words(&self) -> String {
        match self {
            Probe::Tcp { address, port } => format!("port {port} of {address}"),
            Probe::SshHostKey { address, port, .. } => format!("the SSH host key of {address}, port {port}"),
            Probe::Http { url, status } => format!("{url} with status {status}"),
        }
    }
}

impl Action {
    /// The kind, as documents write it.
    pub const fn kind(&self) -> &'static str {
        match self {
            Action::Network { .. } => "network",
            Action::Subnet { .. } => "subnet",
            Action::SecurityGroup { .. } => "security_group",
            Action::KeyPair { .. } => "key_pair",
            Action::Machine { .. } => "machine",
            Action::Disk { .. } => "disk",
            Action::Attachment { .. } => "attachment",
            Action::PublicAddress { .. } => "public_address",
            Action::LoadBalancer { .. } => "load_balancer",
            Action::KubernetesCluster { .. } => "kubernetes_cluster",
            Action::Manual { .. } => "manual",
            Action::Hook { .. } => "hook",
            Action::Check { .. } => "check",
            Action::Approval { .. } => "approval",
        }
    }

    /// The name of the resource or task.
    pub fn name(&self) -> &str {
        match self {
            Action::Network { name, .. }
            | Action::Subnet { name, .. }
            | Action::SecurityGroup { name, .. }
            | Action::KeyPair { name }
            | Action::Machine { name, .. }
            | Action::Disk { name, .. }
            | Action::Attachment { name, .. }
            | Action::PublicAddress { name, .. }
            | Action::LoadBalancer { name, .. }
            | Action::KubernetesCluster { name, .. }
            | Action::Manual { name, .. }
            | Action::Hook { name, .. }
            | Action::Check { name, .. }
            | Action::Approval { name, .. } => name,
        }
    }
}

/// What a security group lets into its machines.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AllowRule {
    /// `tcp`, `udp`, `icmp`, or `*` for all.
    pub protocol: String,
    /// First port; absent for all ports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_port: Option<u16>,
    /// Last port; absent for all ports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_port: Option<u16>,
    /// Sources in CIDR notation.
    pub source: String,
}

/// What to look for among a provider's images.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ImageQuery {
    /// Operating system.
    pub family: OsFamily,
    /// As the source host writes it, for example `Ubuntu 22.04.3 LTS`; empty when unknown.
    pub name: String,
    /// The version alone, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Instruction set.
    pub architecture: Architecture,
}

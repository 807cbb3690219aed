//! What a driver is asked for and what it answers with.

use std::collections::BTreeMap;
use std::fmt;

use carafe_model::document::sha256;
use carafe_model::ids::{ProviderName, RegionName, StepId};
use carafe_model::steps::{Action, Step};
use carafe_model::units::{Currency, Rate};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::run_id::RunId;

/// A kind of resource that a cloud holds: every action that makes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A private network.
    Network,
    /// A subnet of a network.
    Subnet,
    /// A set of firewall rules.
    SecurityGroup,
    /// A key pair for logging in.
    KeyPair,
    /// A virtual machine.
    Machine,
    /// A data disk.
    Disk,
    /// A data disk plugged into a machine.
    Attachment,
    /// A public address given to a machine.
    PublicAddress,
    /// A load balancer with its members.
    LoadBalancer,
    /// A managed Kubernetes cluster.
    KubernetesCluster,
}

impl Kind {
    /// Every kind, in the order in which they build on one another.
    pub const ALL: [Kind; 10] = [
        Kind::Network,
        Kind::Subnet,
        Kind::SecurityGroup,
        Kind::KeyPair,
        Kind::Machine,
        Kind::Disk,
        Kind::Attachment,
        Kind::PublicAddress,
        Kind::LoadBalancer,
        Kind::KubernetesCluster,
    ];

    /// The kind an action makes; `None` for what makes no resource.
    pub const fn of(action: &Action) -> Option<Kind> {
        match action {
            Action::Network { .. } => Some(Kind::Network),
            Action::Subnet { .. } => Some(Kind::Subnet),
            Action::SecurityGroup { .. } => Some(Kind::SecurityGroup),
            Action::KeyPair { .. } => Some(Kind::KeyPair),
            Action::Machine { .. } => Some(Kind::Machine),
            Action::Disk { .. } => Some(Kind::Disk),
            Action::Attachment { .. } => Some(Kind::Attachment),
            Action::PublicAddress { .. } => Some(Kind::PublicAddress),
            Action::LoadBalancer { .. } => Some(Kind::LoadBalancer),
            Action::KubernetesCluster { .. } => Some(Kind::KubernetesCluster),
            Action::Manual { .. } | Action::Hook { .. } | Action::Check { .. } | Action::Approval { .. } => {
                None
            }
        }
    }

    /// Whether removing one may lose what was written to it.
    pub const fn holds_data(self) -> bool {
        match self {
            Kind::Machine | Kind::Disk | Kind::KubernetesCluster => true,
            Kind::Network
            | Kind::Subnet
            | Kind::SecurityGroup
            | Kind::KeyPair
            | Kind::Attachment
            | Kind::PublicAddress
            | Kind::LoadBalancer => false,
        }
    }

    /// The name in documents, the same as the action's.
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Network => "network",
            Kind::Subnet => "subnet",
            Kind::SecurityGroup => "security_group",
            Kind::KeyPair => "key_pair",
            Kind::Machine => "machine",
            Kind::Disk => "disk",
            Kind::Attachment => "attachment",
            Kind::PublicAddress => "public_address",
            Kind::LoadBalancer => "load_balancer",
            Kind::KubernetesCluster => "kubernetes_cluster",
        }
    }

    /// The name in sentences.
    pub const fn words(self) -> &'static str {
        match self {
            Kind::Network => "network",
            Kind::Subnet => "subnet",
            Kind::SecurityGroup => "security group",
            Kind::KeyPair => "key pair",
            Kind::Machine => "machine",
            Kind::Disk => "disk",
            Kind::Attachment => "disk attachment",
            Kind::PublicAddress => "public address",
            Kind::LoadBalancer => "load balancer",
            Kind::KubernetesCluster => "Kubernetes cluster",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a cloud is asked for only once: 32 hexadecimal digits of SHA-256 over the plan's SHA-256 and the step.
///
/// The run is not in it. A second run of the same plan therefore finds what the first made and adopts it, instead of
/// making it again or stumbling over its name. Thirty-two digits fit the client tokens of every large cloud.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdempotencyKey(pub String);

impl IdempotencyKey {
    /// The key of a step of a plan.
    pub fn new(plan_sha256: &str, step: &StepId) -> IdempotencyKey {
        let mut digest = sha256(format!("{plan_sha256}\n{step}").as_bytes());
        digest.truncate(32);
        IdempotencyKey(digest)
    }
}

/// Who made a resource; written on it as tags, so that nothing that a run made can be lost sight of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ownership {
    /// The run that made it.
    pub run: RunId,
    /// The step of the plan it is for.
    pub step: StepId,
    /// What makes repeating the call harmless.
    pub key: IdempotencyKey,
}

impl Ownership {
    /// Name of the tag with the run.
    pub const TAG_RUN: &'static str = "carafe-run";
    /// Name of the tag with the step.
    pub const TAG_STEP: &'static str = "carafe-step";
    /// Name of the tag with the idempotency key.
    pub const TAG_KEY: &'static str = "carafe-key";

    /// The tags that say so on a resource.
    pub fn tags(&self) -> [(&'static str, &str); 3] {
        [
            (Ownership::TAG_RUN, self.run.as_str()),
            (Ownership::TAG_STEP, self.step.as_str()),
            (Ownership::TAG_KEY, self.key.0.as_str()),
        ]
    }
}

/// What shall exist, where, and for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The provider it is asked of.
    pub provider: ProviderName,
    /// The region it shall be in.
    pub region: RegionName,
    /// What kind of resource it is.
    pub kind: Kind,
    /// The desired resource: an action that has a [`Kind`].
    pub action: Action,
    /// Who it belongs to once it is made.
    pub owner: Ownership,
}

impl Target {
    /// What a step of a plan asks for in a run; `None` for what makes no resource.
    pub fn new(step: &Step, run: &RunId, key: IdempotencyKey) -> Option<Target> {
        Some(Target {
            provider: step.provider.clone(),
            region: step.region.clone(),
            kind: Kind::of(&step.action)?,
            action: step.action.clone(),
            owner: Ownership { run: run.clone(), step: step.id.clone(), key },
        })
    }

    /// The name of the resource, unique in its provider, region and kind.
    pub fn name(&self) -> &str {
        self.action.name()
    }
}

/// Something that exists in a cloud.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// What the cloud calls it.
    pub id: String,
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// Who made it; absent when its tags do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Ownership>,
    /// Whether it can be used.
    pub status: Status,
}

/// Whether a resource can be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Not yet; observe again.
    Creating,
    /// Now.
    Ready,
    /// Never: the cloud gave up on it, and says this.
    Broken(String),
}

/// What was read about a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observed {
    /// What exists under its name.
    pub resource: Resource,
    /// How it differs from what is wanted, in sentences without a full stop; empty when it does not.
    pub differences: Vec<String>,
}

/// How a target came to exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// This call made it.
    Made(Resource),
    /// Another run or a person made it before; it stays theirs.
    Adopted(Resource),
    /// An earlier call of the same run made it.
    AlreadyThere(Resource),
}

impl Outcome {
    /// The resource, however it came to exist.
    pub const fn resource(&self) -> &Resource {
        match self {
            Outcome::Made(resource) | Outcome::Adopted(resource) | Outcome::AlreadyThere(resource) => {
                resource
            }
        }
    }
}

/// What removing came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// This call removed it.
    Removed,
    /// There was nothing to remove.
    Absent,
    /// What bears the name belongs to somebody else and was left.
    NotOurs,
}

/// Whether a driver makes a kind of resource itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ability {
    /// It makes and removes it.
    Makes,
    /// The cloud has no call to make it; it takes over what a person made under the right name.
    Adopts,
}

/// What a driver can do; a kind that is absent it cannot do at all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Capabilities {
    /// By kind of resource.
    pub kinds: BTreeMap<Kind, Ability>,
}

impl Capabilities {
    /// What can be done about a kind; `None` for nothing.
    pub fn of(&self, kind: Kind) -> Option<Ability> {
        self.kinds.get(&kind).copied()
    }
}

/// What a driver found out about its connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Access {
    /// The account or project, as the cloud names it; absent when the cloud does not say.
    pub account: Option<String>,
    /// Regions it may work in, sorted; absent when the cloud does not say.
    pub regions: Option<Vec<RegionName>>,
    /// What to know before relying on it, in sentences without a full stop, for example a capability that is missing.
    pub warnings: Vec<String>,
}

/// For how much a region sells an instance type just now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Sale {
    /// How many more it has; absent when the cloud does not say.
    pub free: Option<u64>,
    /// What an hour costs, by term, for example `on-demand`; absent terms are not told.
    pub hourly: BTreeMap<String, Rate>,
    /// In which currency; absent when no rate is told.
    pub currency: Option<Currency>,
}

/// How many of a kind an account may have in a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Quota {
    /// At most so many.
    pub limit: u64,
    /// So many exist, whoever made them.
    pub used: u64,
}

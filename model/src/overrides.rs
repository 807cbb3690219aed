//! What a person changed of an estate that was imported, kept apart from it, so that it holds when the estate is imported
//! again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::document::Document;
use crate::estate::Endpoint;
use crate::ids::{AppId, ClusterId, HostId, LoadBalancerId};

/// All changes; the document `overrides/1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Overrides {
    /// Kind and version of this document: `overrides/1`.
    pub carafe: String,
    /// Changes, in any order.
    pub changes: Vec<Override>,
}

impl Document for Overrides {
    const KIND: &'static str = "overrides";
    const VERSION: u32 = 1;
}

/// One change: of a field of a thing, or of a whole thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Override {
    /// What is changed.
    pub target: Target,
    /// Which of its fields, as the estate calls it, or `labels/NAME` for one label of a host. Absent when the whole thing
    /// is added or taken out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What the import said when the change was made; absent where it said nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<Value>,
    /// What holds instead; absent where the field or the thing is taken out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub now: Option<Value>,
    /// Why, in the words of whoever changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
}

/// A part of an estate that can be changed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The estate itself: its fields `name` and `today`.
    Estate,
    /// A host.
    Host(HostId),
    /// An app.
    App(AppId),
    /// A load balancer.
    LoadBalancer(LoadBalancerId),
    /// A Kubernetes cluster.
    Cluster(ClusterId),
    /// A flow.
    Flow(FlowEnds),
}

/// What tells a flow from others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowEnds {
    /// Who opens the connection.
    pub from: Endpoint,
    /// Who is connected to.
    pub to: Endpoint,
    /// Its protocol, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol: Option<String>,
    /// Its port, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
}

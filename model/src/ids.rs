//! The names people and clouds give to things, one type each, so that they cannot be mixed up.

use std::borrow::Borrow;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

macro_rules! names {
    ($($(#[$doc:meta])* $type:ident),* $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $type(pub String);

        impl $type {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
        impl From<&str> for $type {
            fn from(text: &str) -> $type {
                $type(text.to_owned())
            }
        }
        impl From<String> for $type {
            fn from(text: String) -> $type {
                $type(text)
            }
        }
        impl Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    )*};
}

names! {
    /// A host, unique in its estate. Importers use the host name, with a suffix where it is taken.
    HostId,
    /// An app: a group of hosts that moves together.
    AppId,
    /// A load balancer, unique in its estate.
    LoadBalancerId,
    /// A Kubernetes cluster, unique in its estate.
    ClusterId,
    /// A provider, in the words of the catalog: `aws`, `ncp`, or a rate card's own.
    ProviderName,
    /// A region as its provider writes it, for example `ap-northeast-2`; unique only within the provider.
    RegionName,
    /// A step, unique in its plan.
    StepId,
    /// Where a figure of the bill comes from: `provider/region/what/term`, unique in its snapshot.
    RateId,
}

//! What a server says about a connection config before anything is asked of the cloud.

use std::collections::BTreeSet;

use serde_json::Value;

use super::clouds::{Cloud, Networks};
use super::shape::{flag, rows, text};
use super::{PATHS, Spider};
use crate::drivers::{Ability, DriverError, ErrorKind, Kind};

/// A class of data disks and its sizes in GB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DiskClass {
    pub(super) name: String,
    pub(super) smallest: u64,
    pub(super) largest: u64,
}

/// Read once, when a connection is first used.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// The cloud's name of the region.
    pub(super) region: String,
    /// Spider's name of the credential.
    pub(super) credential: String,
    /// Types of resources that bear tags.
    pub(super) tags: BTreeSet<String>,
    /// Classes of data disks; empty when Spider does not know them.
    pub(super) disks: Vec<DiskClass>,
    capability: Value,
}

impl Spider {
    /// Reads them, or remembers them. What cannot be read is asked for again by the next call.
    pub(super) async fn facts(&self) -> Result<&Facts, DriverError> {
        self.facts.get_or_try_init(|| self.read_facts()).await
    }

    async fn read_facts(&self) -> Result<Facts, DriverError> {
        let (api, connection) = (&self.session.api, &self.session.connection);
        let config = api.read(&["connectionconfig", connection]).await.map_err(|error| match error.kind {
            ErrorKind::NotFound => {
                let what = format!("CB-Spider at {} has no connection config \"{connection}\"", api.host());
                ErrorKind::NotFound.because(what)
            }
            _ => error,
        })?;
        let provider = text(&config, "ProviderName");
        if !provider.eq_ignore_ascii_case(self.cloud.spider) {
            let what = format!(
                "connection config \"{connection}\" is for {provider}, and the connection says cloud = \"{}\"",
                self.cloud.spider
            );
            return Err(ErrorKind::Invalid.because(what));
        }
        let region = api.read(&["region", text(&config, "RegionName")]).await?;
        let region =
            rows(&region, "KeyValueInfoList").find(|pair| text(pair, "Key").eq_ignore_ascii_case("region"));
        let capability = self.session.get(&["driver", "capability"]).await?;
        let sizes = api.read(&["cloudos", "metainfo", self.cloud.spider]).await?;
        Ok(Facts {
            region: region.map(|pair| text(pair, "Value")).unwrap_or_default().to_owned(),
            credential: text(&config, "CredentialName").to_owned(),
            tags: rows(&capability, "TagSupportResourceType")
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect(),
            disks: rows(&sizes, "DiskSize").filter_map(Value::as_str).filter_map(disk_class).collect(),
            capability,
        })
    }
}

/// Reads `SSD|100|16380|GB`.
fn disk_class(entry: &str) -> Option<DiskClass> {
    let mut parts = entry.split('|').map(str::trim);
    let (name, smallest, largest) = (parts.next()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    (!name.is_empty()).then(|| DiskClass { name: name.to_owned(), smallest, largest })
}

/// The flag in a capability that tells whether a kind can be made.
const FLAGS: &[(Kind, &str)] = &[
    (Kind::Network, "VPCHandler"),
    (Kind::Subnet, "VPCHandler"),
    (Kind::SecurityGroup, "SecurityHandler"),
    (Kind::KeyPair, "KeyPairHandler"),
    (Kind::Machine, "VMHandler"),
    (Kind::Disk, "DiskHandler"),
    (Kind::Attachment, "DiskHandler"),
    (Kind::LoadBalancer, "NLBHandler"),
    (Kind::KubernetesCluster, "ClusterHandler"),
];

impl Facts {
    /// Whether the server says that it can do nothing about a kind.
    pub(super) fn lacks(&self, kind: Kind) -> bool {
        let flag_of = FLAGS.iter().find(|(found, _)| *found == kind).map(|(_, flag)| *flag);
        flag_of.is_some_and(|name| flag(&self.capability, name) == Some(false))
    }

    /// Whether the server can read prices of this cloud.
    pub(super) fn has_prices(&self) -> bool {
        flag(&self.capability, "PriceInfoHandler") == Some(true)
    }

    /// Whether a kind's resources bear tags; the others are told apart by their names.
    pub(super) fn tagged(&self, kind: Kind) -> bool {
        let tag = match kind {
            Kind::Subnet => Some("subnet"),
            Kind::Attachment => Some("disk"),
            _ => PATHS.iter().find(|path| path.kind == kind).map(|path| path.tag),
        };
        tag.is_some_and(|tag| self.tags.contains(tag))
    }

    /// What to know about the connection.
    pub(super) fn warnings(&self, cloud: &Cloud, has_keys: bool) -> Vec<String> {
        let mut warnings = Vec::new();
        let makes = cloud.capabilities();
        for kind in Kind::ALL {
            if makes.of(kind) == Some(Ability::Makes) && self.lacks(kind) {
                warnings.push(format!("this server cannot make a {}", kind.words()));
            }
        }
        let by_name: Vec<&str> = Kind::ALL
            .into_iter()
            .filter(|kind| makes.of(*kind) == Some(Ability::Makes) && !self.tagged(*kind))
            .map(Kind::words)
            .collect();
        if !by_name.is_empty() {
            let what = "bear no tags here, so their names in CB-Spider say which run made them";
            warnings.push(format!("resources of kind {} {what}", by_name.join(", ")));
        }
        if cloud.networks == Networks::One {
            warnings.push("this cloud has one network, which is registered and never removed".to_owned());
        }
        if !has_keys {
            warnings
                .push("no folder for private keys is named (keys), so no key pair can be made".to_owned());
        }
        warnings
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_disks_are_read_from_spider_s_texts() {
        let class =
            |name: &str, smallest, largest| Some(DiskClass { name: name.to_owned(), smallest, largest });
        assert_eq!(disk_class("SSD|100|16380|GB"), class("SSD", 100, 16380));
        for text in ["", "SSD", "SSD|a|b|GB", "|1|2|GB", "SSD|1"] {
            assert_eq!(disk_class(text), None, "{text}");
        }
    }
}

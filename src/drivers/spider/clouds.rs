//! The clouds behind CB-Spider, and where they differ in ways that no answer of Spider tells beforehand.
//!
//! Facts are those of Spider 0.13 and its drivers. What Spider tells itself (capabilities, sizes of disks) is read there.

use crate::drivers::matrix::{Feature, Proof, Support};
use crate::drivers::{Ability, Capabilities, Kind};

/// How a cloud comes by its network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Networks {
    /// As many as are asked for, with addresses of their own.
    Makes,
    /// As many as are asked for; only their subnets have addresses.
    WithoutAddresses,
    /// One that is there already and is registered.
    One,
}

/// How a cloud makes a cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Clusters {
    /// It has none.
    None,
    /// Its nodes are asked for with it.
    WithNodes,
    /// Its nodes are asked for when it is active.
    NodesAfter,
}

/// A cloud behind Spider.
#[derive(Debug)]
pub(super) struct Cloud {
    /// As Spider names it.
    pub(super) spider: &'static str,
    /// As plans name it.
    pub(super) provider: &'static str,
    pub(super) networks: Networks,
    pub(super) load_balancers: bool,
    pub(super) clusters: Clusters,
    /// Whether a zone may be named.
    pub(super) zones: bool,
    /// Whether a tag's value may hold a slash.
    pub(super) slash_in_tags: bool,
}

const fn cloud(spider: &'static str, provider: &'static str) -> Cloud {
    Cloud {
        spider,
        provider,
        networks: Networks::Makes,
        load_balancers: true,
        clusters: Clusters::WithNodes,
        zones: true,
        slash_in_tags: false,
    }
}

/// Every cloud that a connection may name.
pub(super) const CLOUDS: &[Cloud] = &[
    Cloud { clusters: Clusters::NodesAfter, slash_in_tags: true, ..cloud("AWS", "aws") },
    Cloud { slash_in_tags: true, ..cloud("AZURE", "azure") },
    Cloud { networks: Networks::WithoutAddresses, ..cloud("GCP", "gcp") },
    Cloud { clusters: Clusters::NodesAfter, slash_in_tags: true, ..cloud("ALIBABA", "alibaba") },
    Cloud { clusters: Clusters::NodesAfter, ..cloud("TENCENT", "tencent") },
    Cloud { networks: Networks::WithoutAddresses, ..cloud("IBM", "ibm") },
    Cloud { load_balancers: false, clusters: Clusters::None, ..cloud("ORACLE", "oci") },
    Cloud {
        networks: Networks::WithoutAddresses,
        clusters: Clusters::None,
        ..cloud("OPENSTACK", "openstack")
    },
    cloud("NCP", "ncp"),
    cloud("NHN", "nhn"),
    Cloud { networks: Networks::One, clusters: Clusters::None, zones: false, ..cloud("KT", "kt") },
    Cloud { clusters: Clusters::None, zones: false, ..cloud("KTCLASSIC", "kt-classic") },
    Cloud { slash_in_tags: true, ..cloud("MOCK", "mock") },
];

impl Cloud {
    /// The cloud that a connection names, as Spider or as plans do.
    pub(super) fn of(name: &str) -> Option<&'static Cloud> {
        CLOUDS.iter().find(|cloud| cloud.spider.eq_ignore_ascii_case(name) || cloud.provider == name)
    }

    /// What can be made on it.
    ///
    /// Spider gives every machine its public address when it makes the machine, and has no other way to give one that all
    /// clouds share: a public address is there or not, and is taken as it is.
    pub(super) fn capabilities(&self) -> Capabilities {
        let ability = |kind| match kind {
            Kind::Network if self.networks == Networks::One => Some(Ability::Adopts),
            Kind::PublicAddress => Some(Ability::Adopts),
            Kind::LoadBalancer => self.load_balancers.then_some(Ability::Makes),
            Kind::KubernetesCluster => (self.clusters != Clusters::None).then_some(Ability::Makes),
            Kind::Network
            | Kind::Subnet
            | Kind::SecurityGroup
            | Kind::KeyPair
            | Kind::Machine
            | Kind::Disk
            | Kind::Attachment => Some(Ability::Makes),
        };
        Capabilities {
            kinds: Kind::ALL.into_iter().filter_map(|kind| Some((kind, ability(kind)?))).collect(),
        }
    }
}

use Feature::{
    Disk, Image, KeyPair, Kubernetes, LoadBalancer, Machine, Network, Price, PublicAddress, RegionZone,
    SecurityGroup, Spec, Tags,
};
const D: Proof = Proof::Documented;
const E: Proof = Proof::Emulator;

/// What every cloud behind Spider has, with how it is known; further features follow it.
macro_rules! features {
    ($proof:expr $(, $more:expr)*) => {
        &[
            (RegionZone, $proof), (Image, $proof), (Spec, $proof), (Network, $proof), (SecurityGroup, $proof),
            (KeyPair, $proof), (Machine, $proof), (Disk, $proof), (PublicAddress, $proof) $(, ($more, $proof))*
        ]
    };
}

const fn support(provider: &'static str, features: &'static [(Feature, Proof)]) -> Support {
    Support { provider, features }
}

/// Which clouds are served. MOCK is Spider's own cloud in memory: the real server, an emulated cloud.
pub(super) const SUPPORT: &[Support] = &[
    support("aws", features!(D, Price, LoadBalancer, Kubernetes, Tags)),
    support("azure", features!(D, Price, LoadBalancer, Kubernetes, Tags)),
    support("gcp", features!(D, Price, LoadBalancer, Kubernetes, Tags)),
    support("alibaba", features!(D, Price, LoadBalancer, Kubernetes, Tags)),
    support("tencent", features!(D, Price, LoadBalancer, Kubernetes, Tags)),
    support("ibm", features!(D, Price, LoadBalancer, Kubernetes, Tags)),
    support("oci", features!(D, Tags)),
    // What only reads was seen on an OpenStack of Debian 12; nothing was made there through Spider.
    support(
        "openstack",
        &[
            (RegionZone, Proof::RealService),
            (Image, Proof::RealService),
            (Spec, Proof::RealService),
            (Network, D),
            (SecurityGroup, D),
            (KeyPair, D),
            (Machine, D),
            (Disk, D),
            (PublicAddress, D),
            (LoadBalancer, D),
            (Tags, D),
        ],
    ),
    support("ncp", features!(D, Price, LoadBalancer, Kubernetes)),
    support("nhn", features!(D, LoadBalancer, Kubernetes)),
    support("kt", features!(D, LoadBalancer)),
    support("kt-classic", features!(D, LoadBalancer, Tags)),
    support("mock", features!(E, LoadBalancer, Kubernetes, Tags)),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_declared_is_what_can_be_made() {
        for cloud in CLOUDS {
            let support =
                SUPPORT.iter().find(|support| support.provider == cloud.provider).expect(cloud.spider);
            let kinds = cloud.capabilities();
            for (kind, feature) in [
                (Kind::Network, Network),
                (Kind::LoadBalancer, LoadBalancer),
                (Kind::KubernetesCluster, Kubernetes),
                (Kind::PublicAddress, PublicAddress),
            ] {
                assert_eq!(
                    kinds.of(kind).is_some(),
                    support.proof(feature).is_some(),
                    "{}: {kind}",
                    cloud.spider
                );
            }
            assert_eq!(Cloud::of(cloud.provider).map(|found| found.spider), Some(cloud.spider));
            assert_eq!(Cloud::of(&cloud.spider.to_lowercase()).map(|found| found.spider), Some(cloud.spider));
        }
        assert_eq!(SUPPORT.len(), CLOUDS.len());
        assert!(Cloud::of("nowhere").is_none());
    }
}

//! AWS at first hand: EC2, Elastic Load Balancing and EKS, asked over the one HTTP client.
//!
//! Tags say whose something is; every call that makes something writes them. AWS knows client tokens for some of these
//! calls and unique names for others; networks, subnets and addresses have neither. Everything is therefore looked for
//! before it is made, and again after: of twins, which two calls at the same time may leave, the younger goes. Where a
//! resource has parts, what lacks one counts as not there yet, so that making it again completes it. `credentials` finds
//! who asks, `sign` proves it, `client` keeps both together and `fault` understands refusals; `site` is one region, and
//! then there is one file for each kind of resource.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use carafe_inventory::xml::Element;
use carafe_model::host::OsFamily;
use carafe_model::ids::{ProviderName, RegionName};
use carafe_model::steps::Action;

use super::connections::{Setting, SettingKind, Settings};
use super::images::Named;
use super::matrix::{Feature, Proof, Support};
use super::{
    Ability, Access, Capabilities, Driver, DriverEntry, DriverError, ErrorKind, IdempotencyKey, Kind,
    Observed, Outcome, Quota, Removal, Reply, Resource, Sale, Target,
};
use crate::run_id::RunId;

mod addresses;
mod balancers;
mod capacity;
mod check;
mod client;
mod clusters;
mod credentials;
mod fault;
mod images;
#[cfg(test)]
mod loopback;
mod machines;
mod networks;
mod owner;
mod security;
mod sign;
mod site;
mod volumes;
pub mod xml;

pub use client::{Api, Client, EC2, ELB, Query, STS};

use capacity::MachineType;
use site::{Found, Site};

/// How long something that is being removed is left alone before it is asked for again.
const AFTER_LEAVING: Duration = Duration::from_secs(3);
/// How long after it was made something may take to be shown.
const UNTIL_SHOWN: [Duration; 5] = [
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(3),
    Duration::from_secs(5),
];
/// The region that is asked which others there are, where the connection names none.
const FIRST_REGION: &str = "us-east-1";

/// The driver `aws` in the list of drivers.
pub const ENTRY: DriverEntry = DriverEntry {
    name: "aws",
    summary: "Amazon Web Services, through its own APIs",
    settings: &[
        Setting {
            identifies: true,
            ..may(
                "profile",
                TEXT,
                "a profile of ~/.aws; without it and a key the environment, the default profile, and what a container \
                 or machine of AWS has of its own, as for AWS's own tools",
            )
        },
        Setting { identifies: true, ..may("access_key_id", TEXT, "an access key, in place of a profile") },
        may("secret_access_key", SettingKind::Secret, "its secret"),
        may("session_token", SettingKind::Secret, "its token, where it is a temporary one"),
        Setting {
            identifies: true,
            ..may("region_name", TEXT, "the region as AWS calls it; as the plan calls it without this")
        },
        Setting {
            identifies: true,
            ..may("endpoint", TEXT, "where all services are, for something that stands in for AWS")
        },
        may("zone", TEXT, "the zone of what a plan puts into none; the first of the region without it"),
        may(
            "public_key",
            SettingKind::File,
            "the public key, as OpenSSH writes it, that key pairs are made of",
        ),
        may("cluster_role", TEXT, "the role that Kubernetes clusters work with, by its ARN"),
        may("node_role", TEXT, "the role that their nodes work with, by its ARN"),
        may(
            "images",
            TEXT,
            "images named by hand, by name or id, for example \"ubuntu 22.04=ami-0123456789abcdef0\"",
        ),
    ],
    support: &[Support {
        provider: "aws",
        features: &[
            (Feature::RegionZone, Proof::Emulator),
            (Feature::Image, Proof::Emulator),
            (Feature::Spec, Proof::Emulator),
            (Feature::Network, Proof::Emulator),
            (Feature::SecurityGroup, Proof::Emulator),
            (Feature::KeyPair, Proof::Emulator),
            (Feature::Machine, Proof::Emulator),
            (Feature::Disk, Proof::Emulator),
            (Feature::PublicAddress, Proof::Emulator),
            (Feature::LoadBalancer, Proof::Emulator),
            (Feature::Kubernetes, Proof::Emulator),
            (Feature::Tags, Proof::Emulator),
        ],
    }],
    open,
};

const TEXT: SettingKind = SettingKind::Text;

const fn may(name: &'static str, kind: SettingKind, summary: &'static str) -> Setting {
    Setting { name, kind, required: false, identifies: false, summary }
}

fn open(settings: &Settings) -> Result<Arc<dyn Driver>, DriverError> {
    let text = |name: &str| settings.text(name).map(str::to_owned);
    Ok(Arc::new(Aws {
        client: Client::open(settings, &crate::settings::variable)?,
        capabilities: Capabilities { kinds: Kind::ALL.map(|kind| (kind, Ability::Makes)).into() },
        region_name: text("region_name"),
        zone: text("zone"),
        public_key: settings.file("public_key").cloned(),
        cluster_role: text("cluster_role"),
        node_role: text("node_role"),
        named: Named::parse(settings.text("images").unwrap_or_default())?,
        cache: Mutex::default(),
        making: Mutex::default(),
    }))
}

/// One account of AWS, in all its regions.
struct Aws {
    client: Client,
    capabilities: Capabilities,
    region_name: Option<String>,
    zone: Option<String>,
    public_key: Option<PathBuf>,
    cluster_role: Option<String>,
    node_role: Option<String>,
    named: Named,
    cache: Mutex<Cache>,
    /// Who makes something just now: one call at a time for each key.
    making: Mutex<BTreeMap<IdempotencyKey, Arc<tokio::sync::Mutex<()>>>>,
}

/// What does not change while a plan is carried out, by region.
#[derive(Default)]
struct Cache {
    zones: BTreeMap<String, Vec<String>>,
    images: BTreeMap<(String, &'static str, &'static str), Vec<Element>>,
    types: BTreeMap<(String, String), MachineType>,
}

impl Aws {
    fn site(&self, region: &RegionName) -> Site<'_> {
        Site { cloud: self, region: self.region_name.clone().unwrap_or_else(|| region.as_str().to_owned()) }
    }

    fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().expect("nothing panics while it holds the cache")
    }

    /// Waits until no other call of this process makes the same.
    fn turn(&self, key: &IdempotencyKey) -> Arc<tokio::sync::Mutex<()>> {
        let mut making = self.making.lock().expect("nothing panics while it holds the turns");
        making.retain(|_, turn| Arc::strong_count(turn) > 1);
        making.entry(key.clone()).or_default().clone()
    }

    async fn ensure_it(&self, target: &Target) -> Result<Outcome, DriverError> {
        let turn = self.turn(&target.owner.key);
        let _turn = turn.lock().await;
        let site = self.site(&target.region);
        if let Some(found) = site.find(target).await? {
            return site.judge(target, found).await;
        }
        if let Some(refusal) = site.refusals(target).await?.into_iter().next() {
            return Err(refusal);
        }
        match site.make(target).await {
            Ok(()) => {}
            // Somebody was faster, perhaps this very call delivered twice.
            Err(error) if error.kind == ErrorKind::Conflict => {
                return match site.find(target).await? {
                    Some(found) => site.judge(target, found).await,
                    None => Err(error),
                };
            }
            Err(error) => return Err(error),
        }
        // Whatever goes wrong from here on, something was made.
        let unknown = |error: DriverError| ErrorKind::Unknown.because(error.message);
        let made = site.settle(target).await.map_err(unknown)?;
        Ok(Outcome::Made(made.resource(target.kind)))
    }

    async fn observe_it(&self, target: &Target) -> Result<Option<Observed>, DriverError> {
        let site = self.site(&target.region);
        let Some(found) = site.find(target).await? else { return Ok(None) };
        if found.is_for(&target.owner) && (!found.complete || found.leaving) {
            return Ok(None);
        }
        let differences = site.differences(target, &found).await?;
        Ok(Some(Observed { resource: found.resource(target.kind), differences }))
    }

    async fn check_it(&self, target: &Target) -> Result<Vec<DriverError>, DriverError> {
        let site = self.site(&target.region);
        match site.find(target).await? {
            Some(_) => Ok(Vec::new()),
            None => site.refusals(target).await,
        }
    }

    async fn remove_it(&self, target: &Target) -> Result<Removal, DriverError> {
        let site = self.site(&target.region);
        let all = site.candidates(target.kind, Some(target.name()), Some(target)).await?;
        let ours = |found: &&Found| {
            found.is_for(&target.owner)
                && found.owner.as_ref().is_some_and(|owner| owner.run == target.owner.run)
        };
        let mut removal = if all.is_empty() { Removal::Absent } else { Removal::NotOurs };
        for found in all.iter().filter(ours) {
            site.clear(target.kind, found).await?;
            removal = Removal::Removed;
        }
        Ok(removal)
    }

    async fn access_it(&self) -> Result<Access, DriverError> {
        let asked = self.region_name.as_deref().unwrap_or(FIRST_REGION);
        let who = self.client.call(asked, STS, "GetCallerIdentity", &Query::new()).await?;
        let account = who.path_text("GetCallerIdentityResult/Account").map(str::to_owned);
        let listed = self.client.all(asked, "DescribeRegions", &Query::new(), "regionInfo").await?;
        let usable = listed.iter().filter(|region| xml::text(region, "optInStatus") != "not-opted-in");
        let mut regions: Vec<RegionName> =
            usable.map(|region| RegionName::from(xml::text(region, "regionName"))).collect();
        regions.sort();
        let mut warnings = Vec::new();
        if self.public_key.is_none() {
            warnings.push("no key pair can be made without the setting \"public_key\"".to_owned());
        }
        if self.cluster_role.is_none() || self.node_role.is_none() {
            let what =
                "no Kubernetes cluster can be made without the settings \"cluster_role\" and \"node_role\"";
            warnings.push(what.to_owned());
        }
        let regions = if self.region_name.is_some() { None } else { Some(regions) };
        Ok(Access { account, regions, warnings })
    }

    async fn list_in(&self, region: &RegionName, run: Option<&RunId>) -> Result<Vec<Resource>, DriverError> {
        let site = self.site(region);
        let mut listed = Vec::new();
        for kind in Kind::ALL {
            let found = site.candidates(kind, None, None).await?;
            listed.extend(found.iter().map(|found| found.resource(kind)));
        }
        listed.retain(|found| {
            found.owner.as_ref().is_some_and(|owner| run.is_none_or(|run| owner.run == *run))
        });
        listed.sort_by(|a, b| (a.kind, &a.name, &a.id).cmp(&(b.kind, &b.name, &b.id)));
        Ok(listed)
    }

    async fn discard_it(&self, region: &RegionName, listed: &Resource) -> Result<Removal, DriverError> {
        let site = self.site(region);
        let all = site.candidates(listed.kind, None, None).await?;
        let Some(found) = all.into_iter().find(|found| found.id == listed.id) else {
            return Ok(Removal::Absent);
        };
        if found.owner != listed.owner {
            return Ok(Removal::NotOurs);
        }
        site.clear(listed.kind, &found).await?;
        Ok(Removal::Removed)
    }
}

impl Found {
    fn resource(&self, kind: Kind) -> Resource {
        Resource {
            id: self.id.clone(),
            kind,
            name: self.name.clone(),
            owner: self.owner.clone(),
            status: self.status.clone(),
        }
    }
}

impl Site<'_> {
    /// What there is of a kind, of a name or all. An attachment is found by its target only.
    async fn candidates(
        &self,
        kind: Kind,
        name: Option<&str>,
        target: Option<&Target>,
    ) -> Result<Vec<Found>, DriverError> {
        match kind {
            Kind::Network => self.networks(name).await,
            Kind::Subnet => self.subnets(name).await,
            Kind::SecurityGroup => self.groups(name).await,
            Kind::KeyPair => self.key_pairs(name).await,
            Kind::Machine => self.machines(name).await,
            Kind::Disk => self.volumes(name).await,
            Kind::Attachment => self.attachments(target).await,
            Kind::PublicAddress => self.addresses(name).await,
            Kind::LoadBalancer => self.balancers(name).await,
            Kind::KubernetesCluster => self.clusters(name).await,
        }
    }

    /// What bears the name of a target: of its key first, and then of its run; the oldest of equals.
    async fn find(&self, target: &Target) -> Result<Option<Found>, DriverError> {
        let mut all = self.candidates(target.kind, Some(target.name()), Some(target)).await?;
        all.sort_by_key(|found| {
            let run = found.owner.as_ref().is_some_and(|owner| owner.run == target.owner.run);
            let rank = (found.is_for(&target.owner), run, found.owner.is_some());
            (std::cmp::Reverse(rank), !found.part().is_empty(), found.created.clone(), found.id.clone())
        });
        Ok(all.into_iter().next())
    }

    /// What to say about a resource that bears the target's name already.
    async fn judge(&self, target: &Target, mut found: Found) -> Result<Outcome, DriverError> {
        if !found.is_for(&target.owner) {
            let whose = match &found.owner {
                Some(owner) => format!("belongs to another plan (run {})", owner.run),
                None => "was not made by Carafe".to_owned(),
            };
            let what =
                format!("the name \"{}\" is taken by a {} that {whose}", target.name(), target.kind.words());
            return Err(ErrorKind::Conflict.because(what));
        }
        if found.leaving {
            let what = format!("{} \"{}\" is still being removed", target.kind.words(), target.name());
            return Err(ErrorKind::Throttled { retry_after: AFTER_LEAVING }.because(what));
        }
        if !found.complete {
            self.complete(target, &found).await?;
            found = self.settle(target).await?;
        }
        let differences = self.differences(target, &found).await?;
        if !differences.is_empty() {
            let what =
                format!("{} \"{}\" is there with other settings: ", target.kind.words(), target.name());
            return Err(ErrorKind::Conflict.because(what + &differences.join("; ")));
        }
        let same_run = found.owner.as_ref().is_some_and(|owner| owner.run == target.owner.run);
        let resource = found.resource(target.kind);
        Ok(if same_run { Outcome::AlreadyThere(resource) } else { Outcome::Adopted(resource) })
    }

    /// Finds what was just made, and removes what was made twice at the same time. AWS shows some things a little later.
    async fn settle(&self, target: &Target) -> Result<Found, DriverError> {
        let mut waits = UNTIL_SHOWN.iter();
        loop {
            let mut all = self.candidates(target.kind, Some(target.name()), Some(target)).await?;
            all.retain(|found| found.is_for(&target.owner) && !found.leaving);
            all.sort_by_key(|found| {
                (!found.complete, !found.part().is_empty(), found.created.clone(), found.id.clone())
            });
            let mut all = all.into_iter();
            match (all.next(), waits.next()) {
                (Some(kept), wait) if kept.complete || wait.is_none() => {
                    for twin in all {
                        self.clear(target.kind, &twin).await.map_err(|error| {
                            ErrorKind::Unknown
                                .because(format!("\"{}\" was made twice: {error}", target.name()))
                        })?;
                    }
                    return Ok(kept);
                }
                (_, Some(wait)) => tokio::time::sleep(*wait).await,
                (_, None) => {
                    let what = format!(
                        "{} \"{}\" was made and is not shown yet",
                        target.kind.words(),
                        target.name()
                    );
                    return Err(ErrorKind::Unknown.because(what));
                }
            }
        }
    }

    async fn make(&self, target: &Target) -> Result<(), DriverError> {
        match &target.action {
            Action::Network { cidr, .. } => self.make_network(target, cidr).await,
            Action::Subnet { network, cidr, zone, .. } => {
                let network = self.needed(target, Kind::Network, network).await?;
                self.make_subnet(target, &network, cidr, zone.as_deref()).await
            }
            Action::SecurityGroup { network, rules, .. } => {
                let network = self.needed(target, Kind::Network, network).await?;
                self.make_group(target, &network, rules).await
            }
            Action::KeyPair { .. } => self.make_key_pair(target).await,
            Action::Machine { .. } => self.make_machine(target).await,
            Action::Disk { .. } => self.make_disk(target).await,
            Action::Attachment { disk, machine, .. } => self.attach(target, disk, machine).await,
            Action::PublicAddress { machine, .. } => self.make_address(target, machine).await,
            Action::LoadBalancer { .. } => self.make_balancer(target).await,
            Action::KubernetesCluster { .. } => self.make_cluster(target).await,
            Action::Manual { .. } | Action::Hook { .. } | Action::Check { .. } | Action::Approval { .. } => {
                Err(ErrorKind::Invalid.because("a person or a hook does this, not AWS"))
            }
        }
    }

    /// Makes the parts that something lacks.
    async fn complete(&self, target: &Target, found: &Found) -> Result<(), DriverError> {
        match &target.action {
            Action::Network { cidr, .. } if !found.part().is_empty() => {
                // A gateway without its network goes first: the network makes one of its own.
                self.clear_network(found).await?;
                self.make_network(target, cidr).await
            }
            Action::Network { .. } => self.complete_network(&target.owner, target.name(), &found.id).await,
            Action::SecurityGroup { rules, .. } => self.complete_group(&found.id, rules).await,
            Action::PublicAddress { .. } => self.give_address(target, &found.id).await,
            Action::LoadBalancer { .. } if balancers::is_group(found) => {
                self.clear_balancer(found).await?;
                self.make_balancer(target).await
            }
            Action::LoadBalancer { .. } => self.complete_balancer(target).await,
            Action::KubernetesCluster { .. } if !found.part().is_empty() => self.make_cluster(target).await,
            Action::KubernetesCluster { .. } => self.complete_cluster(target).await,
            Action::Subnet { .. }
            | Action::KeyPair { .. }
            | Action::Machine { .. }
            | Action::Disk { .. }
            | Action::Attachment { .. }
            | Action::Manual { .. }
            | Action::Hook { .. }
            | Action::Check { .. }
            | Action::Approval { .. } => Ok(()),
        }
    }

    async fn differences(&self, target: &Target, found: &Found) -> Result<Vec<String>, DriverError> {
        match &target.action {
            Action::Network { .. } | Action::Subnet { .. } => self.network_differences(target, found).await,
            Action::SecurityGroup { rules, .. } => Ok(security::differences(&found.info, rules)),
            Action::KeyPair { .. } => Ok(self.key_differences(found)),
            Action::Machine { .. } => Ok(Site::machine_differences(target, found)),
            Action::Disk { .. } => Ok(Site::disk_differences(target, found)),
            Action::Attachment { .. } => Ok(found.more.get("elsewhere").cloned().into_iter().collect()),
            Action::PublicAddress { .. } => self.address_differences(target, found).await,
            Action::LoadBalancer { .. } => self.balancer_differences(target, found).await,
            Action::KubernetesCluster { .. } => Ok(Site::cluster_differences(target, found)),
            Action::Manual { .. } | Action::Hook { .. } | Action::Check { .. } | Action::Approval { .. } => {
                Ok(Vec::new())
            }
        }
    }

    /// Removes something, and waits until it is gone.
    async fn clear(&self, kind: Kind, found: &Found) -> Result<(), DriverError> {
        match kind {
            Kind::Network => self.clear_network(found).await,
            Kind::Subnet => self.gone("DeleteSubnet", "SubnetId", &found.id).await,
            Kind::SecurityGroup => self.gone("DeleteSecurityGroup", "GroupId", &found.id).await,
            Kind::KeyPair => self.clear_key_pair(found).await,
            Kind::Machine => self.clear_machine(found).await,
            Kind::Disk => self.clear_disk(found).await,
            Kind::Attachment => self.clear_attachment(found).await,
            Kind::PublicAddress => self.clear_address(found).await,
            Kind::LoadBalancer => self.clear_balancer(found).await,
            Kind::KubernetesCluster => self.clear_cluster(found).await,
        }
    }
}

impl Driver for Aws {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn access(&self) -> Reply<'_, Access> {
        Box::pin(self.access_it())
    }

    fn ensure<'a>(&'a self, target: &'a Target) -> Reply<'a, Outcome> {
        Box::pin(self.ensure_it(target))
    }

    fn observe<'a>(&'a self, target: &'a Target) -> Reply<'a, Option<Observed>> {
        Box::pin(self.observe_it(target))
    }

    fn remove<'a>(&'a self, target: &'a Target) -> Reply<'a, Removal> {
        Box::pin(self.remove_it(target))
    }

    fn list<'a>(
        &'a self,
        _: &'a ProviderName,
        region: &'a RegionName,
        run: Option<&'a RunId>,
    ) -> Reply<'a, Vec<Resource>> {
        Box::pin(self.list_in(region, run))
    }

    fn check<'a>(&'a self, target: &'a Target) -> Reply<'a, Vec<DriverError>> {
        Box::pin(self.check_it(target))
    }

    fn quotas<'a>(&'a self, _: &'a ProviderName, region: &'a RegionName) -> Reply<'a, BTreeMap<Kind, Quota>> {
        Box::pin(async move { self.site(region).quotas().await })
    }

    fn sales<'a>(
        &'a self,
        _: &'a ProviderName,
        region: &'a RegionName,
        types: &'a [String],
    ) -> Reply<'a, BTreeMap<String, Sale>> {
        Box::pin(async move { self.site(region).sales(types).await })
    }

    // AWS brings licences along with its images and counts none.
    fn licences<'a>(
        &'a self,
        _: &'a ProviderName,
        _: &'a RegionName,
    ) -> Reply<'a, BTreeMap<OsFamily, Quota>> {
        Box::pin(std::future::ready(Ok(BTreeMap::new())))
    }

    fn discard<'a>(
        &'a self,
        _: &'a ProviderName,
        region: &'a RegionName,
        resource: &'a Resource,
    ) -> Reply<'a, Removal> {
        Box::pin(self.discard_it(region, resource))
    }
}

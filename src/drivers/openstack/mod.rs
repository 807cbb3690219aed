//! OpenStack at first hand: Keystone, Neutron, Nova, Cinder, Glance, Octavia, and Placement where it may be asked.
//!
//! Names are not unique in OpenStack and it knows no idempotency tokens. What is made therefore bears its key from the
//! moment it exists (`owner`), it is looked for by name and key before it is made, and looked for again after: of twins,
//! which two calls at the same time may leave, the younger goes. Where a resource has parts, what lacks one counts as not
//! there yet, so that making it again completes it. `login` reads who asks, `keystone` keeps the token, `site` asks
//! the services, `fault` understands their refusals; then one file for each service.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use carafe_model::host::OsFamily;
use carafe_model::ids::{ProviderName, RegionName};
use carafe_model::steps::Action;
use serde_json::Value;

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
mod fault;
mod flavors;
mod json;
mod keystone;
mod login;
mod networks;
mod owner;
mod security;
mod servers;
mod shortages;
mod site;
mod volumes;

use flavors::{Flavors, Listed, MachineType};
use keystone::Keystone;
use site::{Found, Service, Site};

/// How long something that is being removed is left alone before it is asked for again.
const AFTER_LEAVING: Duration = Duration::from_secs(3);

/// The driver `openstack` in the list of drivers.
pub const ENTRY: DriverEntry = DriverEntry {
    name: "openstack",
    summary: "OpenStack, from Pike on, through its own APIs",
    settings: &[
        Setting {
            identifies: true,
            ..may("auth_url", TEXT, "Keystone, for example \"https://cloud.example:5000/v3\"")
        },
        may("username", TEXT, "the user"),
        may("user_domain", TEXT, "the user's domain by name; \"Default\" without it"),
        may("password", SettingKind::Secret, "the user's password"),
        Setting { identifies: true, ..may("project", TEXT, "the project to work in, by name") },
        may("project_domain", TEXT, "the project's domain by name; the user's without it"),
        Setting {
            identifies: true,
            ..may(
                "application_credential_id",
                TEXT,
                "an application credential, in place of user, password and project",
            )
        },
        may("application_credential_secret", SettingKind::Secret, "its secret"),
        Setting {
            identifies: true,
            ..may(
                "clouds_file",
                SettingKind::File,
                "a clouds.yaml, in place of the settings above; a secure.yaml beside it is read too",
            )
        },
        Setting {
            identifies: true,
            ..may("cloud", TEXT, "which cloud of the clouds.yaml; the only one without it")
        },
        Setting {
            identifies: true,
            ..may("region_name", TEXT, "the region in the catalogue; as the plan calls it without this")
        },
        may("interface", TEXT, "which addresses of the catalogue: public (without it), internal or admin"),
        may(
            "external_network",
            TEXT,
            "the network that public addresses are of, by name or id; the default or only one without it",
        ),
        may(
            "public_key",
            SettingKind::File,
            "the public key, as OpenSSH writes it, that key pairs are made of",
        ),
        may(
            "flavors",
            TEXT,
            "what to do without a flavor of the instance type's name: \"by-name\" refuses (without it), \"by-size\" takes \
             the smallest that offers enough, \"create\" makes one",
        ),
        may(
            "images",
            TEXT,
            "images named by hand, by name or id, for example \"ubuntu 22.04=jammy, windows=win-2022\"",
        ),
    ],
    support: &[Support {
        provider: "openstack",
        features: &[
            (Feature::RegionZone, Proof::RealService),
            (Feature::Image, Proof::RealService),
            (Feature::Spec, Proof::RealService),
            (Feature::Network, Proof::RealService),
            (Feature::SecurityGroup, Proof::RealService),
            (Feature::KeyPair, Proof::RealService),
            (Feature::Machine, Proof::RealService),
            (Feature::Disk, Proof::RealService),
            (Feature::PublicAddress, Proof::RealService),
            (Feature::LoadBalancer, Proof::RealService),
            (Feature::Tags, Proof::RealService),
        ],
    }],
    open,
};

const TEXT: SettingKind = SettingKind::Text;

const fn may(name: &'static str, kind: SettingKind, summary: &'static str) -> Setting {
    Setting { name, kind, required: false, identifies: false, summary }
}

fn open(settings: &Settings) -> Result<Arc<dyn Driver>, DriverError> {
    let login::Entry { auth_url, login, region_name, interface } = login::read(settings)?;
    let interface = interface.unwrap_or_else(|| "public".to_owned());
    if !["public", "internal", "admin"].contains(&interface.as_str()) {
        let what = format!("interface = \"{interface}\" is none of public, internal and admin");
        return Err(ErrorKind::Invalid.because(what));
    }
    let makes = |kind: Kind| (kind != Kind::KubernetesCluster).then_some((kind, Ability::Makes));
    Ok(Arc::new(OpenStack {
        keystone: Keystone::new(auth_url, login)?,
        capabilities: Capabilities { kinds: Kind::ALL.into_iter().filter_map(makes).collect() },
        region_name,
        interface,
        external_network: settings.text("external_network").map(str::to_owned),
        public_key: settings.file("public_key").cloned(),
        flavors: Flavors::parse(settings.text("flavors").unwrap_or("by-name"))?,
        named: Named::parse(settings.text("images").unwrap_or_default())?,
        cache: Mutex::default(),
        making: Mutex::default(),
    }))
}

/// One project of one OpenStack, in all its regions.
struct OpenStack {
    keystone: Keystone,
    capabilities: Capabilities,
    region_name: Option<String>,
    interface: String,
    external_network: Option<String>,
    public_key: Option<PathBuf>,
    flavors: Flavors,
    named: Named,
    cache: Mutex<Cache>,
    /// Who makes something just now: one call at a time for each key.
    making: Mutex<BTreeMap<IdempotencyKey, Arc<tokio::sync::Mutex<()>>>>,
}

/// What does not change while a plan is carried out, by region.
#[derive(Default)]
struct Cache {
    nova: BTreeMap<String, u64>,
    flavors: BTreeMap<String, Listed<Vec<MachineType>>>,
    images: BTreeMap<String, Listed<Vec<Value>>>,
}

impl OpenStack {
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
        let token = self.keystone.token().await?;
        let regions = token.regions().into_iter().map(RegionName::from).collect();
        let mut warnings = Vec::new();
        if token.project.is_empty() {
            return Err(ErrorKind::Denied
                .because("the credentials are for no project; name one in the setting \"project\""));
        }
        if self.public_key.is_none() {
            warnings.push("no key pair can be made without the setting \"public_key\"".to_owned());
        }
        let region = self.region_name.as_deref().or(token.regions().first().copied()).map(RegionName::from);
        if let Some(region) = region {
            let site = self.site(&region);
            // Logging in proves nothing about the rest of the catalogue.
            site.nova_version().await?;
            match site.external_network().await {
                Ok(Some(_)) => {}
                Ok(None) => warnings.push("there is no external network, so no public address".to_owned()),
                Err(error) => warnings.push(error.message),
            }
            for (service, lacks) in [(Service::Volume, "disk"), (Service::Balancer, "load balancer")] {
                if !site.has(service).await? {
                    warnings.push(format!("there is no {}, so no {lacks} can be made", service.words()));
                }
            }
        }
        Ok(Access {
            account: Some(token.project_name.clone()),
            regions: if self.region_name.is_some() { None } else { Some(regions) },
            warnings,
        })
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
            Kind::Machine => self.servers(name).await,
            Kind::Disk => self.volumes(name).await,
            Kind::Attachment => Box::pin(self.attachments(target)).await,
            Kind::PublicAddress => self.addresses(name).await,
            Kind::LoadBalancer => self.balancers(name).await,
            Kind::KubernetesCluster => Ok(Vec::new()),
        }
    }

    /// What bears the name of a target: of its key first, and then of its run; the oldest of equals.
    async fn find(&self, target: &Target) -> Result<Option<Found>, DriverError> {
        let mut all = self.candidates(target.kind, Some(target.name()), Some(target)).await?;
        all.sort_by_key(|found| {
            let run = found.owner.as_ref().is_some_and(|owner| owner.run == target.owner.run);
            let rank = (found.is_for(&target.owner), run, found.owner.is_some());
            (std::cmp::Reverse(rank), found.created.clone(), found.id.clone())
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

    /// Finds what was just made, and removes what was made twice at the same time.
    async fn settle(&self, target: &Target) -> Result<Found, DriverError> {
        let mut all = self.candidates(target.kind, Some(target.name()), Some(target)).await?;
        all.retain(|found| found.is_for(&target.owner) && !found.leaving);
        all.sort_by_key(|found| (!found.complete, found.created.clone(), found.id.clone()));
        let mut all = all.into_iter();
        let Some(kept) = all.next() else {
            let what = format!("{} \"{}\" was made and is not shown yet", target.kind.words(), target.name());
            return Err(ErrorKind::Unknown.because(what));
        };
        for twin in all {
            self.clear(target.kind, &twin).await.map_err(|error| {
                ErrorKind::Unknown.because(format!("\"{}\" was made twice: {error}", target.name()))
            })?;
        }
        Ok(kept)
    }

    async fn make(&self, target: &Target) -> Result<(), DriverError> {
        match &target.action {
            Action::Network { cidr, .. } => self.make_network(target, cidr).await,
            Action::Subnet { network, cidr, zone, .. } => {
                let network = self.needed(target, Kind::Network, network).await?;
                self.make_subnet(target, &network, cidr, zone.as_deref()).await
            }
            Action::SecurityGroup { network, rules, .. } => {
                self.needed(target, Kind::Network, network).await?;
                self.make_group(target, rules).await
            }
            Action::KeyPair { .. } => self.make_key_pair(target).await,
            Action::Machine { .. } => self.make_machine(target).await,
            Action::Disk { class, size_gib, .. } => {
                self.make_disk(target, class.as_deref(), size_gib.0).await
            }
            Action::Attachment { disk, machine, .. } => self.attach(target, disk, machine).await,
            Action::PublicAddress { machine, .. } => self.make_address(target, machine).await,
            Action::LoadBalancer { .. } => self.make_balancer(target).await,
            Action::KubernetesCluster { .. }
            | Action::Manual { .. }
            | Action::Hook { .. }
            | Action::Check { .. }
            | Action::Approval { .. } => {
                Err(ErrorKind::Invalid.because(format!("OpenStack makes no {} here", target.kind.words())))
            }
        }
    }

    /// Makes the parts that something lacks.
    async fn complete(&self, target: &Target, found: &Found) -> Result<(), DriverError> {
        match &target.action {
            Action::Network { cidr, .. } if found.more.contains_key("part") => {
                // A router without its network goes first: the network makes one of its own.
                self.clear_network(found).await?;
                self.make_network(target, cidr).await
            }
            Action::Network { .. } => self.complete_network(target).await,
            Action::Subnet { .. } => self.complete_subnet(found).await,
            Action::SecurityGroup { rules, .. } => self.complete_group(found, rules).await,
            Action::Machine { .. } => self.make_machine(target).await,
            Action::LoadBalancer { .. } if found.more.contains_key("part") => {
                self.clear_address(found).await?;
                self.make_balancer(target).await
            }
            Action::LoadBalancer { .. } => self.complete_balancer(found).await,
            Action::KeyPair { .. }
            | Action::Disk { .. }
            | Action::Attachment { .. }
            | Action::PublicAddress { .. }
            | Action::KubernetesCluster { .. }
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
            Action::Machine { .. } => Ok(self.machine_differences(target, found)),
            Action::Disk { class, size_gib, .. } => {
                Ok(Site::disk_differences(found, class.as_deref(), size_gib.0))
            }
            Action::Attachment { .. } => {
                Ok(found.more.get("elsewhere").filter(|what| !what.is_empty()).cloned().into_iter().collect())
            }
            Action::PublicAddress { .. } => self.address_differences(target, found).await,
            Action::LoadBalancer { .. } => self.balancer_differences(target, found).await,
            Action::KubernetesCluster { .. }
            | Action::Manual { .. }
            | Action::Hook { .. }
            | Action::Check { .. }
            | Action::Approval { .. } => Ok(Vec::new()),
        }
    }

    /// Removes something, and waits until it is gone.
    async fn clear(&self, kind: Kind, found: &Found) -> Result<(), DriverError> {
        match kind {
            Kind::Network => self.clear_network(found).await,
            Kind::Subnet => self.clear_subnet(found).await,
            Kind::SecurityGroup => self.delete(Service::Network, &["security-groups", &found.id]).await,
            Kind::KeyPair => self.clear_key_pair(found).await,
            Kind::Machine => self.clear_machine(found).await,
            Kind::Disk => self.clear_disk(found).await,
            Kind::Attachment => self.clear_attachment(found).await,
            Kind::PublicAddress => self.clear_address(found).await,
            Kind::LoadBalancer => self.clear_balancer(found).await,
            Kind::KubernetesCluster => Ok(()),
        }
    }
}

impl Driver for OpenStack {
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

    fn shortages<'a>(
        &'a self,
        _: &'a ProviderName,
        region: &'a RegionName,
        wanted: &'a [Action],
    ) -> Reply<'a, Vec<DriverError>> {
        Box::pin(async move { self.site(region).shortages(wanted).await })
    }

    fn sales<'a>(
        &'a self,
        _: &'a ProviderName,
        region: &'a RegionName,
        types: &'a [String],
    ) -> Reply<'a, BTreeMap<String, Sale>> {
        Box::pin(async move { self.site(region).sales(types).await })
    }

    // Nova counts no licences.
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

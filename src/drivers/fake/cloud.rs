//! The simulated cloud itself: what exists, and the rules a real cloud would enforce. Plain data, no time, no files.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::document::sha256;
use carafe_model::host::OsFamily;
use carafe_model::ids::{ProviderName, RegionName};
use carafe_model::steps::Action;
use serde::{Deserialize, Serialize};

use crate::drivers::cidr::Cidr;
use crate::drivers::{
    Ability, DriverError, ErrorKind, Kind, Observed, Outcome, Ownership, Quota, Removal, Resource, Sale,
    Status, Target,
};
use crate::run_id::RunId;

/// What an account may do.
#[derive(Clone, Debug)]
pub struct Rules {
    /// How many of each kind fit into a region; absent kinds have no limit.
    pub quotas: BTreeMap<Kind, u64>,
    /// What can be made, and what only a person can make.
    pub kinds: BTreeMap<Kind, Ability>,
    /// Whether every call is refused.
    pub denied: bool,
    /// Whether the account may read and not write.
    pub read_only: bool,
    /// What is for sale, with how many there are in all; without it everything is, without end and price.
    pub sales: Option<BTreeMap<String, Sale>>,
    /// Systems that there are images of; without it all.
    pub images: Option<BTreeSet<OsFamily>>,
    /// How many machines with a system the account has licences for; absent systems need none.
    pub licences: BTreeMap<OsFamily, u64>,
}

impl Default for Rules {
    fn default() -> Rules {
        let kinds = Kind::ALL.into_iter().map(|kind| (kind, Ability::Makes)).collect();
        Rules {
            quotas: BTreeMap::new(),
            kinds,
            denied: false,
            read_only: false,
            sales: None,
            images: None,
            licences: BTreeMap::new(),
        }
    }
}

/// Where a resource stands: no two of a kind share a name in a region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slot {
    /// The provider.
    pub provider: ProviderName,
    /// The region.
    pub region: RegionName,
    /// The kind of resource.
    pub kind: Kind,
    /// Its name.
    pub name: String,
}

impl Slot {
    fn beside(&self, kind: Kind, name: &str) -> Slot {
        Slot { provider: self.provider.clone(), region: self.region.clone(), kind, name: name.to_owned() }
    }

    fn of(target: &Target) -> Slot {
        Slot {
            provider: target.provider.clone(),
            region: target.region.clone(),
            kind: target.kind,
            name: target.name().to_owned(),
        }
    }
}

/// One thing that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item {
    /// What the cloud calls it: the same for the same slot, however often it is made again, plus how often that was.
    pub id: String,
    /// What it was made as.
    pub action: Action,
    /// The tags on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Ownership>,
    /// How many observations it will still be reported as not ready.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub creating: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// Everything that exists at all providers.
#[derive(Clone, Debug, Default)]
pub struct Cloud {
    items: BTreeMap<Slot, Item>,
    /// How often each slot was filled since the cloud began; twice without a removal would be a doubled resource.
    made: BTreeMap<Slot, u32>,
    used_by: BTreeMap<Slot, BTreeSet<Slot>>,
    counts: BTreeMap<(ProviderName, RegionName, Kind), u64>,
}

impl Cloud {
    /// A cloud with these things in it.
    pub fn restore(items: BTreeMap<Slot, Item>, made: BTreeMap<Slot, u32>) -> Cloud {
        let mut cloud = Cloud { made, ..Cloud::default() };
        for (slot, item) in items {
            cloud.insert(slot, item);
        }
        cloud
    }

    /// What exists.
    pub fn items(&self) -> &BTreeMap<Slot, Item> {
        &self.items
    }

    /// How often each slot was filled.
    pub fn made(&self) -> &BTreeMap<Slot, u32> {
        &self.made
    }

    /// Puts something there as a person would: without rules, and with or without tags.
    pub fn plant(&mut self, slot: Slot, action: Action, owner: Option<Ownership>) {
        let id = self.next_id(&slot);
        self.insert(slot, Item { id, action, owner, creating: 0 });
    }

    pub(super) fn ensure(
        &mut self,
        target: &Target,
        rules: &Rules,
        creating: u32,
    ) -> Result<Outcome, DriverError> {
        let slot = Slot::of(target);
        if let Some(item) = self.items.get(&slot) {
            let resource = resource(&slot, item);
            let differences = differences(&item.action, &target.action);
            return match &item.owner {
                Some(owner) if owner.key != target.owner.key => Err(taken(&slot, Some(owner))),
                None if rules.kinds.get(&slot.kind) != Some(&Ability::Adopts) => Err(taken(&slot, None)),
                _ if !differences.is_empty() => Err(ErrorKind::Conflict.because(format!(
                    "{} \"{}\" exists with other settings: {}",
                    slot.kind.words(),
                    slot.name,
                    differences.join(", ")
                ))),
                Some(owner) if owner.run == target.owner.run => Ok(Outcome::AlreadyThere(resource)),
                Some(_) | None => Ok(Outcome::Adopted(resource)),
            };
        }
        if let Some(refusal) = self.refusals(&slot, &target.action, rules).into_iter().next() {
            return Err(refusal);
        }
        for needed in needs(&slot, &target.action) {
            if !self.items.contains_key(&needed) {
                let what = format!(
                    "{} \"{}\" needs {} \"{}\", which does not exist in {}",
                    slot.kind.words(),
                    slot.name,
                    needed.kind.words(),
                    needed.name,
                    slot.region
                );
                return Err(ErrorKind::NotFound.because(what));
            }
        }
        let id = self.next_id(&slot);
        let item = Item { id, action: target.action.clone(), owner: Some(target.owner.clone()), creating };
        let made = Outcome::Made(resource(&slot, &item));
        self.insert(slot, item);
        Ok(made)
    }

    /// Reading is what brings a resource that is being made nearer to being ready.
    pub(super) fn observe(&mut self, target: &Target) -> Option<Observed> {
        let slot = Slot::of(target);
        let item = self.items.get_mut(&slot)?;
        item.creating = item.creating.saturating_sub(1);
        Some(Observed {
            resource: resource(&slot, item),
            differences: differences(&item.action, &target.action),
        })
    }

    pub(super) fn remove(&mut self, target: &Target) -> Result<Removal, DriverError> {
        let ours = |owner: &Ownership| owner.key == target.owner.key && owner.run == target.owner.run;
        self.take_away(&Slot::of(target), ours)
    }

    fn take_away(&mut self, slot: &Slot, ours: impl Fn(&Ownership) -> bool) -> Result<Removal, DriverError> {
        let Some(item) = self.items.get(slot) else { return Ok(Removal::Absent) };
        if !item.owner.as_ref().is_some_and(ours) {
            return Ok(Removal::NotOurs);
        }
        if let Some(user) = self.used_by.get(slot).and_then(|users| users.first()) {
            let what = format!(
                "{} \"{}\" is in use by {} \"{}\"",
                slot.kind.words(),
                slot.name,
                user.kind.words(),
                user.name
            );
            return Err(ErrorKind::Conflict.because(what));
        }
        self.uproot(slot);
        Ok(Removal::Removed)
    }

    /// Takes something away, whatever stands on it.
    pub fn uproot(&mut self, slot: &Slot) {
        let Some(item) = self.items.remove(slot) else { return };
        for needed in needs(slot, &item.action) {
            if let Some(users) = self.used_by.get_mut(&needed) {
                users.remove(slot);
            }
        }
        if let Some(count) = self.counts.get_mut(&(slot.provider.clone(), slot.region.clone(), slot.kind)) {
            *count -= 1;
        }
    }

    pub(super) fn list(
        &self,
        provider: &ProviderName,
        region: &RegionName,
        run: Option<&RunId>,
    ) -> Vec<Resource> {
        let from = Slot {
            provider: provider.clone(),
            region: region.clone(),
            kind: Kind::ALL[0],
            name: String::new(),
        };
        self.items
            .range(from..)
            .take_while(|(slot, _)| slot.provider == *provider && slot.region == *region)
            .filter(|(_, item)| {
                item.owner.as_ref().is_some_and(|owner| run.is_none_or(|run| owner.run == *run))
            })
            .map(|(slot, item)| resource(slot, item))
            .collect()
    }

    pub(super) fn check(&self, target: &Target, rules: &Rules) -> Vec<DriverError> {
        let slot = Slot::of(target);
        match self.items.get(&slot) {
            Some(_) => Vec::new(),
            None => self.refusals(&slot, &target.action, rules),
        }
    }

    pub(super) fn quotas(
        &self,
        provider: &ProviderName,
        region: &RegionName,
        rules: &Rules,
    ) -> BTreeMap<Kind, Quota> {
        let used =
            |kind| self.counts.get(&(provider.clone(), region.clone(), kind)).copied().unwrap_or_default();
        rules.quotas.iter().map(|(kind, limit)| (*kind, Quota { limit: *limit, used: used(*kind) })).collect()
    }

    /// Why a new resource cannot be made, apart from what it needs not being there.
    fn refusals(&self, slot: &Slot, action: &Action, rules: &Rules) -> Vec<DriverError> {
        let mut refusals = Vec::new();
        match rules.kinds.get(&slot.kind) {
            Some(Ability::Makes) => {}
            Some(Ability::Adopts) => refusals.push(ErrorKind::NotFound.because(format!(
                "a {} can only be made by a person here; make \"{}\" and go on",
                slot.kind.words(),
                slot.name
            ))),
            None => refusals.push(ErrorKind::Invalid.because(format!(
                "{} has no {}",
                slot.provider,
                slot.kind.words()
            ))),
        }
        if slot.name.is_empty() || slot.name.len() > 255 {
            refusals.push(ErrorKind::Invalid.because("a name has from 1 to 255 bytes"));
        }
        let place = (slot.provider.clone(), slot.region.clone(), slot.kind);
        let used = self.counts.get(&place).copied().unwrap_or_default();
        if let Some(limit) = rules.quotas.get(&slot.kind).filter(|limit| used >= **limit) {
            refusals.push(ErrorKind::Quota.because(format!(
                "the account may have {limit} of kind {} in {}, and has {used}",
                slot.kind.words(),
                slot.region
            )));
        }
        if rules.read_only {
            let what = format!("the account may not make a {} in {}", slot.kind.words(), slot.region);
            refusals.push(ErrorKind::Denied.because(what));
        }
        if let Action::Machine { instance_type, image, .. } = action {
            refusals.extend(self.machine_refusals(slot, instance_type, image.family, rules));
        }
        refusals.extend(self.address_refusal(slot, action));
        refusals
    }

    fn machine_refusals(
        &self,
        slot: &Slot,
        instance_type: &str,
        family: OsFamily,
        rules: &Rules,
    ) -> Vec<DriverError> {
        let mut refusals = Vec::new();
        if let Some(sales) = &rules.sales {
            match sales.get(instance_type) {
                None => refusals
                    .push(ErrorKind::NoCapacity.because(format!("{instance_type} is not for sale here"))),
                Some(Sale { free: Some(all), .. })
                    if self.machines(&slot.provider, &slot.region, |found, _| found == instance_type)
                        >= *all =>
                {
                    refusals.push(ErrorKind::NoCapacity.because(format!("no {instance_type} is left here")));
                }
                Some(_) => {}
            }
        }
        if rules.images.as_ref().is_some_and(|images| !images.contains(&family)) {
            refusals.push(ErrorKind::NotFound.because(format!("there is no image of {family:?} here")));
        }
        if let Some(most) = rules.licences.get(&family)
            && self.machines(&slot.provider, &slot.region, |_, found| found == family) >= *most
        {
            refusals
                .push(ErrorKind::Quota.because(format!("the {most} licences for {family:?} are used up")));
        }
        refusals
    }

    fn machines(
        &self,
        provider: &ProviderName,
        region: &RegionName,
        is_one: impl Fn(&str, OsFamily) -> bool,
    ) -> u64 {
        let here = self.items.iter().filter(|(slot, _)| slot.provider == *provider && slot.region == *region);
        let machines = here.filter(|(_, item)| match &item.action {
            Action::Machine { instance_type, image, .. } => is_one(instance_type, image.family),
            _ => false,
        });
        machines.count() as u64
    }

    pub(super) fn sales(
        &self,
        provider: &ProviderName,
        region: &RegionName,
        types: &[String],
        rules: &Rules,
    ) -> BTreeMap<String, Sale> {
        let Some(sales) = &rules.sales else {
            return types.iter().map(|name| (name.clone(), Sale::default())).collect();
        };
        let wanted = sales.iter().filter(|(name, _)| types.contains(name));
        wanted
            .map(|(name, sale)| {
                let used = self.machines(provider, region, |found, _| found == name);
                let free = sale.free.map(|all| all.saturating_sub(used));
                (name.clone(), Sale { free, ..sale.clone() })
            })
            .collect()
    }

    pub(super) fn licences(
        &self,
        provider: &ProviderName,
        region: &RegionName,
        rules: &Rules,
    ) -> BTreeMap<OsFamily, Quota> {
        let used = |family| self.machines(provider, region, |_, found| found == family);
        rules
            .licences
            .iter()
            .map(|(family, limit)| (*family, Quota { limit: *limit, used: used(*family) }))
            .collect()
    }

    pub(super) fn discard(
        &mut self,
        provider: &ProviderName,
        region: &RegionName,
        found: &Resource,
    ) -> Result<Removal, DriverError> {
        let slot = Slot {
            provider: provider.clone(),
            region: region.clone(),
            kind: found.kind,
            name: found.name.clone(),
        };
        self.take_away(&slot, |owner| found.owner.as_ref() == Some(owner))
    }

    fn address_refusal(&self, slot: &Slot, action: &Action) -> Option<DriverError> {
        let (cidr, network) = match action {
            Action::Network { cidr, .. } => (cidr, None),
            Action::Subnet { cidr, network, .. } => (cidr, Some(slot.beside(Kind::Network, network))),
            Action::SecurityGroup { .. }
            | Action::KeyPair { .. }
            | Action::Machine { .. }
            | Action::Disk { .. }
            | Action::Attachment { .. }
            | Action::PublicAddress { .. }
            | Action::LoadBalancer { .. }
            | Action::KubernetesCluster { .. }
            | Action::Manual { .. }
            | Action::Hook { .. }
            | Action::Check { .. }
            | Action::Approval { .. } => return None,
        };
        let Some(block) = Cidr::parse(cidr) else {
            return Some(ErrorKind::Invalid.because(format!("\"{cidr}\" is not a block of IPv4 addresses")));
        };
        let network = network?;
        if let Some(around) = self.items.get(&network).and_then(|item| block_of(&item.action))
            && !around.contains(block)
        {
            return Some(
                ErrorKind::Invalid.because(format!("{cidr} is not inside network \"{}\"", network.name)),
            );
        }
        let siblings = self.used_by.get(&network).into_iter().flatten();
        let clash = siblings.filter(|sibling| sibling.kind == Kind::Subnet).find(|sibling| {
            block_of(&self.items[sibling].action).is_some_and(|other| other.overlaps(block))
        })?;
        Some(ErrorKind::Conflict.because(format!("{cidr} overlaps subnet \"{}\"", clash.name)))
    }

    fn next_id(&mut self, slot: &Slot) -> String {
        let times = self.made.entry(slot.clone()).or_default();
        *times += 1;
        let seed = format!("{}/{}/{}/{}", slot.provider, slot.region, slot.kind, slot.name);
        format!("{}-{}-{times}", slot.kind, &sha256(seed.as_bytes())[..10])
    }

    fn insert(&mut self, slot: Slot, item: Item) {
        for needed in needs(&slot, &item.action) {
            self.used_by.entry(needed).or_default().insert(slot.clone());
        }
        *self.counts.entry((slot.provider.clone(), slot.region.clone(), slot.kind)).or_default() += 1;
        self.items.insert(slot, item);
    }
}

fn block_of(action: &Action) -> Option<Cidr> {
    match action {
        Action::Network { cidr, .. } | Action::Subnet { cidr, .. } => Cidr::parse(cidr),
        Action::SecurityGroup { .. }
        | Action::KeyPair { .. }
        | Action::Machine { .. }
        | Action::Disk { .. }
        | Action::Attachment { .. }
        | Action::PublicAddress { .. }
        | Action::LoadBalancer { .. }
        | Action::KubernetesCluster { .. }
        | Action::Manual { .. }
        | Action::Hook { .. }
        | Action::Check { .. }
        | Action::Approval { .. } => None,
    }
}

/// What a resource stands on: it cannot be made before these and these cannot be removed before it.
fn needs(slot: &Slot, action: &Action) -> Vec<Slot> {
    let one = |kind, name: &String| vec![slot.beside(kind, name)];
    let many = |kind, names: &[String]| names.iter().map(|name| slot.beside(kind, name)).collect::<Vec<_>>();
    match action {
        Action::Network { .. }
        | Action::KeyPair { .. }
        | Action::Disk { .. }
        | Action::Manual { .. }
        | Action::Hook { .. }
        | Action::Check { .. }
        | Action::Approval { .. } => Vec::new(),
        Action::Subnet { network, .. } | Action::SecurityGroup { network, .. } => one(Kind::Network, network),
        Action::Machine { subnet, security_groups, key_pair, .. } => [
            one(Kind::Subnet, subnet),
            many(Kind::SecurityGroup, security_groups),
            one(Kind::KeyPair, key_pair),
        ]
        .concat(),
        Action::Attachment { disk, machine, .. } => {
            [one(Kind::Disk, disk), one(Kind::Machine, machine)].concat()
        }
        Action::PublicAddress { machine, .. } => one(Kind::Machine, machine),
        Action::LoadBalancer { subnet, members, .. } => {
            [one(Kind::Subnet, subnet), many(Kind::Machine, members)].concat()
        }
        Action::KubernetesCluster { subnets, security_groups, key_pair, .. } => [
            many(Kind::Subnet, subnets),
            many(Kind::SecurityGroup, security_groups),
            one(Kind::KeyPair, key_pair),
        ]
        .concat(),
    }
}

fn resource(slot: &Slot, item: &Item) -> Resource {
    Resource {
        id: item.id.clone(),
        kind: slot.kind,
        name: slot.name.clone(),
        owner: item.owner.clone(),
        status: if item.creating > 0 { Status::Creating } else { Status::Ready },
    }
}

fn taken(slot: &Slot, owner: Option<&Ownership>) -> DriverError {
    let whose = match owner {
        Some(owner) => format!("belongs to another plan (run {})", owner.run),
        None => "was not made by Carafe".to_owned(),
    };
    ErrorKind::Conflict.because(format!(
        "the name \"{}\" is taken by a {} that {whose}",
        slot.name,
        slot.kind.words()
    ))
}

/// The same action with what has no order in one.
fn in_order(action: &Action) -> Action {
    let mut action = action.clone();
    if let Action::SecurityGroup { rules, .. } = &mut action {
        rules.sort();
    }
    action
}

/// In which fields two actions of one kind differ.
fn differences(is: &Action, wanted: &Action) -> Vec<String> {
    let fields = |action: &Action| match serde_json::to_value(in_order(action)) {
        Ok(serde_json::Value::Object(fields)) => fields,
        _ => serde_json::Map::new(),
    };
    let (is, wanted) = (fields(is), fields(wanted));
    let names: BTreeSet<&String> = is.keys().chain(wanted.keys()).collect();
    let text = |value: Option<&serde_json::Value>| value.map_or("not set".to_owned(), ToString::to_string);
    names
        .into_iter()
        .filter(|name| is.get(*name) != wanted.get(*name))
        .map(|name| format!("{name} is {} instead of {}", text(is.get(name)), text(wanted.get(name))))
        .collect()
}

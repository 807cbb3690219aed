//! Several files about the same machines: finds out which hosts are the same, and gives every one an id.
//!
//! The same host is found by its machine id or SMBIOS UUID, then by its hardware addresses, its id, its name. A
//! name alone does not join two hosts whose identifiers or hardware addresses contradict it.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::finding::Finding;
use carafe_model::ids::HostId;

use crate::importer::Importer;
use crate::normalise;
use crate::precedence::Ranks;
use crate::raw::{RawEstate, RawHost};
use crate::text::{clip, host_id, name_problem};
use crate::unite;

/// One file, read.
pub struct FileRead {
    /// What it says. Hosts are taken out of it as they are merged.
    pub raw: RawEstate,
    /// The importer that read it.
    pub importer: &'static Importer,
}

/// A host with all that any file says of it.
pub struct MergedHost {
    /// Unique in the estate.
    pub id: HostId,
    /// The name people use.
    pub name: String,
    /// Its values.
    pub host: RawHost,
    /// Its machine id in each format: two of the same format tell two machines apart.
    machine_ids: BTreeMap<&'static str, String>,
}

/// All hosts, and what each file calls them.
#[derive(Default)]
pub struct Merged {
    /// Hosts in the order in which they were first met.
    pub hosts: Vec<MergedHost>,
    /// For each file, its own keys and the hosts they mean.
    pub keys: Vec<BTreeMap<String, usize>>,
    ids: BTreeMap<HostId, usize>,
    /// The next suffix to try for a taken id, so that many equal names take no quadratic time.
    suffixes: BTreeMap<String, u32>,
    by_identity: BTreeMap<String, Vec<usize>>,
    by_mac: BTreeMap<String, Vec<usize>>,
    by_name: BTreeMap<String, Vec<usize>>,
}

/// Merges the hosts of all files, in the order of the files. The order of hosts inside a file does not matter.
pub fn hosts(files: &mut [FileRead], ranks: &Ranks<'_>, findings: &mut Vec<Finding>) -> Merged {
    let mut merged = Merged::default();
    for file in files {
        let hosts = std::mem::take(&mut file.raw.hosts);
        let (hosts, keys) = once_each(named(hosts, findings), ranks, findings);
        let before = merged.hosts.len();
        let mut taken = BTreeSet::new();
        let mut placed = Vec::with_capacity(hosts.len());
        for host in hosts {
            let same = merged.find(&host, file.importer, before, &taken, findings);
            let index = match same {
                Some(index) => {
                    merged.join(index, host, file.importer, ranks, findings);
                    index
                }
                None => merged.add(host, file.importer, findings),
            };
            taken.insert(index);
            placed.push(index);
        }
        let keys = keys.into_iter().map(|(key, host)| (key, placed[host])).collect();
        merged.keys.push(keys);
    }
    merged
}

/// The text that becomes the id: the id of a document, or the name.
fn called(host: &RawHost) -> &str {
    let name = host.name.as_ref().map(|name| name.value.as_str());
    host.id.as_ref().map(HostId::as_str).or(name).unwrap_or_default()
}

/// Leaves out hosts whose name cannot be used (`INV-1202`) or that have none (`INV-1007`); a machine id stands in.
fn named(hosts: Vec<RawHost>, findings: &mut Vec<Finding>) -> Vec<RawHost> {
    let mut usable = Vec::with_capacity(hosts.len());
    for mut host in hosts {
        if let Some(name) = host.name.take_if(|name| name_problem(&name.value).is_some()) {
            let problem = name_problem(&name.value).unwrap_or_default();
            findings.push(bad_name(&name.value, problem).at(name.place));
        }
        if let Some(id) = host.id.take_if(|id| name_problem(id.as_str()).is_some()) {
            let problem = name_problem(id.as_str()).unwrap_or_default();
            findings.push(bad_name(id.as_str(), problem).at(host.place.clone()));
        }
        if called(&host).is_empty() {
            host.name = host.machine_id.clone().filter(|id| name_problem(&id.value).is_none());
            let (outcome, help) = match host.name {
                Some(_) => ("its machine id is its name now", "give it a name in an estate document"),
                None => ("it was left out", "give it a name in the source and export again"),
            };
            let finding = match host.name {
                Some(_) => Finding::warning("INV-1007", format!("a host has no usable name; {outcome}")),
                None => Finding::error("INV-1007", format!("a host has no usable name; {outcome}")),
            };
            findings.push(finding.at(host.place.clone()).help(help));
        }
        if !called(&host).is_empty() {
            usable.push(host);
        }
    }
    usable
}

/// `INV-1202`.
pub(crate) fn bad_name(name: &str, problem: &str) -> Finding {
    Finding::error("INV-1202", format!("the name \"{}\" {problem}", clip(name)))
        .help("give it a name of at most 253 visible characters")
}

/// Sorts the hosts of one file and unites those that are listed twice; also says where each key went.
fn once_each(
    mut hosts: Vec<RawHost>,
    ranks: &Ranks<'_>,
    findings: &mut Vec<Finding>,
) -> (Vec<RawHost>, BTreeMap<String, usize>) {
    hosts.sort_by_cached_key(|host| {
        let mut macs: Vec<String> = host.macs().map(str::to_owned).collect();
        macs.sort();
        let machine = host.machine_id.as_ref().map(|id| id.value.clone());
        let size = (host.vcpus.as_ref().map(|at| at.value), host.memory.as_ref().map(|at| at.value));
        (host_id(called(host)), machine, macs, size)
    });
    let mut keys = BTreeMap::new();
    let mut once: Vec<RawHost> = Vec::with_capacity(hosts.len());
    for host in hosts {
        let twice = once.last().is_some_and(|last| {
            let same_machine = host.machine_id.is_some()
                && host.machine_id.as_ref().map(|at| &at.value)
                    == last.machine_id.as_ref().map(|at| &at.value);
            let same_id = host.id.is_some() && host.id == last.id;
            same_id || (same_machine && host_id(called(&host)) == host_id(called(last)))
        });
        let key = host.key.clone();
        match once.last_mut().filter(|_| twice) {
            Some(last) => {
                let name = called(last).to_owned();
                findings.push(
                    Finding::warning("INV-1102", format!("\"{}\" is listed twice in one file", clip(&name)))
                        .at(host.place.clone())
                        .host(clip(&name))
                        .help(format!("both were taken as one host; the other is at {}", last.place)),
                );
                unite::hosts(last, host, ranks, &name, findings);
            }
            None => once.push(host),
        }
        keys.insert(key, once.len() - 1);
    }
    (once, keys)
}

/// The forms in which an identifier of a host is compared.
fn identities(host: &RawHost) -> impl Iterator<Item = String> {
    let machine = host.machine_id.as_ref().map(|id| id.value.as_str());
    machine
        .into_iter()
        .chain(host.identities.iter().map(String::as_str))
        .map(|text| normalise::identity(text).unwrap_or_else(|| text.trim().to_lowercase()))
}

/// The hosts under a key. A key of many hosts tells none of them apart, and looking at each would take quadratic time.
fn among<'m>(map: &'m BTreeMap<String, Vec<usize>>, key: &str) -> impl Iterator<Item = usize> + use<'m> {
    const MOST: usize = 16;
    map.get(key).filter(|hosts| hosts.len() <= MOST).into_iter().flatten().copied()
}

impl Merged {
    /// The host of an earlier file that is the same machine, if exactly one is.
    fn find(
        &self,
        host: &RawHost,
        importer: &Importer,
        before: usize,
        taken: &BTreeSet<usize>,
        findings: &mut Vec<Finding>,
    ) -> Option<usize> {
        let free = |index: &usize| *index < before && !taken.contains(index);
        let name = host_id(called(host));
        let same_name = |index: &usize| host_id(&self.hosts[*index].name) == name;
        let copied = |index: &usize| !same_name(index) && self.macs_differ(*index, host);

        let same_identity: BTreeSet<usize> =
            identities(host).flat_map(|id| among(&self.by_identity, &id)).filter(free).collect();
        if !same_identity.is_empty() && same_identity.iter().all(copied) {
            findings.push(
                Finding::warning("INV-1104", "the same machine id as another host with other network cards")
                    .at(host.place.clone())
                    .host(clip(called(host)))
                    .help("this is how machines copied from one image look; both are kept"),
            );
        }
        let by_identity = || same_identity.iter().copied().filter(|index| !copied(index)).collect();
        let by_mac = || host.macs().flat_map(|mac| among(&self.by_mac, mac)).filter(free).collect();
        let by_id = || host.id.iter().filter_map(|id| self.ids.get(id).copied()).filter(free).collect();
        let by_name = || {
            let fits = |index: &usize| free(index) && !self.contradicts(*index, host, importer);
            among(&self.by_name, &name).filter(fits).collect()
        };
        let ways: [&dyn Fn() -> BTreeSet<usize>; 4] = [&by_identity, &by_mac, &by_id, &by_name];
        for way in ways {
            let mut candidates = way();
            if candidates.len() > 1 {
                candidates.retain(same_name);
            }
            if candidates.len() > 1 {
                findings.push(
                    Finding::warning("INV-1106", "more than one host of an earlier file could be this one")
                        .at(host.place.clone())
                        .host(clip(called(host)))
                        .help(
                            "it was kept as a host of its own; give its machine id in the file to join them",
                        ),
                );
                return None;
            }
            if let Some(only) = candidates.pop_first() {
                return Some(only);
            }
        }
        None
    }

    fn macs_differ(&self, index: usize, host: &RawHost) -> bool {
        let mine: BTreeSet<&str> = self.hosts[index].host.macs().collect();
        let mut theirs = host.macs().peekable();
        !mine.is_empty() && theirs.peek().is_some() && !theirs.any(|mac| mine.contains(mac))
    }

    /// Whether two hosts of one name are two machines: other identifiers in the same format, or other network cards.
    fn contradicts(&self, index: usize, host: &RawHost, importer: &Importer) -> bool {
        let theirs = host.machine_id.as_ref().map(|id| &id.value);
        let mine = self.hosts[index].machine_ids.get(importer.name);
        let other_machine = matches!((mine, theirs), (Some(mine), Some(theirs)) if mine != theirs);
        other_machine || self.macs_differ(index, host)
    }

    fn join(
        &mut self,
        index: usize,
        host: RawHost,
        importer: &Importer,
        ranks: &Ranks<'_>,
        findings: &mut Vec<Finding>,
    ) {
        self.remember(index, &host, importer);
        let merged = &mut self.hosts[index];
        let id = merged.id.0.clone();
        unite::hosts(&mut merged.host, host, ranks, &id, findings);
        if let Some(name) = &merged.host.name {
            merged.name.clone_from(&name.value);
        }
    }

    fn add(&mut self, host: RawHost, importer: &Importer, findings: &mut Vec<Finding>) -> usize {
        let index = self.hosts.len();
        let wanted = host.id.clone().unwrap_or_else(|| HostId(host_id(called(&host))));
        let id = self.free_id(&wanted);
        if id != wanted {
            let other = self.by_name.get(&host_id(wanted.as_str())).and_then(|same| same.first());
            let other = other.map(|first| self.hosts[*first].host.place.to_string()).unwrap_or_default();
            findings.push(
                Finding::warning(
                    "INV-1101",
                    format!("another host is called \"{}\" too", clip(called(&host))),
                )
                .at(host.place.clone())
                .host(clip(id.as_str()))
                .help(format!("this one has the id \"{}\"; the other is at {other}", clip(id.as_str()))),
            );
        }
        let name = host.name.as_ref().map_or_else(|| id.0.clone(), |name| name.value.clone());
        self.ids.insert(id.clone(), index);
        self.hosts.push(MergedHost { id, name, host: RawHost::default(), machine_ids: BTreeMap::new() });
        self.remember(index, &host, importer);
        self.hosts[index].host = host;
        index
    }

    fn free_id(&mut self, wanted: &HostId) -> HostId {
        if !self.ids.contains_key(wanted) {
            return wanted.clone();
        }
        let next = self.suffixes.entry(wanted.0.clone()).or_insert(2);
        loop {
            let id = HostId(format!("{wanted}-{next}"));
            *next += 1;
            if !self.ids.contains_key(&id) {
                return id;
            }
        }
    }

    /// Makes a host findable by everything this file calls it.
    fn remember(&mut self, index: usize, host: &RawHost, importer: &Importer) {
        let add = |map: &mut BTreeMap<String, Vec<usize>>, key: String| {
            let known = map.entry(key).or_default();
            if known.last() != Some(&index) {
                known.push(index);
            }
        };
        for identity in identities(host) {
            if let Some(swapped) = normalise::swapped_identity(&identity) {
                add(&mut self.by_identity, swapped);
            }
            add(&mut self.by_identity, identity);
        }
        for mac in host.macs() {
            add(&mut self.by_mac, mac.to_owned());
        }
        add(&mut self.by_name, host_id(called(host)));
        if let Some(name) = &host.name {
            add(&mut self.by_name, host_id(&name.value));
        }
        let id = self.hosts[index].id.0.clone();
        add(&mut self.by_name, host_id(&id));
        if let Some(machine) = &host.machine_id {
            self.hosts[index].machine_ids.insert(importer.name, machine.value.clone());
        }
    }
}

//! Carafe's own document `estate/1`: an estate written earlier, or what a person adds to an export by hand.

use carafe_model::document;
use carafe_model::estate::Estate;
use carafe_model::finding::{Finding, Place};
use carafe_model::host::Host;
use carafe_model::units::{Gib, Mib, Vcpus};
use serde_json::Value;

use crate::glance::Glance;
use crate::importer::Reading;
use crate::input::InputFile;
use crate::limits;
use crate::raw::{At, MemberRef, RawEstate, RawHost, RawLoadBalancer};

/// Whether the outermost object has the field `carafe` near its start, as this program writes it.
pub fn sniff(glance: &Glance<'_>) -> bool {
    glance.is_json_with(&["carafe"])
}

/// Reads a document; broken entries are left out, each with a `DOC-…` finding.
pub fn read(file: &InputFile<'_>, _with: &Reading<'_>, findings: &mut Vec<Finding>) -> Option<RawEstate> {
    let value = document::parse(file.name, file.bytes, findings)?;
    let ids = ids_of(&value, "hosts");
    let (estate, found) = document::from_value::<Estate>(file.name, value);
    findings.extend(found);
    let estate = estate?;
    let at = |pointer: String| Place::file(file.name).at(pointer);
    let mut raw = RawEstate { sources: estate.sources, ..RawEstate::default() };
    raw.today = estate.today.map(|today| At::new(today, at("/today".to_owned())));
    let mut original = ids.into_iter().enumerate();
    for host in estate.hosts {
        // Broken hosts are gone from the list, so the pointer is found by going on to the next one of this id.
        let stood_at = original.by_ref().find(|(_, id)| *id == host.id.0).map_or(0, |(index, _)| index);
        raw.hosts.push(raw_host(host, &format!("/hosts/{stood_at}"), file.name, findings));
    }
    for (index, flow) in estate.flows.into_iter().enumerate() {
        raw.flows.push(At::new(flow, at(format!("/flows/{index}"))));
    }
    for (index, app) in estate.apps.into_iter().enumerate() {
        raw.apps.push(At::new(app, at(format!("/apps/{index}"))));
    }
    for (index, mut known) in estate.load_balancers.into_iter().enumerate() {
        let pointer = format!("/load_balancers/{index}");
        let members = std::mem::take(&mut known.members)
            .into_iter()
            .enumerate()
            .map(|(member, id)| At::new(MemberRef::Key(id), at(format!("{pointer}/members/{member}"))))
            .collect();
        raw.load_balancers.push(At::new(RawLoadBalancer { known, members }, at(pointer)));
    }
    for (index, cluster) in estate.clusters.into_iter().enumerate() {
        raw.clusters.push(At::new(cluster, at(format!("/clusters/{index}"))));
    }
    Some(raw)
}

/// Tools write zero for what they could not measure; a person who does is asked what is meant.
fn not_none<T: PartialEq>(at: At<T>, none: T, code: &str, findings: &mut Vec<Finding>) -> Option<At<T>> {
    if at.value != none {
        return Some(at);
    }
    findings.push(
        Finding::warning(code, "zero, which counts as unknown")
            .at(at.place)
            .help("correct the figure, or leave it out where it is unknown"),
    );
    None
}

fn ids_of(value: &Value, list: &str) -> Vec<String> {
    let entries = value.get(list).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    entries
        .iter()
        .map(|entry| entry.get("id").and_then(Value::as_str).unwrap_or_default().to_owned())
        .collect()
}

/// Gives every value of a host its place. What the document leaves empty is not said, rather than said to be empty.
fn raw_host(host: Host, pointer: &str, file: &str, findings: &mut Vec<Finding>) -> RawHost {
    let place = |field: &str| Place::file(file).at(format!("{pointer}/{field}"));
    fn some<T>(list: Vec<T>, place: Place) -> Option<At<Vec<T>>> {
        (!list.is_empty()).then(|| At::new(list, place))
    }
    // A person who adds to a host repeats its id as its name; that is no new name.
    let renamed = host.name != host.id.0;
    let mut disks = host.disks;
    for (index, disk) in disks.iter_mut().enumerate() {
        let size = disk.size_gib.map(|size| At::new(size, place(&format!("disks/{index}/size_gib"))));
        let size = size.and_then(|size| not_none(size, Gib(0), "INV-1206", findings));
        disk.size_gib = size.and_then(|size| limits::disk(size, findings));
    }
    RawHost {
        key: host.id.0.clone(),
        place: Place::file(file).at(pointer),
        name: renamed.then(|| At::new(host.name, place("name"))),
        machine_id: host.machine_id.map(|value| At::new(value, place("machine_id"))),
        identities: Vec::new(),
        app: host.app.map(|value| At::new(value, place("app"))),
        labels: host
            .labels
            .into_iter()
            .map(|(key, value)| {
                let place = place(&format!("labels/{key}"));
                (key, At::new(value, place))
            })
            .collect(),
        architecture: host.architecture.map(|value| At::new(value, place("architecture"))),
        vcpus: host
            .vcpus
            .and_then(|value| not_none(At::new(value, place("vcpus")), Vcpus(0), "INV-1205", findings))
            .and_then(|at| limits::vcpus(at.map(|vcpus| u64::from(vcpus.0)), findings)),
        cpu_model: host.cpu_model.map(|value| At::new(value, place("cpu_model"))),
        memory: host
            .memory_mib
            .and_then(|value| not_none(At::new(value, place("memory_mib")), Mib(0), "INV-1204", findings))
            .and_then(|at| limits::memory(at, findings)),
        os: host.os.map(|value| At::new(value, place("os"))),
        firmware: host.firmware.map(|value| At::new(value, place("firmware"))),
        power: host.power.map(|value| At::new(value, place("power"))),
        disks: some(disks, place("disks")),
        nics: some(host.nics, place("nics")),
        firewall: some(host.firewall, place("firewall")),
        routes: some(host.routes, place("routes")),
        gpu: host.gpu.map(|value| At::new(value, place("gpu"))),
        usage: host.usage.map(|value| At::new(value, place("usage"))),
        inside: host.inside.map(|value| At::new(value, place("inside"))),
        public_address: host.public_address.then(|| At::new(true, place("public_address"))),
        stays_because: host.stays_because.map(|value| At::new(value, place("stays_because"))),
        monthly_cost: host.monthly_cost.map(|value| At::new(value, place("monthly_cost"))),
        id: Some(host.id),
    }
}

//! What `kubectl get … -o json` and `-o yaml` print: nodes become hosts, services of type LoadBalancer load balancers, and volume
//! claims disks of the node whose pod mounts them.
//!
//! An estate has no pods. What they ask for is summed up on their node as labels, so that rules can use it and nothing is
//! counted twice. Codes: `INV-5xxx`.

use std::collections::BTreeMap;

use carafe_model::document;
use carafe_model::estate::{KubernetesCluster, LoadBalancer};
use carafe_model::finding::{Finding, Place};
use carafe_model::host::{Disk, Media, Nic, Power};
use carafe_model::ids::{ClusterId, HostId, LoadBalancerId};
use carafe_model::units::{Gib, Mib, Quantity};
use serde_json::Value;

use crate::glance::{Form, Glance};
use crate::importer::Reading;
use crate::input::InputFile;
use crate::json::Node;
use crate::limits;
use crate::normalise;
use crate::raw::{At, MemberRef, RawEstate, RawHost, RawLoadBalancer};
use crate::series::{self, Measured};
use crate::shapes;
use crate::text::{clip, counted, host_id};
use crate::yaml;

/// Whether it is an object or a list of Kubernetes.
pub fn sniff(glance: &Glance<'_>) -> bool {
    glance.is_json_with(&["apiVersion", "kind"])
        || glance.is_json_with(&["apiVersion", "items"])
        || is_yaml(glance)
}

/// Whether it is YAML with the two fields that every object of Kubernetes has.
fn is_yaml(glance: &Glance<'_>) -> bool {
    let has = |key: &str| glance.head.lines().any(|line| line.starts_with(key));
    matches!(glance.form, Form::Table(_)) && has("apiVersion:") && (has("kind:") || has("items:"))
}

/// What containers ask for, in thousandths of a processor and in bytes.
#[derive(Clone, Copy, Default)]
struct Asked {
    milli: u64,
    bytes: u64,
    limit_milli: u64,
    limit_bytes: u64,
    pods: usize,
}

/// Reads the lists of one cluster together; `None` when none is usable.
pub fn read(files: &[InputFile<'_>], _with: &Reading<'_>, findings: &mut Vec<Finding>) -> Option<RawEstate> {
    let mut values: Vec<(&str, Value)> = Vec::new();
    for file in files {
        let documents = match is_yaml(&Glance::at(*file)) {
            true => yaml::documents(file, findings).unwrap_or_default(),
            false => document::parse(file.name, file.bytes, findings).into_iter().collect(),
        };
        values.extend(documents.into_iter().map(|value| (file.name, value)));
    }
    let (first, _) = values.first()?;
    let mut objects: BTreeMap<&str, Vec<Node<'_>>> = BTreeMap::new();
    for (name, value) in &values {
        let root = Node::root(name, value);
        let of_list = root.get("items").map(|items| items.each());
        // The API names the kind once for all objects of a list: NodeList.
        let of_all = root.get("kind").and_then(|node| node.value.as_str()?.strip_suffix("List"));
        for object in of_list.unwrap_or_else(|| vec![root.clone()]) {
            let own = object.get("kind").and_then(|node| node.value.as_str());
            if let Some(kind) = own.or(of_all).filter(|kind| !kind.is_empty()) {
                objects.entry(kind).or_default().push(object);
            }
        }
    }
    let of = |kind: &str| objects.get(kind).map(Vec::as_slice).unwrap_or_default();
    let place = Place::file(*first);
    if of("Node").is_empty() {
        findings.push(without_nodes(&objects, place));
        return None;
    }
    let mut estate = RawEstate::default();
    let mut cluster = KubernetesCluster {
        id: ClusterId("kubernetes".to_owned()),
        version: None,
        control_plane: Vec::new(),
        workers: Vec::new(),
        pod_cidr: None,
        service_cidr: None,
    };
    for node in of("Node") {
        let host = node_host(node, findings);
        let labels = node.find("metadata/labels");
        let has = |role: &str| labels.as_ref().is_some_and(|labels| labels.get(role).is_some());
        let is_control =
            has("node-role.kubernetes.io/control-plane") || has("node-role.kubernetes.io/master");
        let list = if is_control { &mut cluster.control_plane } else { &mut cluster.workers };
        list.push(HostId(host.key.clone()));
        let version = node.words_at(&["status/nodeInfo/kubeletVersion"]);
        cluster.version =
            cluster.version.take().or(version.map(|at| at.value.trim_start_matches('v').to_owned()));
        estate.hosts.push(host);
    }
    // A cluster whose control plane also works has no other workers.
    if cluster.workers.is_empty() {
        cluster.workers.clone_from(&cluster.control_plane);
        cluster.control_plane.clear();
    }
    let claims = Claims::of(of("PersistentVolumeClaim"), of("StorageClass"));
    add_pods(of("Pod"), claims, &mut estate, &place, findings);
    add_use(of("NodeMetrics"), &mut estate);
    for service in of("Service") {
        balancers(service, &cluster.workers, &mut estate);
    }
    estate.clusters.push(At::new(cluster, of("Node")[0].place()));
    Some(estate)
}

/// `INV-5010`: workloads say what they ask for, but not on what they run.
fn without_nodes(objects: &BTreeMap<&str, Vec<Node<'_>>>, place: Place) -> Finding {
    const WORKLOADS: [&str; 4] = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"];
    let mut asked = Asked::default();
    let mut count = 0;
    for workload in WORKLOADS.iter().filter_map(|kind| objects.get(kind)).flatten() {
        let copies = workload.find("spec/replicas").and_then(|node| node.value.as_u64()).unwrap_or(1);
        let of_pod = containers_ask(&workload.each_at("spec/template/spec/containers"));
        asked.milli = asked.milli.saturating_add(of_pod.milli.saturating_mul(copies));
        asked.bytes = asked.bytes.saturating_add(of_pod.bytes.saturating_mul(copies));
        count += 1;
    }
    let kinds: Vec<String> = objects.keys().take(10).map(|kind| clip(kind)).collect();
    let what = match count {
        0 => format!("no nodes; there are objects of these kinds: {}", kinds.join(", ")),
        _ => format!(
            "no nodes; {} ask for {} processors and {} MiB of memory",
            counted(count, "workload"),
            asked.milli.div_ceil(1_000),
            asked.bytes.div_ceil(1 << 20)
        ),
    };
    Finding::error("INV-5010", what)
        .at(place)
        .help("export the nodes too: kubectl get nodes,pods,services,pvc -A -o json")
}

fn node_host(node: &Node<'_>, findings: &mut Vec<Finding>) -> RawHost {
    let name = node.words_at(&["metadata/name"]);
    let key = name.as_ref().map(|at| at.value.clone()).unwrap_or_default();
    let mut host = RawHost::new(key, node.place());
    host.name = name;
    host.machine_id = node.words_at(&["status/nodeInfo/machineID", "metadata/uid"]);
    host.identities = ["status/nodeInfo/systemUUID", "status/nodeInfo/machineID"]
        .iter()
        .filter_map(|path| normalise::identity(&node.words_at(&[path])?.value))
        .collect();
    let milli = node.words_at(&["status/capacity/cpu"]).map(|at| at.map(|text| milli(&text)));
    let whole = milli.and_then(|at| Some(At::new(at.value?.div_ceil(1_000), at.place)));
    host.vcpus = whole.and_then(|count| limits::vcpus(count, findings));
    let bytes = node.words_at(&["status/capacity/memory"]).map(|at| at.map(|text| bytes_of(&text)));
    let memory = bytes.and_then(|at| Some(At::new(Mib(at.value?.div_ceil(1 << 20)), at.place)));
    host.memory = memory.and_then(|at| limits::memory(at, findings));
    host.architecture = node
        .words_at(&["status/nodeInfo/architecture"])
        .map(|at| at.map(|text| normalise::architecture(&text)));
    host.os = node.words_at(&["status/nodeInfo/osImage"]).map(|at| at.map(|text| normalise::os(&text)));
    host.power = Some(At::new(Power::On, node.place()));
    let storage = node.words_at(&["status/capacity/ephemeral-storage"]);
    host.disks = storage.and_then(|at| {
        let size = Gib(bytes_of(&at.value)?.div_ceil(1 << 30));
        let place = at.place.clone();
        let size_gib = Some(limits::disk(At::new(size, at.place), findings)?);
        Some(At::new(vec![Disk { name: "ephemeral".to_owned(), size_gib, ..Disk::default() }], place))
    });
    let of_kind = |kind: &str| -> Vec<String> {
        let all = node.each_at("status/addresses");
        let fits = all.iter().filter(|entry| entry.words_at(&["type"]).is_some_and(|at| at.value == kind));
        fits.filter_map(|entry| Some(entry.words_at(&["address"])?.value)).collect()
    };
    let addresses: Vec<String> =
        of_kind("InternalIP").into_iter().filter(|ip| normalise::is_address(ip)).collect();
    if !addresses.is_empty() {
        let nic = Nic { name: "nic 1".to_owned(), addresses, ..Nic::default() };
        host.nics = Some(At::new(vec![nic], node.place()));
    }
    host.public_address = (!of_kind("ExternalIP").is_empty()).then(|| At::new(true, node.place()));
    for (label, key) in
        [(shapes::LABEL, "node.kubernetes.io/instance-type"), ("zone", "topology.kubernetes.io/zone")]
    {
        let found = node.find("metadata/labels").and_then(|labels| labels.get(key)?.words());
        host.labels.extend(found.map(|at| (label.to_owned(), at)));
    }
    host
}

/// The size of a volume claim, and what its storage class says it is made of.
struct Claim {
    size: Option<At<Gib>>,
    media: Option<Media>,
}

/// Volume claims by namespace and name.
struct Claims(BTreeMap<(String, String), Claim>);

impl Claims {
    fn of(claims: &[Node<'_>], classes: &[Node<'_>]) -> Claims {
        let media: BTreeMap<String, Media> = classes
            .iter()
            .filter_map(|class| {
                let kind = class.words_at(&[
                    "parameters/type",
                    "parameters/skuName",
                    "parameters/storageaccounttype",
                ])?;
                Some((class.words_at(&["metadata/name"])?.value, normalise::media(&kind.value)?))
            })
            .collect();
        let claim = |claim: &Node<'_>| {
            let name = claim.words_at(&["metadata/name"])?;
            let size = claim.words_at(&["status/capacity/storage", "spec/resources/requests/storage"]);
            let size =
                size.and_then(|at| Some(At::new(Gib(bytes_of(&at.value)?.div_ceil(1 << 30)), at.place)));
            let class = claim.words_at(&["spec/storageClassName"]);
            let media = class.and_then(|class| media.get(&class.value).copied());
            Some((Claims::key(claim, name.value), Claim { size, media }))
        };
        Claims(claims.iter().filter_map(claim).collect())
    }

    fn key(object: &Node<'_>, name: String) -> (String, String) {
        let space = object.words_at(&["metadata/namespace"]).map(|at| at.value).unwrap_or_default();
        (space, name)
    }
}

/// What pods ask for, on their node; and the volumes that they mount.
fn add_pods(
    pods: &[Node<'_>],
    claims: Claims,
    estate: &mut RawEstate,
    place: &Place,
    findings: &mut Vec<Finding>,
) {
    let mut sizes = claims.0;
    let mut asked: BTreeMap<String, Asked> = BTreeMap::new();
    for pod in pods {
        let Some(node) = pod.words_at(&["spec/nodeName"]) else { continue };
        if pod
            .words_at(&["status/phase"])
            .is_some_and(|at| matches!(at.value.as_str(), "Succeeded" | "Failed"))
        {
            continue;
        }
        let own = containers_ask(&pod.each_at("spec/containers"));
        let sum = asked.entry(node.value.clone()).or_default();
        sum.milli = sum.milli.saturating_add(own.milli);
        sum.bytes = sum.bytes.saturating_add(own.bytes);
        sum.limit_milli = sum.limit_milli.saturating_add(own.limit_milli);
        sum.limit_bytes = sum.limit_bytes.saturating_add(own.limit_bytes);
        sum.pods += 1;
        for volume in pod.each_at("spec/volumes") {
            let Some(claim) = volume.words_at(&["persistentVolumeClaim/claimName"]) else { continue };
            // A volume that several pods mount is a disk of the first of them.
            let Some(Claim { size, media }) = sizes.remove(&Claims::key(pod, claim.value.clone())) else {
                continue;
            };
            let size_gib = size.and_then(|size| limits::disk(size, findings));
            let disk = Disk { name: claim.value, size_gib, media, ..Disk::default() };
            if let Some(host) = estate.hosts.iter_mut().find(|host| host.key == node.value) {
                let place = host.place.clone();
                host.disks.get_or_insert_with(|| At::new(Vec::new(), place)).value.push(disk);
            }
        }
    }
    for host in &mut estate.hosts {
        let Some(sum) = asked.get(&host.key) else { continue };
        let place = host.place.clone();
        let mut label =
            |key: &str, value: String| host.labels.insert(key.to_owned(), At::new(value, place.clone()));
        label("pods", sum.pods.to_string());
        label("requested-cpu-milli", sum.milli.to_string());
        label("requested-memory-mib", sum.bytes.div_ceil(1 << 20).to_string());
        label("limit-cpu-milli", sum.limit_milli.to_string());
        label("limit-memory-mib", sum.limit_bytes.div_ceil(1 << 20).to_string());
    }
    if let Some(((_, first), _)) = sizes.first_key_value() {
        let volumes = counted(sizes.len(), "volume claim");
        findings.push(
            Finding::warning(
                "INV-5011",
                format!("mounted by no listed pod: {volumes}, the first \"{}\"", clip(first)),
            )
            .at(place.clone())
            .help("left out; export the pods too, so that each volume is found on its node"),
        );
    }
}

/// Use of nodes by the metrics server (`metrics.k8s.io`), one sample in each list.
fn add_use(samples: &[Node<'_>], estate: &mut RawEstate) {
    let mut measured: BTreeMap<String, Measured> = BTreeMap::new();
    let hosts: BTreeMap<String, u32> = estate
        .hosts
        .iter()
        .filter_map(|host| Some((host.key.clone(), host.vcpus.as_ref()?.value.0)))
        .collect();
    for sample in samples {
        let Some(name) = sample.words_at(&["metadata/name"]) else { continue };
        let Some(at) = sample.words_at(&["timestamp"]).and_then(|at| series::time(&at.value)) else {
            continue;
        };
        let node = measured.entry(name.value.clone()).or_default();
        let nano = sample.words_at(&["usage/cpu"]).and_then(|at| nano(&at.value));
        if let (Some(nano), Some(vcpus)) = (nano, hosts.get(&name.value).filter(|vcpus| **vcpus > 0)) {
            // Nanocores of all threads, in millionths of a percent.
            let percent = u128::from(nano) / 10 / u128::from(*vcpus);
            node.cpu_percent.add(at, Quantity(i64::try_from(percent).unwrap_or(i64::MAX)));
        }
        if let Some(bytes) = sample.words_at(&["usage/memory"]).and_then(|at| bytes_of(&at.value)) {
            let mib = (u128::from(bytes) * 1_000_000) >> 20;
            node.memory_mib.add(at, Quantity(i64::try_from(mib).unwrap_or(i64::MAX)));
        }
    }
    for host in &mut estate.hosts {
        let place = host.place.clone();
        host.usage = measured.get(&host.key).and_then(Measured::usage).map(|usage| At::new(usage, place));
    }
}

fn containers_ask(containers: &[Node<'_>]) -> Asked {
    let mut asked = Asked::default();
    for container in containers {
        let text = |path: &str| container.words_at(&[path]).map(|at| at.value).unwrap_or_default();
        let most_cpu = milli(&text("resources/limits/cpu"));
        let most_memory = bytes_of(&text("resources/limits/memory"));
        let cpu = milli(&text("resources/requests/cpu")).or(most_cpu);
        let memory = bytes_of(&text("resources/requests/memory")).or(most_memory);
        asked.milli = asked.milli.saturating_add(cpu.unwrap_or(0));
        asked.bytes = asked.bytes.saturating_add(memory.unwrap_or(0));
        asked.limit_milli = asked.limit_milli.saturating_add(most_cpu.unwrap_or(0));
        asked.limit_bytes = asked.limit_bytes.saturating_add(most_memory.unwrap_or(0));
    }
    asked
}

fn balancers(service: &Node<'_>, workers: &[HostId], estate: &mut RawEstate) {
    if service.words_at(&["spec/type"]).is_none_or(|at| at.value != "LoadBalancer") {
        return;
    }
    let name = service.words_at(&["metadata/name"]).map(|at| at.value).unwrap_or_default();
    let annotations = service.find("metadata/annotations");
    let is_internal = annotations.is_some_and(|node| {
        node.members().iter().any(|(key, value)| {
            key.contains("internal") && value.words().is_some_and(|at| at.value != "false")
        })
    });
    for port in service.each_at("spec/ports") {
        let number = |key: &str| u16::try_from(port.get(key)?.value.as_u64()?).ok();
        let Some(listens) = number("port") else { continue };
        let protocol =
            port.words_at(&["protocol"]).map_or_else(|| "tcp".to_owned(), |at| at.value.to_lowercase());
        let known = LoadBalancer {
            id: LoadBalancerId(host_id(&format!("{name}-{listens}"))),
            protocol,
            port: listens,
            public: !is_internal,
            members: Vec::new(),
            member_port: number("nodePort").unwrap_or(listens),
            software: Some("kubernetes service".to_owned()),
            health_check: None,
        };
        let members = workers.iter().map(|id| At::new(MemberRef::Key(id.clone()), service.place())).collect();
        estate.load_balancers.push(At::new(RawLoadBalancer { known, members }, service.place()));
    }
}

/// Processors in thousandths: `4`, `250m`, `0.5`.
fn milli(text: &str) -> Option<u64> {
    match text.strip_suffix('m') {
        Some(milli) => milli.parse().ok(),
        None => {
            let value = crate::number::parse(text, Some(crate::number::DecimalSign::Point)).ok()?;
            u64::try_from(value.value.0 / 1_000).ok().filter(|_| value.unit.is_none())
        }
    }
}

/// Processors in billionths, as the metrics server gives them: `156000123n`, `200u`, `1`.
fn nano(text: &str) -> Option<u64> {
    let (digits, unit) = match (text.strip_suffix('n'), text.strip_suffix('u')) {
        (Some(nano), _) => (nano, 1),
        (_, Some(micro)) => (micro, 1_000),
        (None, None) => return milli(text)?.checked_mul(1_000_000),
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

/// A quantity of bytes: `16393244Ki`, `2Gi`, `500M`, `1e9`.
fn bytes_of(text: &str) -> Option<u64> {
    const UNITS: [(&str, u64); 10] = [
        ("Ki", 1 << 10),
        ("Mi", 1 << 20),
        ("Gi", 1 << 30),
        ("Ti", 1 << 40),
        ("Pi", 1 << 50),
        ("k", 1_000),
        ("M", 1_000_000),
        ("G", 1_000_000_000),
        ("T", 1_000_000_000_000),
        ("P", 1_000_000_000_000_000),
    ];
    let (digits, unit) =
        UNITS.iter().find_map(|(unit, bytes)| Some((text.strip_suffix(unit)?, *bytes))).unwrap_or((text, 1));
    if let Some((whole, exponent)) = digits.split_once(['e', 'E']) {
        let power = 10_u64.checked_pow(exponent.parse().ok()?)?;
        return whole.parse::<u64>().ok()?.checked_mul(power);
    }
    if let Some(milli) = digits.strip_suffix('m') {
        return milli.parse::<u64>().ok().map(|milli| milli.div_ceil(1_000));
    }
    let value = crate::number::parse(digits, Some(crate::number::DecimalSign::Point)).ok()?.value.0;
    let bytes = u128::try_from(value).ok()? * u128::from(unit) / 1_000_000;
    u64::try_from(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_read_with_their_units() {
        for (text, expected) in [
            ("2Gi", Some(2 << 30)),
            ("16393244Ki", Some(16_393_244 << 10)),
            ("500M", Some(500_000_000)),
            ("1e9", Some(1_000_000_000)),
            ("1.5Gi", Some(3 << 29)),
            ("", None),
            ("x", None),
        ] {
            assert_eq!(bytes_of(text), expected, "{text}");
        }
        for (text, expected) in
            [("4", Some(4_000)), ("250m", Some(250)), ("0.5", Some(500)), ("", None), ("2 apples", None)]
        {
            assert_eq!(milli(text), expected, "{text}");
        }
        for (text, expected) in [
            ("156000123n", Some(156_000_123)),
            ("200u", Some(200_000)),
            ("2", Some(2_000_000_000)),
            ("n", None),
        ] {
            assert_eq!(nano(text), expected, "{text}");
        }
    }
}

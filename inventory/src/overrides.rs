//! Changes by hand that outlive an import: taken from an estate that was edited, and put on one that is imported again.
//!
//! A change remembers what it replaced. When the import says something else today, the change holds and a finding tells
//! both, so that nobody's old word stands in silence against a new fact. Codes: `INV-13xx`.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::document::{Document, to_pointer};
use carafe_model::estate::{App, CurrentCost, Endpoint, Estate, Flow, KubernetesCluster, LoadBalancer};
use carafe_model::finding::{Finding, Place};
use carafe_model::host::Host;
use carafe_model::ids::HostId;
use carafe_model::overrides::{FlowEnds, Override, Overrides, Target};
use serde::de::DeserializeOwned;
use serde::{Deserialize as _, Serialize};
use serde_json::{Map, Value};

use crate::text::clip;

/// A list of an estate whose entries can be changed.
trait Part: Serialize + DeserializeOwned {
    fn target(&self) -> Target;
    /// Whether a target is an entry of this list.
    fn is_meant(target: &Target) -> bool;
    fn list(estate: &mut Estate) -> &mut Vec<Self>;
}

macro_rules! parts {
    ($($part:ty, $list:ident, $variant:ident, $key:expr;)*) => {$(
        impl Part for $part {
            fn target(&self) -> Target {
                Target::$variant($key(self))
            }

            fn is_meant(target: &Target) -> bool {
                matches!(target, Target::$variant(_))
            }

            fn list(estate: &mut Estate) -> &mut Vec<Self> {
                &mut estate.$list
            }
        }
    )*};
}

parts! {
    Host, hosts, Host, |host: &Host| host.id.clone();
    App, apps, App, |app: &App| app.id.clone();
    LoadBalancer, load_balancers, LoadBalancer, |balancer: &LoadBalancer| balancer.id.clone();
    KubernetesCluster, clusters, Cluster, |cluster: &KubernetesCluster| cluster.id.clone();
    Flow, flows, Flow, |flow: &Flow| FlowEnds {
        from: flow.from.clone(),
        to: flow.to.clone(),
        protocol: flow.protocol.clone(),
        port: flow.port,
    };
}

/// The field of a host that holds labels, each of which is changed by itself.
const LABELS: &str = "labels";

/// What was changed from one estate to another. Sources are no change: they tell where an import came from.
pub fn between(base: &Estate, edited: &Estate) -> Overrides {
    let mut changes = Vec::new();
    fields(&Target::Estate, &own_fields(base), &own_fields(edited), &mut changes);
    parts(&base.hosts, &edited.hosts, &mut changes);
    parts(&base.apps, &edited.apps, &mut changes);
    parts(&base.load_balancers, &edited.load_balancers, &mut changes);
    parts(&base.clusters, &edited.clusters, &mut changes);
    parts(&base.flows, &edited.flows, &mut changes);
    Overrides { carafe: Overrides::header(), changes }
}

/// The fields of the estate itself that can be changed.
fn own_fields(estate: &Estate) -> Value {
    let mut own = Map::new();
    own.insert("name".to_owned(), Value::from(estate.name.as_str()));
    if let Some(today) = &estate.today {
        own.insert("today".to_owned(), value_of(today));
    }
    Value::Object(own)
}

fn value_of<T: Serialize>(part: &T) -> Value {
    serde_json::to_value(part).expect("parts of a document have string keys and no failing parts")
}

fn parts<T: Part>(base: &[T], edited: &[T], changes: &mut Vec<Override>) {
    let by_target = |list: &[T]| -> BTreeMap<Target, Value> {
        list.iter().map(|part| (part.target(), value_of(part))).collect()
    };
    let (base, edited) = (by_target(base), by_target(edited));
    let whole = |target: &Target, was: Option<&Value>, now: Option<&Value>| Override {
        target: target.clone(),
        field: None,
        was: was.cloned(),
        now: now.cloned(),
        because: None,
    };
    for (target, was) in &base {
        match edited.get(target) {
            Some(now) => fields(target, was, now, changes),
            None => changes.push(whole(target, Some(was), None)),
        }
    }
    for (target, now) in edited.iter().filter(|(target, _)| !base.contains_key(target)) {
        changes.push(whole(target, None, Some(now)));
    }
}

/// Adds a change for every field that differs.
fn fields(target: &Target, was: &Value, now: &Value, changes: &mut Vec<Override>) {
    let (was, now) = (flat(was), flat(now));
    for field in was.keys().chain(now.keys()).collect::<BTreeSet<_>>() {
        let (was, now) = (was.get(field), now.get(field));
        if was != now {
            changes.push(Override {
                target: target.clone(),
                field: Some(field.clone()),
                was: was.cloned(),
                now: now.cloned(),
                because: None,
            });
        }
    }
}

/// The fields of a thing, with each label as a field of its own.
fn flat(value: &Value) -> BTreeMap<String, Value> {
    let mut flat = BTreeMap::new();
    for (field, value) in value.as_object().into_iter().flatten() {
        match value {
            Value::Object(labels) if field == LABELS => {
                flat.extend(labels.iter().map(|(label, value)| (format!("{LABELS}/{label}"), value.clone())));
            }
            _ => drop(flat.insert(field.clone(), value.clone())),
        }
    }
    flat
}

/// Puts the changes of a file on an estate. What cannot be put on, and what is worth another look, is told.
pub fn apply(estate: &mut Estate, overrides: &Overrides, file: &str, findings: &mut Vec<Finding>) {
    let place = |index: usize| Place::file(file).at(to_pointer(&["changes", &index.to_string()]));
    let mut changes: Vec<Change<'_>> = overrides
        .changes
        .iter()
        .enumerate()
        .map(|(index, change)| Change { change, place: place(index), outcome: Outcome::Applied })
        .collect();
    for change in changes.iter_mut().filter(|change| change.change.target == Target::Estate) {
        change.outcome = change_estate(estate, change.change);
    }
    apply_to::<Host>(estate, &mut changes);
    apply_to::<App>(estate, &mut changes);
    apply_to::<LoadBalancer>(estate, &mut changes);
    apply_to::<KubernetesCluster>(estate, &mut changes);
    apply_to::<Flow>(estate, &mut changes);
    forget_removed_hosts(estate, overrides);
    findings.extend(changes.into_iter().filter_map(Change::told));
}

/// A change and what became of it.
struct Change<'c> {
    change: &'c Override,
    place: Place,
    outcome: Outcome,
}

/// What became of a change.
enum Outcome {
    Applied,
    /// The import says now what the change says.
    Needless,
    /// It was applied, but what it replaced is not what it was; holds what the import says.
    Moved(Option<Value>),
    /// What it changes is not there any more.
    Vanished,
    /// The estate has no such field, or the field no such value.
    Unfit(String),
}

impl Change<'_> {
    fn told(self) -> Option<Finding> {
        let Override { target, field, was, now, .. } = self.change;
        let about = about(target, field.as_deref());
        let finding = match self.outcome {
            Outcome::Applied => return None,
            Outcome::Needless => {
                Finding::info("INV-1303", format!("the import says the same as the override of {about}"))
                    .help("the override is not needed any more; take it out")
            }
            Outcome::Moved(says) => Finding::warning(
                "INV-1302",
                format!(
                    "the override of {about} replaced {}, and the import says {} now",
                    said(was.as_ref()),
                    said(says.as_ref())
                ),
            )
            .help(format!(
                "the override holds: {}; take it out if the import is right, or write what it says as \"was\"",
                said(now.as_ref())
            )),
            Outcome::Vanished => {
                Finding::warning("INV-1301", format!("the import has nothing that is {about}"))
                    .help("the override was left out; take it out, or name what it is called now")
            }
            Outcome::Unfit(why) => {
                Finding::error("INV-1304", format!("the override of {about} does not fit: {}", clip(&why)))
                    .help("it was left out; `carafe schema estate` prints what is expected there")
            }
        };
        let finding = finding.at(self.place);
        Some(match target {
            Target::Host(id) => finding.host(clip(id.as_str())),
            Target::Estate
            | Target::App(_)
            | Target::LoadBalancer(_)
            | Target::Cluster(_)
            | Target::Flow(_) => finding,
        })
    }
}

/// What a change is about, for a message.
fn about(target: &Target, field: Option<&str>) -> String {
    let end = |end: &Endpoint| match end {
        Endpoint::Host(id) => clip(id.as_str()),
        Endpoint::External(name) => clip(name),
    };
    let what = match target {
        Target::Estate => "the estate".to_owned(),
        Target::Host(id) => format!("the host \"{}\"", clip(id.as_str())),
        Target::App(id) => format!("the app \"{}\"", clip(id.as_str())),
        Target::LoadBalancer(id) => format!("the load balancer \"{}\"", clip(id.as_str())),
        Target::Cluster(id) => format!("the cluster \"{}\"", clip(id.as_str())),
        Target::Flow(flow) => format!("the flow from {} to {}", end(&flow.from), end(&flow.to)),
    };
    match field {
        Some(field) => format!("{} of {what}", clip(field)),
        None => what,
    }
}

fn said(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| clip(&value.to_string()))
}

fn change_estate(estate: &mut Estate, change: &Override) -> Outcome {
    let Some(field) = change.field.as_deref() else {
        return Outcome::Unfit("a field of the estate is wanted".to_owned());
    };
    let (mut own, current) = (own_fields(estate), own_fields(estate).get(field).cloned());
    set(&mut own, field, change.now.clone());
    let name = own.get("name").and_then(Value::as_str).map(str::to_owned);
    let today = own.get("today").map(CurrentCost::deserialize).transpose();
    match (field, name, today) {
        ("name" | "today", Some(name), Ok(today)) => {
            (estate.name, estate.today) = (name, today);
            judged(current, change)
        }
        ("name" | "today", _, _) => Outcome::Unfit(said(change.now.as_ref())),
        (_, _, _) => Outcome::Unfit("there is no such field".to_owned()),
    }
}

/// What a change that fits is, seen from what the import says.
fn judged(current: Option<Value>, change: &Override) -> Outcome {
    if current == change.now {
        Outcome::Needless
    } else if current == change.was {
        Outcome::Applied
    } else {
        Outcome::Moved(current)
    }
}

/// The place of a field, and of a label within its field.
fn steps(field: &str) -> (&str, Option<&str>) {
    match field.strip_prefix(LABELS).and_then(|rest| rest.strip_prefix('/')) {
        Some(label) => (LABELS, Some(label)),
        None => (field, None),
    }
}

fn set(value: &mut Value, field: &str, now: Option<Value>) {
    let (field, label) = steps(field);
    let Some(mut object) = value.as_object_mut() else { return };
    let mut key = field;
    if let Some(label) = label {
        let labels = object.entry(field).or_insert_with(|| Value::Object(Map::new()));
        let Some(labels) = labels.as_object_mut() else { return };
        (object, key) = (labels, label);
    }
    match now {
        Some(now) => drop(object.insert(key.to_owned(), now)),
        None => drop(object.remove(key)),
    }
}

fn get(value: &Value, field: &str) -> Option<Value> {
    match steps(field) {
        (field, Some(label)) => value.get(field)?.get(label).cloned(),
        (field, None) => value.get(field).cloned(),
    }
}

fn apply_to<T: Part>(estate: &mut Estate, changes: &mut [Change<'_>]) {
    let hosts: BTreeSet<HostId> = estate.hosts.iter().map(|host| host.id.clone()).collect();
    let list = T::list(estate);
    let mut places: BTreeMap<Target, usize> =
        list.iter().enumerate().map(|(index, part)| (part.target(), index)).collect();
    let mut removed = BTreeSet::new();
    for change in changes.iter_mut().filter(|change| T::is_meant(&change.change.target)) {
        let Override { target, field, now, .. } = change.change;
        let found = places.get(target).copied();
        change.outcome = match (found, field, now) {
            (Some(index), Some(field), now) => {
                let mut value = value_of(&list[index]);
                let current = get(&value, field);
                set(&mut value, field, now.clone());
                match T::deserialize(&value) {
                    Ok(part) if part.target() == *target => {
                        list[index] = part;
                        judged(current, change.change)
                    }
                    Ok(_) => Outcome::Unfit("what a thing is called cannot be changed".to_owned()),
                    Err(error) => Outcome::Unfit(error.to_string()),
                }
            }
            (None, Some(_), _) => Outcome::Vanished,
            (found, None, Some(now)) => match T::deserialize(now) {
                Ok(part) if part.target() != *target => {
                    Outcome::Unfit("it is another thing than the target".to_owned())
                }
                Ok(_) if !ends_exist(target, &hosts) => Outcome::Vanished,
                Ok(part) => match found {
                    Some(index) => {
                        let current = value_of(&list[index]);
                        list[index] = part;
                        judged(Some(current), change.change)
                    }
                    None => {
                        places.insert(target.clone(), list.len());
                        list.push(part);
                        Outcome::Applied
                    }
                },
                Err(error) => Outcome::Unfit(error.to_string()),
            },
            (Some(_), None, None) => {
                removed.insert(target.clone());
                Outcome::Applied
            }
            (None, None, None) => Outcome::Needless,
        };
    }
    list.retain(|part| !removed.contains(&part.target()));
    list.sort_by_cached_key(Part::target);
}

/// Whether the hosts at the ends of a flow are there; other things have no ends.
fn ends_exist(target: &Target, hosts: &BTreeSet<HostId>) -> bool {
    let exists = |end: &Endpoint| match end {
        Endpoint::Host(id) => hosts.contains(id),
        Endpoint::External(_) => true,
    };
    match target {
        Target::Flow(flow) => exists(&flow.from) && exists(&flow.to),
        Target::Estate | Target::Host(_) | Target::App(_) | Target::LoadBalancer(_) | Target::Cluster(_) => {
            true
        }
    }
}

/// Takes hosts that were taken out by hand out of whatever names them: an import may speak of them still.
fn forget_removed_hosts(estate: &mut Estate, overrides: &Overrides) {
    let kept: BTreeSet<HostId> = estate.hosts.iter().map(|host| host.id.clone()).collect();
    let is_removed = |change: &&Override| change.field.is_none() && change.now.is_none();
    let removed: BTreeSet<&HostId> = overrides
        .changes
        .iter()
        .filter(is_removed)
        .filter_map(|change| match &change.target {
            Target::Host(id) => Some(id).filter(|id| !kept.contains(*id)),
            Target::Estate
            | Target::App(_)
            | Target::LoadBalancer(_)
            | Target::Cluster(_)
            | Target::Flow(_) => None,
        })
        .collect();
    let stays = |id: &HostId| !removed.contains(id);
    let end_stays = |end: &Endpoint| match end {
        Endpoint::Host(id) => stays(id),
        Endpoint::External(_) => true,
    };
    estate.flows.retain(|flow| end_stays(&flow.from) && end_stays(&flow.to));
    estate.load_balancers.iter_mut().for_each(|balancer| balancer.members.retain(stays));
    for cluster in &mut estate.clusters {
        cluster.control_plane.retain(stays);
        cluster.workers.retain(stays);
    }
}

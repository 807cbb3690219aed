//! The order of the move: waves, and the steps of each.

use std::collections::BTreeMap;

use carafe_model::language::Said;
use carafe_model::steps::{Action, AllowRule, Call, Step};
use carafe_model::units::Quantity;

use super::{Block, blocks};
use crate::draw::bars::{Bar, Tone};
use crate::voice::Voice;
use crate::words::{self, visible};

/// Steps in a block.
const BLOCK: usize = 200;
/// The most steps named in a list of what comes before.
const MOST_NAMED: usize = 8;
/// With more steps than this only their kinds are counted; every step is in the other forms of the report.
pub const MOST_STEPS: usize = 3_000;

/// A wave with its steps. Number 0 prepares for all waves.
#[derive(Clone, Debug)]
pub struct WaveView {
    /// From 1 in the order of the move.
    pub number: u32,
    /// Its number and what it is called.
    pub title: String,
    /// Why these hosts, and why now.
    pub reason: String,
    /// Who moves.
    pub hosts: Vec<String>,
    /// How many steps of each kind, the kinds in the order in which they first appear.
    pub kinds: Vec<String>,
    /// How many steps.
    pub count: String,
    /// The steps; none where there are too many.
    pub steps: Vec<Block<StepView>>,
    /// How many hosts, in words.
    pub host_count: String,
    /// How much data is copied, in words; empty when that is not known.
    pub data: String,
}

/// A step.
#[derive(Clone, Debug)]
pub struct StepView {
    /// Its place in the plan, from 1.
    pub number: usize,
    /// What is done.
    pub kind: String,
    /// The resource.
    pub name: String,
    /// More about it, in words.
    pub detail: String,
    /// Provider and region.
    pub place: String,
    /// Numbers of the steps that come before.
    pub after: String,
}

/// Every wave in the order of the move, with the preparation first when there is any.
pub fn waves(voice: &Voice<'_>) -> Vec<WaveView> {
    let plan = voice.plan;
    let numbers: BTreeMap<&str, usize> =
        plan.steps.iter().enumerate().map(|(place, step)| (step.id.as_str(), place + 1)).collect();
    let mut steps: BTreeMap<u32, Vec<(usize, &Step)>> = BTreeMap::new();
    for (place, step) in plan.steps.iter().enumerate() {
        steps.entry(step.wave).or_default().push((place + 1, step));
    }
    let mut views: BTreeMap<u32, WaveView> = BTreeMap::new();
    for wave in &plan.waves {
        let view = views.entry(wave.number).or_insert_with(|| empty(voice, wave.number));
        view.title = title(voice, wave.number, &wave.name);
        view.reason = voice.text(&wave.reason);
        view.hosts.extend(wave.hosts.iter().map(|host| visible(host.as_str())));
    }
    let are_listed = plan.steps.len() <= MOST_STEPS;
    for (wave, steps) in steps {
        let view = views.entry(wave).or_insert_with(|| empty(voice, wave));
        view.kinds = kinds(voice, &steps);
        view.count = voice.n("waves.steps", steps.len());
        view.data = data(voice, &steps);
        if are_listed {
            let steps = steps.into_iter().map(|(number, step)| self::step(voice, number, step, &numbers));
            view.steps = blocks(steps.collect(), BLOCK);
        }
    }
    for view in views.values_mut() {
        view.host_count = voice.n("answer.hosts", view.hosts.len());
    }
    views.into_values().collect()
}

/// A bar for each wave, one after the other: a wave begins when the one before it is over. How long each takes nobody
/// knows beforehand, so all are drawn alike.
pub fn gantt(waves: &[WaveView]) -> Vec<Bar> {
    let length = 1.0 / waves.len().max(1) as f64;
    let bar = |(place, wave): (usize, &WaveView)| Bar {
        label: wave.title.clone(),
        figure: match (wave.hosts.is_empty(), wave.data.is_empty()) {
            (true, _) => wave.count.clone(),
            (false, true) => wave.host_count.clone(),
            (false, false) => format!("{}, {}", wave.host_count, wave.data),
        },
        from: place as f64 * length,
        to: (place + 1) as f64 * length,
        tone: if wave.number == 0 { Tone::Part } else { Tone::Plan },
    };
    waves.iter().enumerate().map(bar).collect()
}

fn data(voice: &Voice<'_>, steps: &[(usize, &Step)]) -> String {
    let mut gib = 0i64;
    for (_, step) in steps {
        if let Action::Manual { gib: Some(copied), .. } = &step.action {
            gib = gib.saturating_add(copied.0);
        }
    }
    if gib == 0 { String::new() } else { voice.x("waves.data", &voice.quantity(Quantity(gib))) }
}

fn empty(voice: &Voice<'_>, number: u32) -> WaveView {
    let (title, reason) = match number {
        0 => (voice.w("waves.preparation").to_owned(), voice.w("waves.preparation-why")),
        number => (title(voice, number, ""), ""),
    };
    WaveView {
        number,
        title,
        reason: reason.to_owned(),
        hosts: Vec::new(),
        kinds: Vec::new(),
        count: voice.n("waves.steps", 0),
        steps: Vec::new(),
        host_count: String::new(),
        data: String::new(),
    }
}

fn title(voice: &Voice<'_>, number: u32, name: &str) -> String {
    let title = voice.n("waves.title", number as usize);
    let own = own_name(number, name);
    if own.is_empty() { title } else { format!("{title}: {}", visible(own)) }
}

/// The name without its number: a planner may or may not put that into it.
fn own_name(number: u32, name: &str) -> &str {
    match name.strip_prefix(&format!("Wave {number}")) {
        Some(rest) if !rest.starts_with(|c: char| c.is_ascii_digit()) => rest.trim_start_matches(':').trim(),
        Some(_) | None => name,
    }
}

fn kinds(voice: &Voice<'_>, steps: &[(usize, &Step)]) -> Vec<String> {
    let mut counts: Vec<(&'static str, usize)> = Vec::new();
    for (_, step) in steps {
        let kind = kind(&step.action);
        match counts.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => counts.push((kind, 1)),
        }
    }
    counts.into_iter().map(|(kind, count)| voice.n(kind, count)).collect()
}

fn step(voice: &Voice<'_>, number: usize, step: &Step, numbers: &BTreeMap<&str, usize>) -> StepView {
    StepView {
        number,
        kind: kind_name(voice, &step.action).to_owned(),
        name: visible(step.action.name()),
        detail: detail(voice, &step.action),
        place: voice.place(&step.provider, &step.region),
        after: after(voice, step, numbers),
    }
}

fn after(voice: &Voice<'_>, step: &Step, numbers: &BTreeMap<&str, usize>) -> String {
    let named = step.after.iter().take(MOST_NAMED).map(|id| match numbers.get(id.as_str()) {
        Some(number) => number.to_string(),
        None => visible(id.as_str()),
    });
    let text = named.collect::<Vec<_>>().join(", ");
    match step.after.len() {
        many if many > MOST_NAMED => format!("{text}, {}", voice.n("costs.others", many - MOST_NAMED)),
        _ => text,
    }
}

/// The key of a number of steps of a kind.
const fn kind(action: &Action) -> &'static str {
    match action {
        Action::Network { .. } => "steps.network",
        Action::Subnet { .. } => "steps.subnet",
        Action::SecurityGroup { .. } => "steps.security-group",
        Action::KeyPair { .. } => "steps.key-pair",
        Action::Machine { .. } => "steps.machine",
        Action::Disk { .. } => "steps.disk",
        Action::Attachment { .. } => "steps.attachment",
        Action::PublicAddress { .. } => "steps.public-address",
        Action::LoadBalancer { .. } => "steps.load-balancer",
        Action::KubernetesCluster { .. } => "steps.cluster",
        Action::Manual { .. } => "steps.manual",
        Action::Hook { .. } => "steps.hook",
        Action::Check { .. } => "steps.check",
        Action::Approval { .. } => "steps.approval",
    }
}

/// The name of a kind of step.
pub(crate) fn kind_name(voice: &Voice<'_>, action: &Action) -> &'static str {
    voice.w(match action {
        Action::Network { .. } => "step.network",
        Action::Subnet { .. } => "step.subnet",
        Action::SecurityGroup { .. } => "step.security-group",
        Action::KeyPair { .. } => "step.key-pair",
        Action::Machine { .. } => "step.machine",
        Action::Disk { .. } => "step.disk",
        Action::Attachment { .. } => "step.attachment",
        Action::PublicAddress { .. } => "step.public-address",
        Action::LoadBalancer { .. } => "step.load-balancer",
        Action::KubernetesCluster { .. } => "step.cluster",
        Action::Manual { .. } => "step.manual",
        Action::Hook { .. } => "step.hook",
        Action::Check { .. } => "step.check",
        Action::Approval { .. } => "step.approval",
    })
}

/// More about a step, in words.
pub(crate) fn detail(voice: &Voice<'_>, action: &Action) -> String {
    let say = |said: Said| voice.say(&said);
    match action {
        Action::Network { cidr, .. } => visible(cidr),
        Action::Subnet { network, cidr, zone, .. } => {
            let place = format!("{} · {}", visible(cidr), visible(network));
            match zone {
                Some(zone) => format!("{place} · {}", visible(zone)),
                None => place,
            }
        }
        Action::SecurityGroup { network, rules, .. } => {
            let rules: Vec<String> = rules.iter().map(|allowed| rule(voice, allowed)).collect();
            let network = visible(network);
            match rules.is_empty() {
                true => voice.x("detail.closed", &network),
                false => say(Said::new("detail.open").with("x", network).with("rules", rules.join("; "))),
            }
        }
        Action::KeyPair { .. } => voice.w("detail.key-pair").to_owned(),
        Action::Machine { instance_type, vcpus, memory_mib, image, subnet, root_disk_gib, .. } => {
            let system = match (image.name.as_str(), words::os_family(image.family)) {
                ("", "") => voice.w("detail.other-system").to_owned(),
                ("", family) => family.to_owned(),
                (name, _) => visible(name),
            };
            let mut parts = vec![
                visible(instance_type),
                voice.x("detail.at-least", &voice.size(*vcpus, *memory_mib)),
                system,
            ];
            parts.extend(root_disk_gib.map(|gib| voice.n("detail.boot-disk", gib.0 as usize)));
            parts.push(visible(subnet));
            parts.join(" · ")
        }
        Action::Disk { class, size_gib, .. } => {
            let size = voice.n("costs.gib", size_gib.0 as usize);
            class.as_ref().map_or(size.clone(), |class| format!("{size} · {}", visible(class)))
        }
        Action::Attachment { disk, machine, .. } => format!("{} → {}", visible(disk), visible(machine)),
        Action::PublicAddress { machine, .. } => visible(machine),
        Action::LoadBalancer { public, protocol, port, member_port, members, .. } => {
            let reach = voice.w(if *public { "detail.public" } else { "detail.internal" });
            let members: Vec<String> = members.iter().map(|member| visible(member)).collect();
            let protocol = visible(protocol);
            format!("{reach} · {protocol} {port} → {member_port} · {}", members.join(", "))
        }
        Action::KubernetesCluster { version, instance_type, nodes, .. } => {
            let version = version.as_ref().map_or(String::new(), |v| format!("{} · ", visible(v)));
            let nodes = voice.n("detail.nodes", *nodes as usize);
            format!("{version}{nodes} · {}", visible(instance_type))
        }
        Action::Manual { text, .. } => voice.text(text),
        Action::Hook { run, .. } => match run {
            Call::Command { command, .. } => visible(&command.join(" ")),
            Call::Http { method, url, .. } => format!("{} {}", visible(method), visible(url)),
        },
        Action::Check { probes, .. } => {
            probes.iter().map(|probe| visible(&probe.words())).collect::<Vec<_>>().join("; ")
        }
        Action::Approval { text, .. } => voice.text(text),
    }
}

fn rule(voice: &Voice<'_>, rule: &AllowRule) -> String {
    let protocol = match rule.protocol.as_str() {
        "*" => voice.w("detail.everything").to_owned(),
        protocol => visible(protocol),
    };
    let ports = match (rule.from_port, rule.to_port) {
        (Some(from), Some(to)) if from != to => format!(" {from}–{to}"),
        (Some(port), _) | (None, Some(port)) => format!(" {port}"),
        (None, None) => String::new(),
    };
    format!("{protocol}{ports} ← {}", visible(&rule.source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_says_its_number_once() {
        for (name, expected) in
            [("", ""), ("databases", "databases"), ("Wave 1: databases", "databases"), ("Wave 12", "Wave 12")]
        {
            assert_eq!(own_name(1, name), expected);
        }
    }
}

//! The order of the move: waves, and the steps of each.

use std::collections::BTreeMap;

use carafe_model::plan::Plan;
use carafe_model::steps::{Action, AllowRule, Call, Step};

use super::placements::size;
use super::{Block, blocks};
use crate::figures;
use crate::words::{self, counted, visible};

/// Steps in a block.
const BLOCK: usize = 200;
/// The most steps named in a list of what comes before.
const MOST_NAMED: usize = 8;

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
    /// The steps.
    pub steps: Vec<Block<StepView>>,
}

/// A step.
#[derive(Clone, Debug)]
pub struct StepView {
    /// Its place in the plan, from 1.
    pub number: usize,
    /// What is done.
    pub kind: &'static str,
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
pub fn waves(plan: &Plan) -> Vec<WaveView> {
    let numbers: BTreeMap<&str, usize> =
        plan.steps.iter().enumerate().map(|(place, step)| (step.id.as_str(), place + 1)).collect();
    let mut steps: BTreeMap<u32, Vec<(usize, &Step)>> = BTreeMap::new();
    for (place, step) in plan.steps.iter().enumerate() {
        steps.entry(step.wave).or_default().push((place + 1, step));
    }
    let mut views: BTreeMap<u32, WaveView> = BTreeMap::new();
    for wave in &plan.waves {
        let view = views.entry(wave.number).or_insert_with(|| empty(wave.number));
        view.title = title(wave.number, &wave.name);
        view.reason = visible(&wave.reason);
        view.hosts.extend(wave.hosts.iter().map(|host| visible(host.as_str())));
    }
    for (wave, steps) in steps {
        let view = views.entry(wave).or_insert_with(|| empty(wave));
        view.kinds = kinds(&steps);
        view.count = counted(steps.len(), "step");
        let steps = steps.into_iter().map(|(number, step)| self::step(number, step, &numbers)).collect();
        view.steps = blocks(steps, BLOCK);
    }
    views.into_values().collect()
}

fn empty(number: u32) -> WaveView {
    let (title, reason) = match number {
        0 => ("Preparation".to_owned(), "What all waves stand on is made first."),
        number => (title(number, ""), ""),
    };
    WaveView {
        number,
        title,
        reason: reason.to_owned(),
        hosts: Vec::new(),
        kinds: Vec::new(),
        count: counted(0, "step"),
        steps: Vec::new(),
    }
}

/// A planner may or may not put the number into the name.
fn title(number: u32, name: &str) -> String {
    let numbered = format!("Wave {number}");
    match name.strip_prefix(&numbered) {
        _ if name.is_empty() => numbered,
        Some(rest) if !rest.starts_with(|c: char| c.is_ascii_digit()) => visible(name),
        _ => format!("{numbered}: {}", visible(name)),
    }
}

fn kinds(steps: &[(usize, &Step)]) -> Vec<String> {
    let mut counts: Vec<(&'static str, usize)> = Vec::new();
    for (_, step) in steps {
        let kind = kind(&step.action);
        match counts.iter_mut().find(|(known, _)| *known == kind) {
            Some((_, count)) => *count += 1,
            None => counts.push((kind, 1)),
        }
    }
    counts.into_iter().map(|(kind, count)| words_of_count(kind, count)).collect()
}

fn words_of_count(kind: &str, count: usize) -> String {
    match (kind, count) {
        ("public address", 2..) => format!("{} public addresses", figures::count(count)),
        _ => counted(count, kind),
    }
}

fn step(number: usize, step: &Step, numbers: &BTreeMap<&str, usize>) -> StepView {
    StepView {
        number,
        kind: kind(&step.action),
        name: visible(step.action.name()),
        detail: detail(&step.action),
        place: format!("{} / {}", words::provider(step.provider.as_str()), visible(step.region.as_str())),
        after: after(step, numbers),
    }
}

fn after(step: &Step, numbers: &BTreeMap<&str, usize>) -> String {
    let named = step.after.iter().take(MOST_NAMED).map(|id| match numbers.get(id.as_str()) {
        Some(number) => number.to_string(),
        None => visible(id.as_str()),
    });
    let text = named.collect::<Vec<_>>().join(", ");
    match step.after.len() {
        many if many > MOST_NAMED => format!("{text} and {} others", figures::count(many - MOST_NAMED)),
        _ => text,
    }
}

fn kind(action: &Action) -> &'static str {
    match action {
        Action::Network { .. } => "network",
        Action::Subnet { .. } => "subnet",
        Action::SecurityGroup { .. } => "security group",
        Action::KeyPair { .. } => "key pair",
        Action::Machine { .. } => "machine",
        Action::Disk { .. } => "disk",
        Action::Attachment { .. } => "attachment",
        Action::PublicAddress { .. } => "public address",
        Action::LoadBalancer { .. } => "load balancer",
        Action::KubernetesCluster { .. } => "Kubernetes cluster",
        Action::Manual { .. } => "manual step",
        Action::Hook { .. } => "hook",
        Action::Check { .. } => "check",
        Action::Approval { .. } => "approval",
    }
}

fn detail(action: &Action) -> String {
    match action {
        Action::Network { cidr, .. } => visible(cidr),
        Action::Subnet { network, cidr, zone, .. } => {
            let zone = zone.as_ref().map_or(String::new(), |zone| format!(", zone {}", visible(zone)));
            format!("{} in {}{zone}", visible(cidr), visible(network))
        }
        Action::SecurityGroup { network, rules, .. } => {
            let rules = rules.iter().map(rule).collect::<Vec<_>>().join("; ");
            let rules =
                if rules.is_empty() { "lets nothing in".to_owned() } else { format!("lets in {rules}") };
            format!("in {}, {rules}", visible(network))
        }
        Action::KeyPair { .. } => "for logging in".to_owned(),
        Action::Machine { instance_type, vcpus, memory_mib, image, subnet, root_disk_gib, .. } => {
            let system = if image.name.is_empty() {
                words::os_family(image.family).to_owned()
            } else {
                visible(&image.name)
            };
            let disk = root_disk_gib
                .map_or(String::new(), |gib| format!(", boot disk {} GiB", figures::count(gib.0 as usize)));
            format!(
                "{}, at least {}, {system}{disk}, in {}",
                visible(instance_type),
                size(*vcpus, *memory_mib),
                visible(subnet)
            )
        }
        Action::Disk { class, size_gib, .. } => {
            let class = class.as_ref().map_or(String::new(), |class| format!(", {}", visible(class)));
            format!("{} GiB{class}", figures::count(size_gib.0 as usize))
        }
        Action::Attachment { disk, machine, .. } => format!("{} to {}", visible(disk), visible(machine)),
        Action::PublicAddress { machine, .. } => format!("for {}", visible(machine)),
        Action::LoadBalancer { public, protocol, port, member_port, members, .. } => {
            let reach = if *public { "public" } else { "internal" };
            let members: Vec<String> = members.iter().map(|member| visible(member)).collect();
            format!("{reach}, {} {port} to {member_port} of {}", visible(protocol), words::listed(&members))
        }
        Action::KubernetesCluster { version, instance_type, nodes, .. } => {
            let version = version.as_ref().map_or(String::new(), |v| format!("version {}, ", visible(v)));
            format!("{version}{} nodes of {}", figures::count(*nodes as usize), visible(instance_type))
        }
        Action::Manual { text, gib, .. } => match gib {
            // The text may say it already.
            Some(gib) if !text.contains(&gib.to_string()) => {
                format!("{} ({} GiB)", visible(text), figures::quantity(*gib))
            }
            Some(_) | None => visible(text),
        },
        Action::Hook { run, .. } => match run {
            Call::Command { command, .. } => format!("runs {}", visible(&command.join(" "))),
            Call::Http { method, url, .. } => format!("{} {}", visible(method), visible(url)),
        },
        Action::Check { probes, .. } => {
            let probes: Vec<String> = probes.iter().map(|probe| visible(&probe.words())).collect();
            format!("looks at {}", words::listed(&probes))
        }
        Action::Approval { text, .. } => visible(text),
    }
}

fn rule(rule: &AllowRule) -> String {
    let protocol = if rule.protocol == "*" { "everything".to_owned() } else { visible(&rule.protocol) };
    let ports = match (rule.from_port, rule.to_port) {
        (Some(from), Some(to)) if from != to => format!(" {from} to {to}"),
        (Some(port), _) | (None, Some(port)) => format!(" {port}"),
        (None, None) => String::new(),
    };
    format!("{protocol}{ports} from {}", visible(&rule.source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wave_says_its_number_once() {
        for (name, expected) in [
            ("", "Wave 1"),
            ("databases", "Wave 1: databases"),
            ("Wave 1: databases", "Wave 1: databases"),
            ("Wave 12", "Wave 1: Wave 12"),
        ] {
            assert_eq!(title(1, name), expected);
        }
    }
}

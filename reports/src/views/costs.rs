//! The monthly cost by provider, region, component and term, and against today.

use std::collections::BTreeMap;

use carafe_model::plan::{BillLine, Component};
use carafe_model::units::Money;

use super::answer::Comparison;
use super::{difference, sum};
use crate::draw::bars::{Bar, Tone};
use crate::figures::Amount;
use crate::voice::Voice;
use crate::words::{self, visible};

/// The monthly cost, split one way.
#[derive(Clone, Debug)]
pub struct Split {
    /// What documents call what it is split by: `provider`, `region`, `component` or `term`.
    pub by: &'static str,
    /// What the parts are.
    pub head: &'static str,
    /// What the figure shows.
    pub title: &'static str,
    /// The parts, the dearest first.
    pub parts: Vec<Part>,
    /// All of them.
    pub total: Amount,
}

/// One part of the monthly cost.
#[derive(Clone, Debug)]
pub struct Part {
    /// What it is.
    pub label: String,
    /// What it costs a month.
    pub monthly: Money,
    /// The same, written.
    pub amount: Amount,
    /// Its share of the total; empty when the total is not positive.
    pub share: String,
}

/// The most bars in a chart; the table beside it has every part.
pub const MOST_BARS: usize = 10;

/// Splits the bill by provider, by region, by component and by term.
pub fn splits(voice: &Voice<'_>) -> Vec<Split> {
    let region = |line: &BillLine| match &line.region {
        Some(region) => voice.place(&line.provider, region),
        None => voice.x("costs.all-regions", &words::provider(line.provider.as_str())),
    };
    let provider = |line: &BillLine| words::provider(line.provider.as_str());
    let component = |line: &BillLine| voice.w(words::component(line.component)).to_owned();
    vec![
        split(voice, "provider", ["costs.provider", "costs.by-provider"], provider),
        split(voice, "region", ["costs.region", "costs.by-region"], region),
        split(voice, "component", ["costs.component", "costs.by-component"], component),
    ]
}

/// The cost of machines by how they are paid for, with how many hosts; one bar for each term in use.
pub fn terms(voice: &Voice<'_>) -> Vec<Bar> {
    let mut parts: BTreeMap<_, (Money, usize)> = BTreeMap::new();
    let mut machines: BTreeMap<&str, Money> = BTreeMap::new();
    for line in voice.plan.bill.iter().filter(|line| line.component == Component::Machine) {
        let Some(host) = &line.host else { continue };
        let total = machines.entry(host.as_str()).or_default();
        *total = sum([*total, line.monthly]);
    }
    for placement in &voice.plan.placements {
        let part = parts.entry(placement.term).or_default();
        part.0 = sum([part.0, machines.get(placement.host.as_str()).copied().unwrap_or_default()]);
        part.1 += 1;
    }
    let largest = parts.values().map(|part| part.0.to_f64()).fold(0.0, f64::max);
    let bar = |(term, (monthly, hosts)): (_, (Money, usize))| Bar {
        label: format!("{}, {}", voice.w(words::term(term)), voice.n("answer.hosts", hosts)),
        figure: voice.amount(monthly).shown,
        from: 0.0,
        to: monthly.to_f64() / largest.max(f64::MIN_POSITIVE),
        tone: Tone::Plan,
    };
    parts.into_iter().map(bar).collect()
}

fn split(
    voice: &Voice<'_>,
    by: &'static str,
    [head, title]: [&'static str; 2],
    label: impl Fn(&BillLine) -> String,
) -> Split {
    let mut parts: BTreeMap<String, Money> = BTreeMap::new();
    for line in &voice.plan.bill {
        let part = parts.entry(label(line)).or_default();
        *part = sum([*part, line.monthly]);
    }
    let total = sum(parts.values().copied());
    let mut parts: Vec<Part> =
        parts.into_iter().map(|(label, monthly)| part(voice, label, monthly, total)).collect();
    parts.sort_by_key(|part| std::cmp::Reverse(part.monthly));
    Split { by, head: voice.w(head), title: voice.w(title), parts, total: voice.amount(total) }
}

fn part(voice: &Voice<'_>, label: String, monthly: Money, total: Money) -> Part {
    Part {
        label: visible(&label),
        monthly,
        amount: voice.amount(monthly),
        share: voice.share(monthly, total).unwrap_or_default(),
    }
}

/// The parts that get a bar: all when they are few, else the dearest and one for all others.
pub fn bars(voice: &Voice<'_>, split: &Split) -> Vec<Bar> {
    let mut parts = split.parts.clone();
    if parts.len() > MOST_BARS {
        let total = sum(parts.iter().map(|part| part.monthly));
        let others = parts.len() - (MOST_BARS - 1);
        parts.truncate(MOST_BARS - 1);
        let rest = difference(total, sum(parts.iter().map(|part| part.monthly)));
        parts.push(part(voice, voice.n("costs.others", others), rest, total));
    }
    let largest = parts.iter().map(|part| part.monthly.to_f64()).fold(0.0, f64::max);
    let bar = |part: Part| Bar {
        figure: match part.share.as_str() {
            "" => part.amount.shown.clone(),
            share => format!("{} · {share}", part.amount.shown),
        },
        label: part.label,
        from: 0.0,
        to: part.monthly.to_f64() / largest.max(f64::MIN_POSITIVE),
        tone: Tone::Plan,
    };
    parts.into_iter().map(bar).collect()
}

/// From what is paid today to what the plan costs: today, each component of the plan on top of the ones before, the
/// plan, and the difference. Without today's cost only the plan is built up.
pub fn waterfall(voice: &Voice<'_>, split: &Split) -> Vec<Bar> {
    let plan = voice.plan.totals.monthly;
    let today = Comparison::new(voice.plan);
    let largest = plan.to_f64().max(today.as_ref().map_or(0.0, |today| today.today.to_f64()));
    let part_of = |money: Money| money.to_f64() / largest.max(f64::MIN_POSITIVE);
    let whole = |key: &str, money: Money, tone| Bar {
        label: voice.w(key).to_owned(),
        figure: voice.amount(money).shown,
        from: 0.0,
        to: part_of(money),
        tone,
    };
    let mut bars = Vec::new();
    bars.extend(today.as_ref().map(|today| whole("costs.today", today.today, Tone::Today)));
    let mut before = Money::ZERO;
    for part in &split.parts {
        let after = sum([before, part.monthly]);
        bars.push(Bar {
            label: part.label.clone(),
            figure: part.amount.shown.clone(),
            from: part_of(before),
            to: part_of(after),
            tone: Tone::Part,
        });
        before = after;
    }
    bars.push(whole("costs.plan", plan, Tone::Plan));
    if let Some(today) = today.filter(|today| today.saved != Money::ZERO) {
        let (key, tone) =
            if today.saved.0 > 0 { ("costs.saving", Tone::Good) } else { ("costs.extra", Tone::Care) };
        let (from, to) = (part_of(plan), part_of(today.today));
        bars.push(Bar {
            label: voice.w(key).to_owned(),
            figure: voice.amount(Money(today.saved.0.saturating_abs())).shown,
            from: from.min(to),
            to: from.max(to),
            tone,
        });
    }
    bars
}

/// Threads and memory in all: today, asked for, and bought; two rows of bars, each against its own largest.
pub fn sizing(voice: &Voice<'_>) -> Vec<Bar> {
    let mut vcpus = [0u64; 3];
    let mut memory = [0u64; 3];
    for placement in &voice.plan.placements {
        let demand = &placement.demand;
        let threads = [demand.source_vcpus, demand.vcpus, placement.vcpus];
        let mebibytes = [demand.source_memory_mib, demand.memory_mib, placement.memory_mib];
        for (total, more) in vcpus.iter_mut().zip(threads) {
            *total = total.saturating_add(u64::from(more.0));
        }
        for (total, more) in memory.iter_mut().zip(mebibytes) {
            *total = total.saturating_add(more.0);
        }
    }
    let keys = ["costs.size-today", "costs.size-needed", "costs.size-bought"];
    let tones = [Tone::Today, Tone::Part, Tone::Plan];
    let row = |unit: &'static str, totals: [u64; 3], said: [String; 3]| {
        let largest = totals.into_iter().max().unwrap_or(0).max(1) as f64;
        let bar = move |(((key, total), figure), tone): (((&str, u64), String), Tone)| Bar {
            label: format!("{unit}, {}", voice.w(key)),
            figure,
            from: 0.0,
            to: total as f64 / largest,
            tone,
        };
        keys.into_iter().zip(totals).zip(said).zip(tones).map(bar).collect::<Vec<_>>()
    };
    let threads = vcpus.map(|n| voice.count(usize::try_from(n).unwrap_or(usize::MAX)));
    let gibibytes = memory.map(|n| voice.n("costs.gib", usize::try_from(n / 1024).unwrap_or(usize::MAX)));
    let mut bars = row("vCPU", vcpus, threads);
    bars.extend(row(voice.w("costs.memory"), memory, gibibytes));
    bars
}

//! Makes a comparison of plans: figures of each, what differs from the first, and money against other things.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::comparison::{
    Alike, Column, Comparison, ComponentSum, Fate, Figures, Front, HostDifference, Line, LineChange, Point,
    ProviderCount, SharedDifference,
};
use carafe_model::document::Document;
use carafe_model::finding::{Finding, Severity};
use carafe_model::ids::HostId;
use carafe_model::language::{Language, Said, Sentence};
use carafe_model::plan::{BillLine, Component, Plan};
use carafe_model::units::{Currency, Money, Quantity};
use carafe_model::what_if::Axis;

use crate::views::{difference, sum};

/// One plan to compare, or why there is none.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is called.
    pub name: String,
    /// What is changed in the policy, as it would be written there.
    pub changes: Vec<String>,
    /// Why not every host has a place; `None` when every one has.
    pub infeasible: Option<Sentence>,
    /// The plan.
    pub plan: Option<Plan>,
    /// What was found where there is no plan; the plan's own findings are counted from it.
    pub findings: Vec<Finding>,
}

/// Compares plans, which are all in one currency; the first with a plan is what the others are held against.
pub fn compare(name: &str, currency: Currency, mut entries: Vec<Entry>) -> Comparison {
    // What the others are held against comes first, so that a reader finds it there.
    if let Some(base) = entries.iter().position(|entry| entry.plan.is_some()) {
        let base = entries.remove(base);
        entries.insert(0, base);
    }
    for plan in entries.iter_mut().filter_map(|entry| entry.plan.as_mut()) {
        remember(plan);
    }
    let plans: Vec<Option<&Plan>> = entries.iter().map(|entry| entry.plan.as_ref()).collect();
    let base = plans.first().copied().flatten();
    let mut columns: Vec<Column> = entries.iter().map(|entry| column(entry, base)).collect();
    for column in columns.iter_mut().skip(1) {
        if column.infeasible.is_some()
            && let Some(figures) = &mut column.figures
        {
            figures.costs_more = None;
        }
    }
    let (hosts, hosts_alike) = hosts(&plans);
    Comparison {
        carafe: Comparison::header(),
        name: name.to_owned(),
        currency,
        alike: alike(&plans),
        hosts,
        hosts_alike,
        shared: shared(&plans),
        fronts: fronts(&columns),
        columns,
        live: Vec::new(),
    }
}

/// Lets the sentences that are shown know again what they say, which a plan from a file keeps apart from them.
fn remember(plan: &mut Plan) {
    let known: BTreeMap<&str, &Said> =
        plan.sentences.iter().map(|known| (known.text.as_str(), &known.said)).collect();
    let reasons = plan.unplaced.iter_mut().flat_map(|unplaced| &mut unplaced.reasons);
    let staying = plan.staying.iter_mut().map(|staying| &mut staying.reason);
    let items = plan.bill.iter_mut().map(|line| &mut line.item);
    for sentence in reasons.chain(staying).chain(items) {
        if let Some(said) = known
            .get(sentence.as_str())
            .filter(|said| Language::ENGLISH.try_say(said).as_deref() == Some(sentence.as_str()))
        {
            *sentence = Sentence::from((*said).clone());
        }
    }
}

fn alike(plans: &[Option<&Plan>]) -> Alike {
    let one = |of: &dyn Fn(&Plan) -> String| {
        plans.iter().flatten().map(|plan| of(plan)).collect::<BTreeSet<String>>().len() <= 1
    };
    Alike {
        estate: one(&|plan| plan.estate_sha256.clone()),
        catalog: one(&|plan| plan.catalog.sha256.clone()),
        policy: one(&|plan| plan.policy_sha256.clone()),
        horizon: one(&|plan| plan.totals.horizon_months.to_string()),
    }
}

fn column(entry: &Entry, base: Option<&Plan>) -> Column {
    let figures = entry.plan.as_ref().map(|plan| {
        let is_base = base.is_some_and(|base| std::ptr::eq(base, plan));
        let costs_more = base.filter(|_| !is_base);
        figures(plan, costs_more.map(|base| difference(plan.totals.monthly, base.totals.monthly)))
    });
    Column {
        name: entry.name.clone(),
        changes: entry.changes.clone(),
        infeasible: entry.infeasible.clone(),
        figures,
        findings: entry.findings.clone(),
    }
}

fn counted(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn figures(plan: &Plan, costs_more: Option<Money>) -> Figures {
    let mut by_provider: BTreeMap<&str, ProviderCount> = BTreeMap::new();
    let mut regions = BTreeSet::new();
    for placement in &plan.placements {
        let of_provider = by_provider.entry(placement.provider.as_str()).or_insert_with(|| ProviderCount {
            provider: placement.provider.clone(),
            hosts: 0,
            monthly: Money::ZERO,
        });
        of_provider.hosts = of_provider.hosts.saturating_add(1);
        regions.insert(format!("{}/{}", placement.provider, placement.region));
    }
    for line in &plan.bill {
        if let Some(of_provider) = by_provider.get_mut(line.provider.as_str()) {
            of_provider.monthly = sum([of_provider.monthly, line.monthly]);
        }
    }
    let of_component =
        |component| sum(plan.bill.iter().filter(|line| line.component == component).map(|line| line.monthly));
    let severity = |severity| counted(plan.findings.iter().filter(|f| f.severity == severity).count());
    let (totals, bound) = (&plan.totals, &plan.bound);
    Figures {
        monthly: totals.monthly,
        monthly_list: sum(plan.bill.iter().map(|line| match &line.list {
            Some(list) => list.rate.times(line.quantity),
            None => line.monthly,
        })),
        monthly_low: totals.monthly_low,
        monthly_high: totals.monthly_high,
        one_time: totals.one_time,
        horizon_months: totals.horizon_months,
        horizon: totals.horizon,
        today: plan.today.as_ref().map(|today| today.monthly),
        costs_more,
        lower_bound: bound.lower_bound,
        gap: bound.gap,
        proven: bound.proven,
        placed: counted(plan.placements.len()),
        staying: counted(plan.staying.len()),
        unplaced: counted(plan.unplaced.len()),
        by_provider: by_provider.into_values().collect(),
        regions: regions.into_iter().collect(),
        longest_round_trip_ms: longest_round_trip(plan),
        by_component: Component::ALL
            .into_iter()
            .map(|component| ComponentSum { component, monthly: of_component(component) })
            .filter(|sum| sum.monthly != Money::ZERO)
            .collect(),
        estimated: sum(plan.bill.iter().filter(|line| line.range.is_some()).map(|line| line.monthly)),
        waves: counted(plan.waves.len()),
        steps: counted(plan.steps.len()),
        manual_steps: counted(plan.steps.iter().filter(|step| step.action.kind() == "manual").count()),
        findings: [severity(Severity::Error), severity(Severity::Warning), severity(Severity::Info)],
        estate_sha256: plan.estate_sha256.clone(),
        catalog: plan.catalog.id.clone(),
        catalog_sha256: plan.catalog.sha256.clone(),
        policy_sha256: plan.policy_sha256.clone(),
    }
}

/// What one plan says of each host, and its lines of the bill.
struct Index<'p> {
    fates: BTreeMap<&'p HostId, Fate>,
    lines: BTreeMap<&'p HostId, Vec<&'p BillLine>>,
}

impl<'p> Index<'p> {
    fn new(plan: &'p Plan) -> Index<'p> {
        let mut fates = BTreeMap::new();
        for placement in &plan.placements {
            fates.insert(
                &placement.host,
                Fate::Placed {
                    provider: placement.provider.clone(),
                    region: placement.region.clone(),
                    offer: placement.offer.clone(),
                    term: placement.term.name().to_owned(),
                    monthly: placement.monthly,
                    changes: Vec::new(),
                },
            );
        }
        for staying in &plan.staying {
            fates
                .insert(&staying.host, Fate::Staying { reason: staying.reason.clone(), changes: Vec::new() });
        }
        for unplaced in &plan.unplaced {
            fates.insert(
                &unplaced.host,
                Fate::Unplaced { reasons: unplaced.reasons.clone(), changes: Vec::new() },
            );
        }
        let mut lines: BTreeMap<&HostId, Vec<&BillLine>> = BTreeMap::new();
        for line in &plan.bill {
            if let Some(host) = &line.host {
                lines.entry(host).or_default().push(line);
            }
        }
        Index { fates, lines }
    }

    fn fate(&self, host: &HostId) -> Fate {
        self.fates.get(host).cloned().unwrap_or(Fate::Unknown { changes: Vec::new() })
    }

    fn lines(&self, host: &HostId) -> &[&'p BillLine] {
        self.lines.get(host).map(Vec::as_slice).unwrap_or_default()
    }
}

fn hosts(plans: &[Option<&Plan>]) -> (Vec<HostDifference>, u32) {
    let indices: Vec<Option<Index<'_>>> = plans.iter().map(|plan| plan.map(Index::new)).collect();
    let all: BTreeSet<&HostId> = indices
        .iter()
        .flatten()
        .flat_map(|index| index.fates.keys().chain(index.lines.keys()))
        .copied()
        .collect();
    let Some(Some(base)) = indices.first() else { return (Vec::new(), 0) };
    let mut differing = Vec::new();
    let n_all = all.len();
    for host in all {
        let before = base.fate(host);
        let mut is_alike = true;
        let fates = indices.iter().enumerate().map(|(place, index)| {
            let index = index.as_ref()?;
            let fate = index.fate(host);
            if place == 0 {
                return Some(fate);
            }
            let found = changes(base.lines(host), index.lines(host));
            is_alike &= found.is_empty() && fate == before;
            Some(with_changes(fate, found))
        });
        let fates: Vec<Option<Fate>> = fates.collect();
        if !is_alike {
            differing.push(HostDifference { host: host.clone(), fates });
        }
    }
    let n_alike = counted(n_all - differing.len());
    (differing, n_alike)
}

fn with_changes(mut fate: Fate, found: Vec<LineChange>) -> Fate {
    match &mut fate {
        Fate::Placed { changes, .. }
        | Fate::Staying { changes, .. }
        | Fate::Unplaced { changes, .. }
        | Fate::Unknown { changes } => *changes = found,
    }
    fate
}

/// The lines of two bills, those of one component held against each other in their order; equal ones are left out.
fn changes(before: &[&BillLine], after: &[&BillLine]) -> Vec<LineChange> {
    let mut found = Vec::new();
    for component in Component::ALL {
        let of = |lines: &[&BillLine]| -> Vec<Line> {
            lines.iter().filter(|line| line.component == component).map(|line| to_line(line)).collect()
        };
        let (mut before, mut after) = (of(before), of(after));
        // Lines that are equal are taken out first, so that one more disk does not make all of them differ.
        before.retain(|line| match after.iter().position(|other| other == line) {
            Some(place) => {
                after.remove(place);
                false
            }
            None => true,
        });
        for place in 0..before.len().max(after.len()) {
            let (before, after) = (before.get(place).cloned(), after.get(place).cloned());
            let of = |line: &Option<Line>| line.as_ref().map_or(Money::ZERO, |line| line.monthly);
            let costs_more = difference(of(&after), of(&before));
            found.push(LineChange { component, before, after, costs_more });
        }
    }
    found
}

fn to_line(line: &BillLine) -> Line {
    Line {
        item: line.item.clone(),
        quantity: line.quantity,
        unit: line.unit.clone(),
        rate: line.rate,
        rate_id: line.rate_id.clone(),
        monthly: line.monthly,
    }
}

/// What is billed for no host, by flow, or by provider and region.
fn shared(plans: &[Option<&Plan>]) -> Vec<SharedDifference> {
    let of_plan = |plan: &Option<&'_ Plan>| {
        let mut lines: BTreeMap<String, Vec<BillLine>> = BTreeMap::new();
        for line in plan.iter().flat_map(|plan| &plan.bill).filter(|line| line.host.is_none()) {
            let subject = match (&line.flow, &line.region) {
                (Some(flow), _) => flow.clone(),
                (None, Some(region)) => format!("{}/{region}", line.provider),
                (None, None) => line.provider.to_string(),
            };
            lines.entry(subject).or_default().push(line.clone());
        }
        lines
    };
    let lines: Vec<BTreeMap<String, Vec<BillLine>>> = plans.iter().map(of_plan).collect();
    let subjects: BTreeSet<&String> = lines.iter().flat_map(BTreeMap::keys).collect();
    let Some(base) = lines.first() else { return Vec::new() };
    let mut found = Vec::new();
    for subject in subjects {
        let of = |lines: &'_ BTreeMap<String, Vec<BillLine>>| -> Vec<BillLine> {
            lines.get(subject).cloned().unwrap_or_default()
        };
        let before = of(base);
        let columns: Vec<Vec<LineChange>> = lines
            .iter()
            .zip(plans)
            .map(|(lines, plan)| match plan {
                Some(_) => changes(&before.iter().collect::<Vec<_>>(), &of(lines).iter().collect::<Vec<_>>()),
                None => Vec::new(),
            })
            .collect();
        if columns.iter().any(|changes| !changes.is_empty()) {
            found.push(SharedDifference { subject: subject.clone(), columns });
        }
    }
    found
}

/// What a front counts of a plan.
type ValueOf = fn(&Figures) -> Option<Quantity>;

/// The slowest flow between placed hosts; `None` where there is none, or one is not known.
fn longest_round_trip(plan: &Plan) -> Option<Quantity> {
    let placed: BTreeSet<&str> = plan.placements.iter().map(|placement| placement.host.as_str()).collect();
    let inside = plan.flows.iter().filter(|flow| placed.contains(flow.to.as_str()));
    let times: Option<Vec<Quantity>> = inside.map(|flow| flow.round_trip_ms).collect();
    times?.into_iter().max()
}

fn whole(number: usize) -> Option<Quantity> {
    Some(Quantity(i64::from(counted(number)) * 1_000_000))
}

fn fronts(columns: &[Column]) -> Vec<Front> {
    let axes: [(Axis, ValueOf); 3] = [
        (Axis::Providers, |figures| whole(figures.by_provider.len())),
        (Axis::Regions, |figures| whole(figures.regions.len())),
        (Axis::Latency, |figures| figures.longest_round_trip_ms),
    ];
    let front = |(axis, value): (Axis, ValueOf)| {
        let feasible = columns.iter().enumerate().filter_map(|(place, column)| {
            let figures = column.feasible()?;
            Some((place, figures, value(figures)?))
        });
        let mut points: Vec<Point> = feasible
            .map(|(place, figures, value)| Point {
                column: counted(place),
                value,
                monthly: figures.monthly,
                is_on_front: false,
            })
            .collect();
        points.sort_by_key(|point| (point.value, point.monthly, point.column));
        let mut cheapest: Option<Money> = None;
        for point in &mut points {
            point.is_on_front = cheapest.is_none_or(|cheapest| point.monthly < cheapest);
            if point.is_on_front {
                cheapest = Some(point.monthly);
            }
        }
        Front { axis, points }
    };
    axes.into_iter().map(front).filter(|front| front.points.len() > 1).collect()
}

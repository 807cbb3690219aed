//! Finds the cheapest placement of an estate and says how close to the optimum it is.
//!
//! [`plan`] is the way in; its pipeline is this file. Who moves and what each needs ([`groups`], [`demand`]), what that
//! costs everywhere ([`market`], [`candidates`], refused by [`concerns`]), where all of it together is cheapest
//! ([`placing`], [`solve`]), what is billed for it ([`bill`]), why ([`explain`]), in which order ([`waves`]) and by which
//! steps ([`steps`]). Before anything leaves, [`check`] judges it again from the documents alone.
//!
//! The crate is pure: no clock, no files, no environment. Work is counted, not timed, so the same input gives the same
//! bytes on any machine and for any number of threads.

mod account;

pub mod assumed;
mod credits;

pub mod demand;
pub mod groups;

pub mod traffic;

pub mod latency;

pub mod budgets;

mod price_book;

mod reserved;

pub mod sizes;

pub mod market;

pub mod concerns;

pub mod candidates;

pub mod joint;

pub mod placing;

pub mod rows;

pub mod solve;

pub mod bill;

mod flows;

pub mod explain;

mod doubt;

mod dates;
mod hopeless;

pub mod demands;

pub mod decide;

mod clash;

pub mod model_file;

pub mod what_if;

pub mod why_not;

mod grouped;

pub mod waves;

pub mod steps;

mod firewall;

mod resource_names;

pub mod check;

pub mod names;

use std::collections::BTreeSet;

use carafe_model::document::Document;
use carafe_model::estate::{Endpoint, Estate};
use carafe_model::finding::{Finding, Place};
use carafe_model::ids::HostId;
use carafe_model::language::{Said, Sentence};
use carafe_model::plan::{Bound, CatalogRef, Plan, Today, Totals, Unplaced};
use carafe_model::policy::Policy;
use carafe_model::snapshot::SealedSnapshot;
use carafe_model::units::{Money, Quantity};

use bill::{Bill, Home};
use groups::{Group, Mover, Roles};
use joint::{Joint, Spot};
use market::Market;
use placing::Placing;
use solve::Effort;

/// How to plan.
pub struct Options<'a> {
    /// SHA-256 of the estate document, for the plan to name.
    pub estate_sha256: String,
    /// SHA-256 of the policy file, for the plan to name.
    pub policy_sha256: String,
    /// The gap that counts as proven, as a share of the objective; the planner still tries for zero.
    pub gap: Quantity,
    /// Asked now and then; `true` ends the search with the best plan so far and its true gap.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

/// Labels the solver looks at before it accepts a gap above zero: about a second of work.
const EXACT_WORK: u64 = 300_000_000;
/// Labels the solver looks at before it accepts any gap: about a minute of work.
const MOST_WORK: u64 = 20_000_000_000;

/// Codes of the planner's findings, each with what it means and what to do.
pub const CODES: &[(&str, &str)] = &[
    (
        "PLN-0101",
        "The policy names a provider, region or country that the catalog does not have. Check the spelling, or import its prices.",
    ),
    ("PLN-0102", "A rule of the policy matches no host. Check the host name, app or label."),
    (
        "PLN-0103",
        "An allowed term is longer than the horizon and is not used. Lengthen the horizon or drop the term.",
    ),
    (
        "PLN-0104",
        "The catalog's prices are in another currency and the policy gives no exchange rate. Add [pricing.exchange].",
    ),
    ("PLN-0105", "The policy gives a head-room on something that was measured for no host."),
    (
        "PLN-0106",
        "Today's cost of the estate includes a host that stays or could not be placed, and what that host costs is not known; a saving would compare unlike things. Add monthly_cost to the host.",
    ),
    (
        "PLN-0108",
        "A flow has a longest round trip, but where its fixed end is is not known, so it is not kept. Add a [[location]] to the policy.",
    ),
    ("PLN-0201", "The size of a disk is unknown; the plan counts with an assumed size and gives a range."),
    ("PLN-0202", "A host was to be sized by measurements but has too few; it is sized as is."),
    ("PLN-0203", "The architecture of a host is unknown; x86-64 is assumed."),
    ("PLN-0301", "The catalog has no price at all for something the estate needs; it is not in the bill."),
    (
        "PLN-0302",
        "The volume of a flow is unknown; the plan counts with an assumed volume and gives a range.",
    ),
    (
        "PLN-0303",
        "Machines cost less than half of what they cost in the middle of the provider's regions. It may be a placeholder or a mistake in the list. By default such prices are not used, and the message says what they would have saved; ask the provider, and set pricing.doubtful = \"use\" if they hold.",
    ),
    (
        "PLN-0304",
        "An inbound firewall rule of a host could not be read, or an earlier deny rule may cut into it, so its security group leaves it out. Compare them and add what is missing.",
    ),
    (
        "PLN-0305",
        "Hosts are priced by an example rate card, which is nobody's price. Import your own rate card before relying on the figures.",
    ),
    (
        "PLN-0306",
        "A part of the bill rests on prices that are much older than the newest of the catalog. Import newer ones, or set pricing.stale_after_days.",
    ),
    (
        "PLN-0307",
        "Machines that are paid for already are left over: no host that fits them is cheaper there, or there are more of them than hosts. The message counts them. Look whether more hosts may use them, or sell them on.",
    ),
    (
        "PLN-0107",
        "Spot prices are allowed, but no rule says which hosts may be taken away at any time, so none is used. Add interruptible = true to a rule.",
    ),
    ("PLN-0401", "A host could not be placed; the plan says why."),
    (
        "PLN-0402",
        "No placement keeps everything that the policy demands. The message names demands that clash: loosen one of them, or allow more time where the search ended early.",
    ),
    (
        "PLN-0405",
        "A demand of the policy is part of a clash: without it, the others of the clash can be kept. The message says what a month would cost then.",
    ),
    (
        "PLN-0406",
        "The plan costs more a month than max_monthly allows, and the search ended before it was settled whether a cheaper one exists. Allow more time, or raise max_monthly.",
    ),
    (
        "PLN-0404",
        "A host could not be placed, and what it belongs to is placed without it. Mend what keeps the host from being placed, or let the others wait for it.",
    ),
    ("PLN-0403", "The gap is larger than was asked for. Allow more time, or a larger gap."),
    (
        "PLN-0501",
        "The placement problem cannot be written as one linear program. Leave out --export-model, or what the message names.",
    ),
    (
        "PLN-9001",
        "The plan did not pass its own check. This is a bug in Carafe; please report it with the inputs.",
    ),
];

/// The code of the finding that a plan carries when its prices cannot be converted, so that nothing is placed.
pub const NO_EXCHANGE: &str = "PLN-0104";

/// The code of the finding that a plan carries when it costs more than `max_monthly` and a cheaper one may exist.
pub const OVER_CAP: &str = "PLN-0406";

/// The code of the findings that a plan carries when it did not pass its own check.
pub const UNSOUND: &str = "PLN-9001";

/// Plans an estate. The plan has passed [`check::check`]; if it did not, it carries error findings `PLN-9001`.
pub fn plan(estate: &Estate, snapshot: &SealedSnapshot, policy: &Policy, options: &Options<'_>) -> Plan {
    let catalog = &snapshot.catalog;
    let mut roles = groups::roles(estate, policy);
    roles.findings.extend(names::check(estate, catalog, policy));
    let Some(factor) = policy.pricing.factor_from(catalog.currency) else {
        return without_exchange(estate, snapshot, policy, options, roles);
    };
    let market = Market::new(catalog, policy, factor);
    let paths: Vec<String> = catalog.regions.indices().map(|region| catalog.region_path(region)).collect();
    let regions = concerns::region_views(&market, policy, &paths);

    budgets::to_fixed_ends(estate, policy, &mut roles.movers, &mut roles.findings);
    let mut unplaced = unknown(&mut roles);
    let rows = hopeless::Hopeless { estate, policy, market: &market, regions: &regions }
        .drop(&mut roles, &mut unplaced);
    let groups = groups::groups(estate, policy, &roles.movers);
    let sendings = traffic::sendings(estate, &roles.movers);
    let mut placing =
        Placing::new(estate, policy, &market, &regions, &roles.movers, &groups, &sendings, rows);
    placing.budgets = budgets::between(estate, policy, &roles.movers);
    placing.ties = groups::ties(estate, policy, &roles.movers, &groups);
    let effort = Effort {
        gap_millionths: options.gap.0,
        exact_work: EXACT_WORK,
        most_work: MOST_WORK,
        stop: options.stop,
    };
    let (placed, homes) =
        account::place(&placing, &effort, |placed| homes_of(&placing, &groups, &placed.spot));
    let cap = policy.targets.max_monthly;
    // Even the bound is above what a month may cost: that is the proof that nothing is cheap enough.
    let homes = homes.filter(|_| cap.is_none_or(|most| placed.bound <= most));
    if homes.is_none() || !unplaced.is_empty() {
        // Where only some hosts have no place, it is for demands on these alone, and the others need not be decided again.
        let alone = homes.is_some().then(|| only(estate, &unplaced));
        let asked = alone.as_ref().unwrap_or(estate);
        let told = clash::clash(asked, snapshot, policy, options)
            .map(|clash| clash.findings(policy, alone.is_some()));
        let unsettled =
            || homes.is_none().then(|| limits_finding(policy, placed.bound)).into_iter().collect();
        roles.findings.extend(told.unwrap_or_else(unsettled));
    }
    if homes.is_none() {
        for mover in &roles.movers {
            unplaced.push(Unplaced {
                host: estate.hosts[mover.host].id.clone(),
                reasons: vec![Said::new("unplaced.limits").into()],
                refused: Vec::new(),
            });
        }
    }
    let (bill, placements) = match &homes {
        Some(homes) => {
            let bill = bill::bill(&placing, homes);
            let placements = explain::placements(&placing, homes, &bill);
            (bill, placements)
        }
        None => (Bill::default(), Vec::new()),
    };
    let mut plan = empty_plan(estate, snapshot, policy, options);
    plan.totals = totals(policy, &bill, placements.len());
    plan.bound = bound(plan.totals.monthly, placed.bound, options.gap);
    if let Some(most) = cap.filter(|most| plan.totals.monthly > *most) {
        roles.findings.push(over_cap(policy, most, placed.bound));
    }
    // Nothing placed at no cost proves nothing.
    plan.bound.proven &= homes.is_some() && (unplaced.is_empty() || !roles.movers.is_empty());
    if homes.is_some() {
        plan.waves = waves::waves(estate, &roles.movers, &groups);
        let (steps, told) = steps::steps(estate, policy, &placements, &plan.waves);
        plan.steps = steps;
        roles.findings.extend(told);
    }
    let stays = |host: &&carafe_model::host::Host| policy.for_host(host).stays_because.is_some();
    let stay_behind: BTreeSet<&HostId> = estate
        .hosts
        .iter()
        .filter(stays)
        .map(|host| &host.id)
        .chain(unplaced.iter().map(|unplaced| &unplaced.host))
        .collect();
    plan.today = today(estate, policy, &stay_behind, &mut roles.findings);
    plan.placements = placements;
    plan.staying = roles.staying;
    roles.findings.extend(missing(&bill));
    if let Some(homes) = &homes {
        plan.flows = flows::flows(&placing, homes, &bill.lines);
    }
    plan.bill = bill.lines;
    plan.price_sources = bill.sources;
    let placed = homes.as_deref().unwrap_or_default();
    roles.findings.extend(doubt::findings(&market, policy, &regions, &roles.movers, placed));
    roles.findings.extend(dates::stale_prices(&plan, policy));
    roles.findings.extend(reserved::left_over(&market, placed));
    roles.findings.extend(findings(&plan, &unplaced, &roles.movers, &sendings, estate));
    unplaced.sort_by(|a, b| a.host.cmp(&b.host));
    plan.unplaced = unplaced;
    plan.findings = grouped::grouped(roles.findings);
    plan.assumptions = assumptions(&plan, &sendings, &roles.movers);
    let wrong = check::check(&plan, estate, snapshot, policy);
    if !wrong.is_empty() {
        plan.bound.proven = false;
        plan.findings.extend(wrong);
    }
    plan.list_sentences();
    plan
}

fn empty_plan(estate: &Estate, snapshot: &SealedSnapshot, policy: &Policy, options: &Options<'_>) -> Plan {
    let (oldest, newest) = snapshot.catalog.price_dates();
    let converted = policy.pricing.currency != snapshot.catalog.currency;
    Plan {
        carafe: Plan::header(),
        name: estate.name.clone(),
        currency: policy.pricing.currency,
        exchange: policy.pricing.exchange.clone().filter(|_| converted),
        catalog: CatalogRef {
            id: snapshot.catalog.id.clone(),
            sha256: snapshot.sha256.clone(),
            as_of: newest.to_owned(),
            oldest: oldest.to_owned(),
        },
        estate_sha256: options.estate_sha256.clone(),
        policy_sha256: options.policy_sha256.clone(),
        totals: totals(policy, &Bill::default(), 0),
        today: None,
        bound: bound(Money::ZERO, Money::ZERO, options.gap),
        placements: Vec::new(),
        staying: Vec::new(),
        unplaced: Vec::new(),
        bill: Vec::new(),
        flows: Vec::new(),
        price_sources: Vec::new(),
        waves: Vec::new(),
        steps: Vec::new(),
        findings: Vec::new(),
        assumptions: Vec::new(),
        as_is: None,
        what_if: None,
        sentences: Vec::new(),
    }
}

/// Nothing can be priced, so nothing is placed.
fn without_exchange(
    estate: &Estate,
    snapshot: &SealedSnapshot,
    policy: &Policy,
    options: &Options<'_>,
    mut roles: Roles<'_>,
) -> Plan {
    let mut plan = empty_plan(estate, snapshot, policy, options);
    let (from, to) = (snapshot.catalog.currency, policy.pricing.currency);
    let reason: Sentence =
        Said::new("unplaced.no-exchange").with("from", from.code()).with("to", to.code()).into();
    plan.unplaced = unknown(&mut roles);
    plan.unplaced.extend(roles.movers.iter().map(|mover| Unplaced {
        host: estate.hosts[mover.host].id.clone(),
        reasons: vec![reason.clone()],
        refused: Vec::new(),
    }));
    plan.unplaced.sort_by(|a, b| a.host.cmp(&b.host));
    let place = |key: &str| Place::default().at(key);
    let (what, place) = match &policy.pricing.exchange {
        Some(exchange) => (
            Said::new("finding.other-exchange").with("given", exchange.from.code()),
            place("pricing.exchange.from"),
        ),
        None => (Said::new("finding.no-exchange"), place("pricing.currency")),
    };
    roles.findings.push(
        Finding::error(NO_EXCHANGE, what.with("from", from.code()).with("to", to.code()))
            .at(place)
            .help(Said::new("help.no-exchange").with("from", from.code())),
    );
    plan.findings = grouped::grouped(roles.findings);
    plan.staying = roles.staying;
    plan.list_sentences();
    plan
}

fn unknown(roles: &mut Roles<'_>) -> Vec<Unplaced> {
    let unknown = std::mem::take(&mut roles.unknown);
    unknown.into_iter().map(|(host, reasons)| Unplaced { host, reasons, refused: Vec::new() }).collect()
}

/// The estate with nothing but these hosts and what is between them.
fn only(estate: &Estate, hosts: &[Unplaced]) -> Estate {
    let kept: BTreeSet<&HostId> = hosts.iter().map(|unplaced| &unplaced.host).collect();
    let inside = |end: &Endpoint| match end {
        Endpoint::Host(host) => kept.contains(host),
        Endpoint::External(_) => true,
    };
    let mut alone = estate.clone();
    alone.hosts.retain(|host| kept.contains(&host.id));
    alone.flows.retain(|flow| inside(&flow.from) && inside(&flow.to));
    alone
}

fn homes_of(placing: &Placing<'_>, groups: &[Group], spots: &[Option<Spot>]) -> Option<Vec<Home>> {
    let mut homes: Vec<Option<Home>> = vec![None; placing.movers.len()];
    for (group, spot) in groups.iter().zip(spots) {
        let Spot { region, zone } = (*spot)?;
        for &mover in &group.movers {
            homes[mover] = placing.cheapest(mover, region).map(|candidate| Home {
                region,
                zone,
                candidate: *candidate,
                reserved: None,
            });
        }
    }
    let mut homes: Vec<Home> = homes.into_iter().collect::<Option<_>>()?;
    if !placing.market.reserved.is_empty() {
        reserved::assign(placing, &Joint::new(placing), &mut homes);
    }
    Some(homes)
}

/// The month of the plan is above the cap, and whether a cheaper one exists is not settled.
fn over_cap(policy: &Policy, most: Money, bound: Money) -> Finding {
    let currency = policy.pricing.currency;
    let said = Said::new("finding.over-cap").money("most", most, currency).money("bound", bound, currency);
    Finding::error(OVER_CAP, said)
        .at(Place::default().at("targets.max_monthly"))
        .help(Said::new("help.over-cap"))
}

fn limits_finding(policy: &Policy, bound: Money) -> Finding {
    if let Some(most) = policy.targets.max_monthly.filter(|most| bound > *most) {
        let currency = policy.pricing.currency;
        let said = Said::new("finding.cap").money("most", most, currency).money("bound", bound, currency);
        return Finding::error("PLN-0402", said).help(Said::new("help.cap"));
    }
    let limit = |name: &str, most: Option<u32>| most.map(|most| format!("{name} = {most}"));
    let limits = [
        limit("max_providers", policy.targets.max_providers),
        limit("max_regions", policy.targets.max_regions),
    ];
    let groups = (0..policy.groups.len()).map(|place| hopeless::group_name(policy, place));
    let flow_rules = (0..policy.flow_rules.len()).map(|place| format!("flow_rule[{place}]"));
    let quotas = (0..policy.quotas.len()).map(|place| format!("quota[{place}]"));
    let limits: Vec<String> =
        limits.into_iter().flatten().chain(groups).chain(flow_rules).chain(quotas).collect();
    Finding::error("PLN-0402", Said::new("finding.limits").with("limits", limits))
        .help(Said::new("help.limits"))
}

fn totals(policy: &Policy, bill: &Bill, n_placed: usize) -> Totals {
    let monthly: Money = bill.lines.iter().map(|line| line.monthly).sum();
    let with = |pick: fn(&carafe_model::plan::LineRange) -> Money| -> Money {
        bill.lines.iter().map(|line| line.range.as_ref().map_or(line.monthly, pick)).sum()
    };
    let one_time = policy.migration.cost_per_host.times(u32::try_from(n_placed).unwrap_or(u32::MAX));
    let months = policy.pricing.horizon_months;
    Totals {
        monthly,
        monthly_low: with(|range| range.low),
        monthly_high: with(|range| range.high),
        one_time,
        horizon_months: months,
        horizon: monthly.times(months) + one_time,
    }
}

fn bound(objective: Money, lower: Money, asked: Quantity) -> Bound {
    let lower_bound = lower.min(objective);
    let missing = objective.0 - lower_bound.0;
    // Rounded up: a gap that is not zero never reads as zero.
    let gap = if objective.0 > 0 { (missing * 1_000_000 + objective.0 - 1) / objective.0 } else { 0 };
    let gap = Quantity(i64::try_from(gap).unwrap_or(i64::MAX));
    Bound { objective, lower_bound, gap, proven: gap <= asked }
}

/// What the movers cost today: the estate's figure without the hosts that go on costing what they cost. `None` where
/// the estate gives no figure, no exchange rate is given, or what those hosts cost is not known.
fn today(
    estate: &Estate,
    policy: &Policy,
    stay_behind: &BTreeSet<&HostId>,
    findings: &mut Vec<Finding>,
) -> Option<Today> {
    let today = estate.today.as_ref()?;
    let factor = policy.pricing.factor_from(today.currency)?;
    let mut monthly = today.monthly;
    for host in estate.hosts.iter().filter(|host| stay_behind.contains(&host.id)) {
        let Some(cost) = host.monthly_cost else {
            findings.push(
                Finding::warning("PLN-0106", Said::new("finding.today-unknown"))
                    .host(host.id.as_str())
                    .help(Said::new("help.today-unknown")),
            );
            return None;
        };
        monthly = monthly - cost;
    }
    Some(Today { monthly: monthly.converted(factor)?, source: today.source.clone() })
}

fn findings(
    plan: &Plan,
    unplaced: &[Unplaced],
    movers: &[Mover<'_>],
    sendings: &[traffic::Sending],
    estate: &Estate,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for host in unplaced {
        let reason = host.reasons.first().cloned().unwrap_or_default();
        findings.push(
            Finding::warning("PLN-0401", Said::new("finding.unplaced")).host(host.host.as_str()).help(reason),
        );
    }
    let assumed: Vec<&HostId> = movers
        .iter()
        .map(|mover| &estate.hosts[mover.host])
        .filter(|host| host.architecture.is_none())
        .map(|host| &host.id)
        .collect();
    if let Some(first) = assumed.first() {
        findings.push(
            Finding::info("PLN-0203", Said::new("finding.architecture").with("n", assumed.len()))
                .help(Said::new("help.architecture").with("host", first.as_str())),
        );
    }
    let unmeasured = sendings.iter().filter(|sending| !sending.is_known).count();
    if unmeasured > 0 {
        findings.push(
            Finding::warning("PLN-0302", Said::new("finding.flow-volume").with("n", unmeasured))
                .help(Said::new("help.flow-volume")),
        );
    }
    // Of a plan that places nothing there is no gap to speak of; another finding says why it does.
    if !plan.bound.proven && !plan.placements.is_empty() {
        findings.push(Finding::warning("PLN-0403", Said::new("finding.gap")).help(Said::new("help.gap")));
    }
    findings
}

/// What is needed and has no price at all.
fn missing(bill: &Bill) -> Vec<Finding> {
    let told = bill.missing.values().map(|what| {
        Finding::warning("PLN-0301", Said::new("finding.no-price").with("what", what.clone()))
            .help(Said::new("help.no-price"))
    });
    told.collect()
}

fn assumptions(plan: &Plan, sendings: &[traffic::Sending], movers: &[Mover<'_>]) -> Vec<Sentence> {
    let has_book = plan.bill.iter().any(|line| line.list.is_some());
    let by_key = |&key: &&'static str| match key {
        "assumed.list-prices" if has_book => Said::new("assumed.book-prices"),
        key => Said::new(key),
    };
    let mut said: Vec<Said> = assumed::ALWAYS.iter().map(by_key).collect();
    let range = |key: &str, known: assumed::Assumed| {
        let figure = |figure: i64| figure.unsigned_abs();
        Said::new(key)
            .with("likely", figure(known.likely))
            .with("low", figure(known.low))
            .with("high", figure(known.high))
    };
    if sendings.iter().any(|sending| !sending.is_known) {
        said.push(range("assumed.flow", assumed::FLOW_GIB));
    }
    if movers.iter().any(|mover| mover.need.disks.iter().any(|disk| !disk.is_known)) {
        said.push(range("assumed.disk", assumed::DISK_GIB));
    }
    if plan.bill.iter().any(|line| line.rate_id.as_str().starts_with("estimate/")) {
        said.push(Said::new("assumed.estimates"));
    }
    if !plan.unplaced.is_empty() || !plan.staying.is_empty() {
        said.push(Said::new("assumed.staying"));
    }
    said.into_iter().map(Into::into).collect()
}

//! `carafe explain`.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use carafe_model::document::{self, Document};
use carafe_model::finding::Finding;
use carafe_model::language::Language;
use carafe_model::plan::{Placement, Plan};
use carafe_model::units::{Money, Quantity};
use carafe_model::what_if::{Axis, Change, Outcome, RangeEnd, WhatIf};
use carafe_planner::Options;
use carafe_planner::what_if::{Questions, what_if};
use carafe_planner::why_not::{Elsewhere, WhyNot, why_not};
use serde_json::{Value, json};

use super::Context;
use super::findings::{self, FailOnArg};
use super::output::Format;
use super::plan::SizingArg;
use super::progress::Spinner;
use super::table::{Side, Table};
use crate::error::{Error, Exit};
use crate::inputs;

/// Say why a host goes where it goes, and what other decisions would cost
///
/// Without further options it says what the plan knows of a host: why it goes there, what came second, what was refused.
/// The other questions are decided anew, so they need the estate, the policy and the catalog that the plan was made
/// from; when one of them is another document than the plan names, nothing is answered.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe explain plan.json db-1
  carafe explain plan.json db-1 --estate estate.json --why-not gcp/asia-northeast3
  carafe explain plan.json --estate estate.json --policy policy.toml --constraints
  carafe explain plan.json --estate estate.json --sensitivity --pareto")]
pub(super) struct Args {
    /// The plan document, or - for standard input
    plan: PathBuf,
    /// The host to explain
    #[arg(required_unless_present_any = ["constraints", "sensitivity", "pareto"])]
    host: Option<String>,
    /// Why the host does not go there, and what it would cost if it did
    #[arg(long, value_name = "PROVIDER[/REGION[/TYPE]]", requires = "host", requires = "estate")]
    why_not: Option<String>,
    /// What each constraint of the policy costs, what further ones would, and the best plan without one of its providers
    #[arg(long, requires = "estate")]
    constraints: bool,
    /// How far prices and traffic may move before another plan is cheaper
    #[arg(long, requires = "estate")]
    sensitivity: bool,
    /// Money against the number of providers, the number of regions, and round trips
    #[arg(long, requires = "estate")]
    pareto: bool,
    /// The estate that the plan was made from
    #[arg(long, value_name = "FILE")]
    estate: Option<PathBuf>,
    /// The policy that the plan was made with
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// The catalog that the plan was made with; the one that is built in when absent
    #[arg(long, value_name = "FILE|DIR")]
    catalog: Option<PathBuf>,
    /// The price book that the plan was made with
    #[arg(long, value_name = "FILE")]
    price_book: Option<PathBuf>,
    /// How the plan was told to size hosts, if it was told
    #[arg(long, value_enum, value_name = "BY")]
    sizing: Option<SizingArg>,
    /// Stop deciding anew after this long; what is not answered by then is said
    #[arg(long, default_value = "5m", value_name = "DURATION", value_parser = super::plan::duration)]
    time_limit: Duration,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let (plan, found) = inputs::plan(&args.plan, context.limit)?;
    let never = FailOnArg { fail_on: findings::FailOn::Error };
    findings::judge(context, args.format, never, &found)?;
    let plan = inputs::usable(plan)?;
    let mut answer = json!({});
    let mut text = String::new();
    if let Some(host) = &args.host {
        let (said, value) = of_host(&plan, host)?;
        text.push_str(&said);
        answer["host"] = value;
    }
    if let Some(estate) = &args.estate {
        let asked =
            Questions { constraints: args.constraints, sensitivity: args.sensitivity, fronts: args.pareto };
        again(args, context, &plan, estate, asked, (&mut text, &mut answer))?;
    }
    match args.format {
        Format::Text => context.out.data(&text)?,
        Format::Json => context.out.json(&answer)?,
    }
    Ok(Exit::Done)
}

/// Answers what has to be decided anew.
fn again(
    args: &Args,
    context: &Context,
    plan: &Plan,
    estate: &std::path::Path,
    asked: Questions,
    (text, answer): (&mut String, &mut Value),
) -> Result<(), Error> {
    let (estate, mut found) = inputs::estate(estate, context.limit)?;
    let mut policy = inputs::policy(args.policy.as_deref(), context.limit)?;
    if let Some(book) = &args.price_book {
        policy.add_price_book(book, context.limit)?;
    }
    if let Some(sizing) = args.sizing {
        policy.size_by(sizing.strategy());
    }
    let (catalog, of_catalog) = inputs::catalog(args.catalog.as_deref(), context.limit)?;
    found.extend(policy.findings.iter().cloned().chain(of_catalog));
    let never = FailOnArg { fail_on: findings::FailOn::Error };
    findings::judge(context, args.format, never, &found)?;
    let (estate, catalog) = (inputs::usable(estate)?, inputs::usable(catalog)?);
    let demands = inputs::usable(policy.usable())?;
    let estate_sha256 = document::sha256(estate.to_json().as_bytes());
    for (what, own, given, help) in [
        ("estate", &plan.estate_sha256, &estate_sha256, "give the estate it was made from with --estate"),
        (
            "policy",
            &plan.policy_sha256,
            &policy.sha256,
            "give the policy it was made with with --policy, and --price-book and --sizing as they were given then",
        ),
        (
            "catalog",
            &plan.catalog.sha256,
            &catalog.sha256,
            "give the catalog it was made with with --catalog",
        ),
    ] {
        if own != given {
            return Err(Error::failed(
                format!("the plan was made with another {what}, so no answer would be about this plan"),
                format!("{help}, or plan again"),
            ));
        }
    }
    let begun = Instant::now();
    let stop = || begun.elapsed() >= args.time_limit;
    let options =
        Options { estate_sha256, policy_sha256: policy.sha256.clone(), gap: Quantity(1_000), stop: &stop };
    let _turning = Spinner::start(&context.out, "deciding anew");
    if let (Some(host), Some(place)) = (&args.host, &args.why_not) {
        let elsewhere = elsewhere(place)?;
        let found =
            why_not(&estate, &catalog, demands, &options, plan, host, &elsewhere).ok_or_else(|| {
                Error::usage(format!("{host} is no host that moves"), "name a host that the plan places")
            })?;
        text.push_str(&say_why_not(plan, &found, place));
        answer["why_not"] = json!({
            "place": place,
            "offers": found.offers,
            "fitting": found.fitting,
            "refused": found.refused,
            "monthly": found.monthly,
            "lower_bound": found.lower_bound,
            "costs_more": found.costs_more,
            "gap": found.gap,
            "others_move": found.others_move,
            "clash": found.clash,
        });
    }
    if asked.constraints || asked.sensitivity || asked.fronts {
        let answers = what_if(&estate, &catalog, demands, &options, plan, asked);
        text.push_str(&say_what_if(plan, &answers, asked));
        answer["what_if"] = serde_json::to_value(&answers).map_err(|error| {
            Error::failed(format!("the answer cannot be written: {error}"), "please report this")
        })?;
    }
    Ok(())
}

fn elsewhere(place: &str) -> Result<Elsewhere, Error> {
    let mut parts = place.splitn(3, '/').map(str::to_owned);
    let provider = parts.next().unwrap_or_default();
    let (region, offer) = (parts.next(), parts.next());
    if provider.is_empty() || [&region, &offer].into_iter().flatten().any(String::is_empty) {
        return Err(Error::usage(
            format!("\"{place}\" is no place"),
            "write PROVIDER, PROVIDER/REGION or PROVIDER/REGION/TYPE, such as aws/ap-northeast-2",
        ));
    }
    Ok(Elsewhere { provider, region, offer })
}

/// What the plan itself says of a host.
fn of_host(plan: &Plan, host: &str) -> Result<(String, Value), Error> {
    if let Some(placement) = plan.placements.iter().find(|placement| placement.host.as_str() == host) {
        return Ok((say_placement(plan, placement), json!(placement)));
    }
    if let Some(staying) = plan.staying.iter().find(|staying| staying.host.as_str() == host) {
        return Ok((format!("{host} stays: {}\n", staying.reason), json!(staying)));
    }
    if let Some(unplaced) = plan.unplaced.iter().find(|unplaced| unplaced.host.as_str() == host) {
        let reasons: String = unplaced.reasons.iter().map(|reason| format!("  {reason}\n")).collect();
        return Ok((format!("{host} has no place.\n{reasons}"), json!(unplaced)));
    }
    Err(Error::usage(
        format!("the plan has no host {host}"),
        "`carafe report PLAN` lists the hosts of a plan",
    ))
}

fn say_placement(plan: &Plan, placement: &Placement) -> String {
    let zone = placement.zone.as_ref().map(|zone| format!(", zone {zone}")).unwrap_or_default();
    let mut text = format!(
        "{} goes to {}/{}{zone} as {}, paid {}, for {} a month.\n",
        placement.host,
        placement.provider,
        placement.region,
        placement.offer,
        placement.term.name(),
        money(plan, placement.monthly),
    );
    for reason in &placement.reasons {
        text.push_str(&format!("  {reason}\n"));
    }
    match &placement.runner_up {
        Some(other) => text.push_str(&format!(
            "Second came {}/{} as {}: {} more a month if nothing else changed.\n",
            other.provider,
            other.region,
            other.offer,
            money(plan, other.costs_more),
        )),
        None => text.push_str("No other place would do if nothing else changed.\n"),
    }
    if !placement.refused.is_empty() {
        text.push_str("Other offers were refused; one may lack several things:\n");
        text.push_str(&refusals(&placement.refused));
    }
    text
}

fn refusals(refused: &[carafe_model::plan::Refusal]) -> String {
    let mut table = Table::new(&[("Offers", Side::Right), ("What they lack", Side::Left)]);
    for refusal in refused {
        table.row([refusal.offers.to_string(), refusal.text.to_string()]);
    }
    table.render()
}

fn say_why_not(plan: &Plan, found: &WhyNot, place: &str) -> String {
    let mut text = format!("\nWhy not {place}?\n");
    if found.offers == 0 {
        text.push_str("The catalog sells nothing of that name; `carafe catalog show` tells what it holds.\n");
        return text;
    }
    if found.fitting == 0 {
        text.push_str(&format!("None of its {} offers fits the host.\n", found.offers));
        text.push_str(&refusals(&found.refused));
        return text;
    }
    text.push_str(&format!("{} of its {} offers fit the host.\n", found.fitting, found.offers));
    match (found.monthly, found.costs_more, found.lower_bound) {
        (Some(monthly), Some(more), Some(bound)) => {
            let others = match found.others_move {
                0 => "and nothing else moves".to_owned(),
                1 => "and one other host moves with it".to_owned(),
                n => format!("and {n} other hosts move with it"),
            };
            text.push_str(&format!(
                "With the host there a month of everything costs {}, {}, {others}.\n",
                money(plan, monthly),
                difference(plan, more),
            ));
            if bound < monthly {
                text.push_str(&format!(
                    "No plan with the host there costs less than {}.\n",
                    money(plan, bound)
                ));
            }
        }
        _ if found.clash.is_empty() => {
            text.push_str("No placement of all hosts was found with the host there.\n")
        }
        _ => text.push_str(&found.clash.iter().map(say_finding).collect::<String>()),
    }
    text
}

fn say_finding(finding: &Finding) -> String {
    let help = finding.help.as_ref().map(|help| format!(" ({help})")).unwrap_or_default();
    format!("  {}{help}\n", finding.summary)
}

fn say_what_if(plan: &Plan, answers: &WhatIf, asked: Questions) -> String {
    let mut text = String::new();
    if asked.constraints {
        let mut table =
            Table::new(&[("Constraint", Side::Left), ("Costs a month", Side::Right), ("", Side::Left)]);
        for price in &answers.constraints {
            let change = match price.change {
                Change::Dropped => "in the policy",
                Change::Added => "would cost that",
            };
            let costs = match (&price.costs, &price.outcome) {
                (Some(costs), _) if costs.least == costs.most => money(plan, costs.found),
                (Some(costs), _) => {
                    let (least, most) = (money(plan, costs.least), money(plan, costs.most));
                    format!("{} ({least} to {most})", money(plan, costs.found))
                }
                (None, Some(_)) => "places other hosts".to_owned(),
                (None, None) => "cannot be kept".to_owned(),
            };
            table.row([format!("{} ({})", price.text, price.key), costs, change.to_owned()]);
        }
        text.push_str("\nWhat constraints cost\n");
        text.push_str(&if answers.constraints.is_empty() {
            "The policy has none.\n".to_owned()
        } else {
            table.render()
        });
        text.push_str(&match &answers.runner_up {
            Some(other) => {
                format!("Without one of its providers the best plan uses {}.\n", say_outcome(plan, other))
            }
            None => "No plan does without one of its providers.\n".to_owned(),
        });
    }
    if asked.sensitivity {
        let mut table = Table::new(&[
            ("If", Side::Left),
            ("This plan costs", Side::Right),
            ("The best plan then", Side::Left),
        ]);
        for scenario in &answers.scenarios {
            let best = match &scenario.outcome {
                _ if scenario.plan_stays => "is this one".to_owned(),
                Some(outcome) => say_outcome(plan, outcome),
                None => "was not found".to_owned(),
            };
            table.row([scenario.text.to_string(), money(plan, scenario.plan_monthly), best]);
        }
        text.push_str(&format!("\nOther prices, other traffic\n{}", table.render()));
        let mut table = Table::new(&[
            ("What moves", Side::Left),
            ("Down to", Side::Right),
            ("Up to", Side::Right),
            ("Then cheapest", Side::Left),
        ]);
        for range in &answers.ranges {
            let end = |end: &RangeEnd| match end.is_limit {
                true => format!("× {}", end.factor),
                false => format!("× {} and beyond", end.factor),
            };
            let beyond = [&range.from, &range.to].into_iter().filter_map(|end| end.beyond.as_ref());
            let beyond: Vec<String> = beyond.map(|outcome| outcome.regions.join(" ")).collect();
            table.row([range.text.to_string(), end(&range.from), end(&range.to), beyond.join("; ")]);
        }
        text.push_str(&format!(
            "\nThis plan stays the cheapest while one of these moves\n{}",
            table.render()
        ));
    }
    if asked.fronts {
        for front in &answers.fronts {
            let (title, unit) = match front.axis {
                Axis::Providers => ("Number of providers", "Providers"),
                Axis::Regions => ("Number of regions", "Regions"),
                Axis::Latency => ("Longest round trip of a flow", "Milliseconds"),
            };
            let mut table =
                Table::new(&[(unit, Side::Right), ("A month", Side::Right), ("Where", Side::Left)]);
            for point in &front.points {
                let this = if point.is_plan { " (this plan)" } else { "" };
                table.row([
                    point.value.to_string(),
                    money(plan, point.outcome.monthly),
                    format!("{}{this}", point.outcome.regions.join(" ")),
                ]);
            }
            text.push_str(&format!("\n{title} against money\n{}", table.render()));
        }
    }
    for sentence in &answers.left_out {
        text.push_str(&format!("\n{sentence}\n"));
    }
    text
}

fn say_outcome(plan: &Plan, outcome: &Outcome) -> String {
    format!(
        "{}: {}, {}",
        outcome.regions.join(" "),
        money(plan, outcome.monthly),
        difference(plan, outcome.costs_more)
    )
}

fn difference(plan: &Plan, more: Money) -> String {
    match more.0 {
        0 => "the same".to_owned(),
        1.. => format!("{} more", money(plan, more)),
        _ => format!("{} less", money(plan, Money(-more.0))),
    }
}

fn money(plan: &Plan, money: Money) -> String {
    Language::ENGLISH.money(money, plan.currency)
}

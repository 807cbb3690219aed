//! `carafe compare`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use carafe_model::comparison::{Beyond, ChangeCount, Comparison, Live, LiveStep};
use carafe_model::document::{self, Document};
use carafe_model::finding::Finding;
use carafe_model::language::{Arg, Said};
use carafe_model::plan::Plan;
use carafe_model::policy_file::scenarios::{self, Scenario};
use carafe_model::units::Quantity;
use carafe_reports::compare::{self, Entry};
use rayon::prelude::*;

use super::Context;
use super::execution::{self, TargetArgs};
use super::findings::{self, FailOnArg};
use super::journal::JournalArg;
use super::lang::LangArg;
use super::output::Format;
use super::outputs;
use super::progress::Bar;
use super::telling::Teller;
use crate::error::{Error, Exit};
use crate::executor::{self, Change, Request};
use crate::files;
use crate::inputs;
use crate::planning::{self, Planning, Subject};

/// Hold plans against each other, scenarios of one estate, or a plan against what exists
///
/// Says side by side what each plan costs, how good it is and where hosts go, and then what differs, host by host and
/// line by line. The first plan is what the others are held against. With --scenarios the plans are made here, one for
/// each scenario; one that does not place every host is a column with the reason. With --live each plan is also held
/// against what its target has, without changing anything.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe compare today.json after-the-price-rise.json
  carafe compare plan-a.json plan-b.json --report cmp.html -o cmp.json
  carafe compare --scenarios scenarios.toml estate.json --policy policy.toml --report cmp.html
  carafe compare plan.json --live --connections connections.toml")]
pub(super) struct Args {
    /// Plans to compare; with --scenarios the estate document
    #[arg(required = true, value_name = "PLAN|ESTATE")]
    documents: Vec<PathBuf>,
    /// Make and compare the plans of these scenarios
    #[arg(long, value_name = "FILE", conflicts_with = "live")]
    scenarios: Option<PathBuf>,
    /// The policy that scenarios change
    #[arg(long, value_name = "FILE", requires = "scenarios")]
    policy: Option<PathBuf>,
    /// The prices for scenarios: a snapshot file or a folder of price lists; the catalog that is built in when absent
    #[arg(long, value_name = "FILE|DIR", requires = "scenarios")]
    catalog: Option<PathBuf>,
    /// How far from the optimum is near enough for a scenario: 0.001 is a tenth of a percent
    #[arg(long, default_value = "0.001", value_parser = super::plan::gap)]
    gap: Quantity,
    /// Stop searching for the plan of one scenario after this long
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = super::plan::duration)]
    time_limit: Duration,
    /// Write the plan of each scenario into this folder
    #[arg(long, value_name = "DIR", requires = "scenarios")]
    plans: Option<PathBuf>,
    /// Hold each plan against what its target has, without changing anything
    #[arg(long)]
    live: bool,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    journal: JournalArg,
    /// Write the comparison as one HTML file that needs no network, or to standard output for -
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Write the comparison document (JSON) to this file, or to standard output for -
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    lang: LangArg,
    /// How to print the comparison; json is the document
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    fail_on: FailOnArg,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let written = [&args.output, &args.report].into_iter().flatten();
    let to_stdout = written.clone().filter(|file| files::is_standard_stream(file)).count();
    if to_stdout + usize::from(args.format == Format::Json) > 1 {
        return Err(Error::usage(
            "only one of the document, the page and the JSON answer can go to standard output",
            "write the others to files, for example with --report cmp.html",
        ));
    }
    outputs::Paths::default()
        .reads(&args.documents)
        .reads(&args.scenarios)
        .reads(&args.policy)
        .reads(&args.catalog)
        .writes(&args.output)
        .writes(&args.report)
        .apart()?;
    let mut comparison = match &args.scenarios {
        Some(file) => of_scenarios(args, context, file)?,
        None => of_plans(args, context)?,
    };
    let found: Vec<Finding> = comparison.live.iter_mut().flat_map(|live| live.findings.clone()).collect();
    if args.format == Format::Text {
        findings::print(&context.out, &found);
    }
    if let Some(report) = &args.report {
        context.out.document(report, compare::html::html(&comparison, args.lang.lang).as_bytes())?;
    }
    if let Some(output) = &args.output {
        context.out.document(output, comparison.to_json().as_bytes())?;
    }
    match args.format {
        Format::Text if to_stdout > 0 => {}
        Format::Text => {
            context.out.data(&compare::text::text(&comparison, args.lang.lang, context.out.width()))?;
        }
        Format::Json => context.out.json(&comparison)?,
    }
    for file in written.filter(|file| !files::is_standard_stream(file)) {
        context.out.say(&format!("wrote {}", file.display()));
    }
    match compare::text::is_feasible(&comparison) {
        true => Ok(Exit::Done),
        false => Err(Error::Unplaced { hosts: least_unplaced(&comparison) }),
    }
}

fn least_unplaced(comparison: &Comparison) -> usize {
    let figures = comparison.columns.iter().filter_map(|column| column.figures.as_ref());
    figures.map(|figures| figures.unplaced as usize).min().unwrap_or_default()
}

fn of_plans(args: &Args, context: &Context) -> Result<Comparison, Error> {
    if args.documents.len() < 2 && !args.live {
        return Err(Error::usage(
            "one plan alone cannot be compared",
            "name two plans or more, add --live, or make several with --scenarios",
        ));
    }
    let mut found = Vec::new();
    let mut plans: Vec<(String, Option<Plan>)> = Vec::new();
    for path in &args.documents {
        let (plan, of_plan) = inputs::plan(path, context.limit)?;
        found.extend(of_plan);
        plans.push((path.display().to_string(), plan));
    }
    let currencies: BTreeSet<String> =
        plans.iter().filter_map(|(_, plan)| Some(plan.as_ref()?.currency.to_string())).collect();
    if currencies.len() > 1 {
        let list = currencies.into_iter().collect::<Vec<_>>().join(", ");
        found.push(
            Finding::error("CMP-001", format!("the plans are in different currencies: {list}"))
                .help("make them again with one [pricing] currency"),
        );
    }
    findings::judge(context, args.format, args.fail_on, &found)?;
    let mut read = Vec::new();
    for (name, plan) in plans {
        read.push((name, inputs::usable(plan)?));
    }
    let first = &read.first().expect("the command line asks for one").1;
    let (name, currency) = (first.name.clone(), first.currency);
    if read.iter().any(|(_, plan)| plan.currency != currency) {
        return Err(Error::failed("amounts in different currencies cannot be compared", "use one currency"));
    }
    let live = match args.live {
        true => live(args, context, &read)?,
        false => Vec::new(),
    };
    let entries = read.into_iter().map(|(name, plan)| Entry {
        name,
        changes: Vec::new(),
        infeasible: planning::why_infeasible(&plan),
        plan: Some(plan),
        findings: Vec::new(),
    });
    let mut comparison = compare::compare(&name, currency, entries.collect());
    comparison.live = live;
    Ok(comparison)
}

fn of_scenarios(args: &Args, context: &Context, file: &Path) -> Result<Comparison, Error> {
    let [estate] = args.documents.as_slice() else {
        return Err(Error::usage("--scenarios goes with one estate", "name the estate document alone"));
    };
    let (estate, of_estate) = inputs::estate(estate, context.limit)?;
    let policy = inputs::policy(args.policy.as_deref(), context.limit)?;
    let (catalog, of_catalog) = inputs::catalog(args.catalog.as_deref(), context.limit)?;
    let text = files::read_text(file, context.limit)?;
    let mut found = [of_estate.as_slice(), &policy.findings, &of_catalog].concat();
    let mut made = Vec::new();
    if let (Some(_), Some(catalog)) = (policy.usable(), &catalog) {
        let providers: Vec<String> =
            catalog.catalog.providers.iter().map(|provider| provider.name.to_string()).collect();
        let name = file.display().to_string();
        let (read, of_scenarios) = scenarios::read(&name, &text, policy.text(), &providers);
        found.extend(of_scenarios);
        made = read;
    }
    findings::judge(context, args.format, args.fail_on, &found)?;
    inputs::usable(policy.usable())?;
    let (estate, catalog) = (inputs::usable(estate)?, inputs::usable(catalog)?);
    if made.is_empty() {
        return Err(Error::failed("there is no scenario that can be used", "mend what the findings tell of"));
    }
    let currency = made[0].policy.pricing.currency;
    if let Some(other) = made.iter().find(|scenario| scenario.policy.pricing.currency != currency) {
        return Err(Error::usage(
            format!("the scenario \"{}\" is in another currency", other.name),
            "give all scenarios one currency, in the policy",
        ));
    }
    let name = estate.name.clone();
    let subject = Subject::new(estate, of_estate);
    let planning = Planning { catalog: &catalog, gap: args.gap, time_limit: args.time_limit };
    let entries: Vec<Entry> = {
        let bar = Bar::start(&context.out, made.len());
        let made = made.par_iter().map(|scenario| {
            let entry = entry(&planning, &subject, scenario);
            bar.advance();
            entry
        });
        made.collect()
    };
    if let Some(folder) = &args.plans {
        write_plans(context, folder, &entries)?;
    }
    Ok(compare::compare(&name, currency, entries))
}

fn entry(planning: &Planning<'_>, subject: &Subject, scenario: &Scenario) -> Entry {
    let sha256 = document::sha256(scenario.policy.to_json().as_bytes());
    let (plan, infeasible, findings) = match planning.plan(subject, &scenario.policy, &sha256) {
        Ok(plan) => {
            let infeasible = planning::why_infeasible(&plan);
            (Some(plan), infeasible, Vec::new())
        }
        Err(found) => {
            let worst = found.iter().max_by_key(|finding| finding.severity);
            let reason = worst.map(|finding| match finding.summary.said() {
                Some(said) => Arg::Said(said.clone()),
                None => Arg::Text(finding.summary.to_string()),
            });
            let said =
                Said::new("compare.no-plan-why").with("reason", reason.unwrap_or(Arg::Text(String::new())));
            (None, Some(said.into()), found)
        }
    };
    Entry { name: scenario.name.clone(), changes: scenario.changes.clone(), infeasible, plan, findings }
}

/// Writes the plan of each scenario that has one, under its name made fit for a file.
fn write_plans(context: &Context, folder: &Path, entries: &[Entry]) -> Result<(), Error> {
    std::fs::create_dir_all(folder)
        .map_err(|source| files::FileError::Unwritable { path: folder.to_owned(), source })?;
    for (place, entry) in entries.iter().enumerate() {
        if let Some(plan) = &entry.plan {
            let file = folder.join(format!("{:02}-{}.json", place + 1, files::fit_name(&entry.name)));
            context.out.document(&file, plan.to_json().as_bytes())?;
            context.out.say(&format!("wrote {}", file.display()));
        }
    }
    Ok(())
}

/// Holds each plan against what its target has.
fn live(args: &Args, context: &Context, plans: &[(String, Plan)]) -> Result<Vec<Live>, Error> {
    let connections = args.target.open(&args.journal, context)?;
    let mut lives = Vec::new();
    for (column, (_, plan)) in plans.iter().enumerate() {
        let sha256 = document::sha256(plan.to_json().as_bytes());
        let options =
            executor::Options { parallelism: args.target.parallelism(), ..executor::Options::default() };
        let request = Request { plan, plan_sha256: &sha256, wave: None, options };
        let mut teller = Teller::new(context, false);
        let dry_run = context
            .wait(executor::dry_run(&request, &connections, &mut |event| teller.tell(event)))
            .map_err(|error| {
                execution::shown(error, context, execution::typed(&args.target, &args.journal))
            })?;
        let mut counts: BTreeMap<&'static str, u32> = BTreeMap::new();
        for step in &dry_run.steps {
            *counts.entry(name_of(step.change)).or_default() += 1;
        }
        let steps = dry_run.steps.iter().filter(|step| step.change != Change::Exists).map(|step| LiveStep {
            step: step.id.clone(),
            change: name_of(step.change).to_owned(),
            details: step.details.clone(),
        });
        lives.push(Live {
            column: u32::try_from(column).unwrap_or(u32::MAX),
            counts: counts
                .into_iter()
                .map(|(change, steps)| ChangeCount { change: change.to_owned(), steps })
                .collect(),
            steps: steps.collect(),
            beyond: beyond(context, plan, &connections)?,
            findings: dry_run.findings,
        });
    }
    Ok(lives)
}

/// What carries an owner in the regions of the plan and is no step of it.
fn beyond(
    context: &Context,
    plan: &Plan,
    connections: &crate::drivers::connections::Connections,
) -> Result<Vec<Beyond>, Error> {
    let regions: BTreeSet<_> = plan.steps.iter().map(|step| (&step.provider, &step.region)).collect();
    let mut beyond = Vec::new();
    for (provider, region) in regions {
        let Some(driver) = connections.driver(provider, region) else { continue };
        let path = format!("{provider}/{region}");
        let there = context.wait(driver.list(provider, region, None)).map_err(|error| {
            Error::failed(
                format!("{path} cannot be listed: {error}"),
                "check the connection and its credentials, then try again",
            )
        })?;
        let planned: BTreeSet<(&str, &str)> = plan
            .steps
            .iter()
            .filter(|step| &step.provider == provider && &step.region == region)
            .map(|step| (step.action.kind(), step.action.name()))
            .collect();
        for resource in there {
            if let Some(owner) = resource.owner
                && !planned.contains(&(resource.kind.name(), resource.name.as_str()))
            {
                beyond.push(Beyond {
                    region: path.clone(),
                    kind: resource.kind.name().to_owned(),
                    name: resource.name,
                    run: owner.run.to_string(),
                });
            }
        }
    }
    Ok(beyond)
}

const fn name_of(change: Change) -> &'static str {
    match change {
        Change::Make => "make",
        Change::Adopt => "adopt",
        Change::Exists => "exists",
        Change::Differs => "differs",
        Change::Taken => "taken",
        Change::MissingCapability => "missing_capability",
        Change::Unreadable => "unreadable",
        Change::Manual => "manual",
    }
}

/// What is wrong with plans that are to be compared: code, meaning, what to do.
pub const CODES: [(&str, &str, &str); 1] =
    [("CMP-001", "the plans are in different currencies", "make them again with one [pricing] currency")];

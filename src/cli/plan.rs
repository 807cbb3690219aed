//! `carafe plan`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use carafe_model::document::{self, Document};
use carafe_model::plan::Plan;
use carafe_model::policy::SizingStrategy;
use carafe_model::units::Quantity;
use carafe_planner::Options;
use carafe_planner::model_file::{self, Form};
use carafe_planner::what_if::{Questions, what_if};
use serde_json::json;

use super::Context;
use super::findings::{self, FailOnArg};
use super::lang::LangArg;
use super::output::Format;
use super::outputs;
use super::progress::Spinner;
use crate::error::{Error, Exit};
use crate::files;
use crate::inputs;

/// Find the cheapest home for every host and prove how close it is
///
/// Prints the short answer, and writes the plan, the report or both where asked. The same estate, policy and catalog
/// give the same plan, byte for byte. When a host has no place the plan is written all the same, with the reasons,
/// and the exit code is 3.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe plan estate.json
  carafe plan estate.json --policy policy.toml -o plan.json --report report.html
  carafe plan estate.json --catalog catalog.snapshot --gap 0 -o plan.json
  carafe plan estate.json --policy policy.toml --what-if --report report.html
  carafe plan estate.json --format json | jq .totals.monthly")]
pub(super) struct Args {
    /// The estate document, or - for standard input
    estate: PathBuf,
    /// What must hold and what is preferred; without it every provider is allowed and sizes stay as they are
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// A snapshot file or a folder of price lists; the catalog that is built in when absent
    #[arg(long, value_name = "FILE|DIR")]
    catalog: Option<PathBuf>,
    /// Write the plan to this file, or to standard output for -
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write the HTML report to this file, or to standard output for -
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// What you pay instead of list prices, in a file of its own: [[price_book]] entries as in a policy
    #[arg(long, value_name = "FILE")]
    price_book: Option<PathBuf>,
    /// Connections that the plan is to be carried out with: no host goes where their drivers cannot make what it needs
    #[arg(long, value_name = "FILE")]
    connections: Option<PathBuf>,
    /// Size hosts by what they have, by what they were measured to use, or plan by the latter and show both
    #[arg(long, value_enum, value_name = "BY")]
    sizing: Option<SizingArg>,
    /// How far from the optimum is near enough: 0.001 is a tenth of a percent
    #[arg(long, default_value = "0.001", value_parser = gap)]
    gap: Quantity,
    /// Stop searching after this long; what is found by then is reported with the gap that is left
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = duration)]
    time_limit: Duration,
    /// Write the placement problem as a linear program, .mps or .lp, whose optimum any solver can compare with the plan's
    #[arg(long, value_name = "FILE", value_parser = model_path)]
    export_model: Option<PathBuf>,
    /// Ask what other decisions would cost, and write the answers into the plan and the report; takes many times as long
    #[arg(long)]
    what_if: bool,
    /// How to print the answer
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    lang: LangArg,
    #[command(flatten)]
    fail_on: FailOnArg,
}

/// What decides how large offers must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum SizingArg {
    /// What hosts have today
    AsIs,
    /// What hosts were measured to use, times head-room
    Measured,
    /// Measured, with what sizes as they are would cost beside it
    Both,
}

impl SizingArg {
    /// The way that the plan itself is made by.
    pub(super) const fn strategy(self) -> SizingStrategy {
        match self {
            SizingArg::AsIs => SizingStrategy::AsIs,
            SizingArg::Measured | SizingArg::Both => SizingStrategy::Measured,
        }
    }
}

fn model_path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    model_form(&path).map(|_| path).ok_or_else(|| "name a file that ends with .mps or .lp".to_owned())
}

fn model_form(path: &Path) -> Option<Form> {
    match path.extension()?.to_str()? {
        "mps" => Some(Form::Mps),
        "lp" => Some(Form::Lp),
        _ => None,
    }
}

pub(super) fn gap(text: &str) -> Result<Quantity, String> {
    match text.parse::<Quantity>() {
        Ok(gap) if gap.0 >= 0 && gap.0 <= 1_000_000 => Ok(gap),
        Ok(_) | Err(_) => {
            Err("write a number from 0 to 1 with at most six decimals, such as 0.001".to_owned())
        }
    }
}

/// Reads a length of time such as `60s` or `5m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (count, unit) = text.split_at(digits);
    let seconds_in = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        _ => 0,
    };
    let seconds = count.parse::<u64>().ok().and_then(|count| count.checked_mul(seconds_in));
    match seconds {
        Some(seconds) if seconds > 0 => Ok(Duration::from_secs(seconds)),
        Some(_) | None => Err("write a number and s, m or h, such as 60s or 5m".to_owned()),
    }
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let documents = [&args.output, &args.report].into_iter().flatten();
    let to_stdout = documents.filter(|file| files::is_standard_stream(file)).count();
    if to_stdout + usize::from(args.format == Format::Json) > 1 {
        return Err(Error::usage(
            "only one of the plan, the report and the JSON answer can go to standard output",
            "write the others to files, for example with -o plan.json",
        ));
    }
    outputs::Paths::default()
        .reads([&args.estate])
        .reads(&args.policy)
        .reads(&args.catalog)
        .writes(&args.output)
        .writes(&args.report)
        .writes(&args.export_model)
        .apart()?;
    let (estate, of_estate) = inputs::estate(&args.estate, context.limit)?;
    let mut policy = inputs::policy(args.policy.as_deref(), context.limit)?;
    if let Some(book) = &args.price_book {
        policy.add_price_book(book, context.limit)?;
    }
    if let Some(connections) = &args.connections {
        policy.add_unavailable(super::execution::opened(connections, context)?.unavailable());
    }
    if let Some(sizing) = args.sizing {
        policy.size_by(sizing.strategy());
    }
    let (catalog, of_catalog) = inputs::catalog(args.catalog.as_deref(), context.limit)?;
    let mut found = [of_estate.as_slice(), &policy.findings, &of_catalog].concat();
    if let (Some(estate), Some(catalog), None) = (&estate, &catalog, policy.usable()) {
        // Planning would tell of these; a policy that cannot be planned with gets them all the same.
        found.extend(policy.names(estate, &catalog.catalog));
    }
    findings::judge(context, args.format, args.fail_on, &found)?;
    let estate = inputs::usable(estate)?;
    let mut demands = inputs::usable(policy.usable())?.clone();
    let catalog = inputs::usable(catalog)?;
    if args.catalog.is_none() {
        let (_, newest) = catalog.catalog.price_dates();
        context.out.say(&format!(
            "using the built-in catalog {}, whose newest price is of {newest}; --catalog takes another",
            catalog.catalog.id
        ));
    }

    let begun = Instant::now();
    let stop = || begun.elapsed() >= args.time_limit;
    let options = Options {
        estate_sha256: document::sha256(estate.to_json().as_bytes()),
        policy_sha256: policy.sha256.clone(),
        gap: args.gap,
        stop: &stop,
    };
    let model = args.export_model.as_deref().and_then(model_form).map(|form| {
        let _turning = Spinner::start(&context.out, "writing the model");
        model_file::export(&estate, &catalog, &demands, form)
    });
    let mut plan = {
        let _turning = Spinner::start(&context.out, "planning");
        let mut plan = carafe_planner::plan(&estate, &catalog, &demands, &options);
        if args.what_if {
            let answers = what_if(&estate, &catalog, &demands, &options, &plan, Questions::ALL);
            plan.what_if = Some(Box::new(answers));
            plan.list_sentences();
        }
        if args.sizing == Some(SizingArg::Both) {
            demands.sizing.strategy = SizingStrategy::AsIs;
            let as_is = carafe_planner::plan(&estate, &catalog, &demands, &options);
            carafe_planner::sizes::beside(&mut plan, &as_is);
        }
        plan
    };
    policy.place(&mut plan.findings);
    // What no host can be blamed for stops as any finding does; hosts without a place are told by the exit code.
    // A plan that did not pass its own check is no plan, whoever else has no place.
    let model = match model {
        Some(Err(refused)) => {
            let never = FailOnArg { fail_on: findings::FailOn::Error };
            return findings::judge(context, args.format, never, &[*refused]).map(|()| Exit::Findings);
        }
        Some(Ok(text)) => Some(text),
        None => None,
    };
    let has = |code| plan.findings.iter().any(|finding| finding.code == code);
    if has(carafe_planner::NO_EXCHANGE) {
        // Nothing was priced, so there is nothing to write, whatever is accepted.
        let never = FailOnArg { fail_on: findings::FailOn::Error };
        findings::judge(context, args.format, never, &plan.findings)?;
    }
    if plan.unplaced.is_empty() || has(carafe_planner::UNSOUND) {
        findings::judge(context, args.format, args.fail_on, &plan.findings)?;
    } else if args.format == Format::Text {
        findings::print(&context.out, &plan.findings);
    }
    // What is doubtful about the estate qualifies the plan; what a price list says of itself stays with the catalog.
    plan.findings.splice(0..0, of_estate);
    write(args, context, &plan, model.as_deref(), to_stdout > 0)?;
    match plan.unplaced.len() {
        0 => Ok(Exit::Done),
        hosts => Err(Error::Unplaced { hosts }),
    }
}

fn write(
    args: &Args,
    context: &Context,
    plan: &Plan,
    model: Option<&str>,
    to_stdout: bool,
) -> Result<(), Error> {
    if let (Some(path), Some(model)) = (&args.export_model, model) {
        context.out.document(path, model.as_bytes())?;
    }
    if let Some(report) = &args.report {
        context.out.document(report, carafe_reports::html(plan, args.lang.lang).as_bytes())?;
    }
    if let Some(output) = &args.output {
        context.out.document(output, plan.to_json().as_bytes())?;
    }
    match args.format {
        Format::Text if to_stdout => {}
        Format::Text => context.out.data(&carafe_reports::text(plan, context.out.width(), args.lang.lang))?,
        Format::Json => context.out.json(&findings::to_json(&plan.findings, answer(args, plan)))?,
    }
    for file in [&args.output, &args.report, &args.export_model].into_iter().flatten() {
        if !files::is_standard_stream(file) {
            context.out.say(&format!("wrote {}", file.display()));
        }
    }
    Ok(())
}

fn answer(args: &Args, plan: &Plan) -> serde_json::Value {
    let written: Vec<&Path> = [&args.output, &args.report, &args.export_model]
        .into_iter()
        .flatten()
        .map(PathBuf::as_path)
        .collect();
    json!({
        "written": written,
        "name": plan.name,
        "currency": plan.currency,
        "catalog": plan.catalog,
        "totals": plan.totals,
        "today": plan.today,
        "bound": plan.bound,
        "as_is": plan.as_is,
        "placed": plan.placements.len(),
        "staying": plan.staying.len(),
        "unplaced": plan.unplaced.len(),
        "steps": plan.steps.len(),
        "waves": plan.waves.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_gaps_are_read_strictly() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("5m"), Ok(Duration::from_secs(300)));
        for text in ["", "s", "0s", "60", "-1s", "1.5s", "1d", "99999999999999999999h"] {
            assert!(duration(text).is_err(), "{text}");
        }
        assert_eq!(gap("0.001"), Ok(Quantity(1_000)));
        for text in ["-0.1", "1.1", "0.0000001", "ten"] {
            assert!(gap(text).is_err(), "{text}");
        }
    }
}

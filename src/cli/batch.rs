//! `carafe batch`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use carafe_model::batch::{Batch, Row, State};
use carafe_model::document::Document;
use carafe_model::finding::Finding;
use carafe_model::language::Said;
use carafe_model::units::Quantity;
use serde_json::json;

use super::Context;
use super::findings::{self, FailOnArg};
use super::lang::LangArg;
use super::output::Format;
use super::progress::Bar;
use super::table::{Side, Table};
use crate::batch::{self, NamedCatalog, NamedPolicy, Request, inputs::Source};
use crate::error::{Error, Exit};
use crate::files::{self, FileError};
use crate::inputs;

/// Plan many estates under many policies, with an index of all reports
///
/// Takes a manifest (TOML) or a folder, in which estates, policies and catalogs are found by what is in them. Estates may
/// be any file that can be imported. Every estate is planned under every policy and catalog; each plan and report goes
/// into a folder of its own, and an index as HTML, JSON and CSV sums up and links them. What is broken is a row of the
/// index and stops nothing. A second run does only what is new or has changed, also after an interruption.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe batch estates/ -o out
  carafe batch batch.toml -o out --jobs 2 --fail-on never
  carafe batch batch.toml -o out --format json | jq '.rows[] | select(.state != \"done\")'")]
pub(super) struct Args {
    /// A manifest, or a folder of estates and policies
    #[arg(value_name = "MANIFEST|DIR")]
    what: PathBuf,
    /// The folder to write into; it is made where it is missing
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// How many estates are planned at a time; as many as there are processors when absent
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: Option<u16>,
    /// The prices, where the manifest or folder names none: a snapshot file or a folder of price lists
    #[arg(long, value_name = "FILE|DIR")]
    catalog: Option<PathBuf>,
    /// How far from the optimum is near enough: 0.001 is a tenth of a percent
    #[arg(long, default_value = "0.001", value_parser = super::plan::gap)]
    gap: Quantity,
    /// Stop searching for one plan after this long
    #[arg(long, default_value = "60s", value_name = "DURATION", value_parser = super::plan::duration)]
    time_limit: Duration,
    #[command(flatten)]
    lang: LangArg,
    /// How to print what was done; json is the index
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Which findings make an estate one that is not planned, and the command end with 4
    #[command(flatten)]
    fail_on: FailOnArg,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    if args.what.is_dir() && files::are_same(&args.what, &args.output) {
        return Err(Error::usage(
            "the folder that is read would be written into",
            "name another folder with -o, for example -o out",
        ));
    }
    let found = batch::inputs::find(&args.what, &args.output, context.limit)?;
    if !found.findings.is_empty() {
        findings::judge(
            context,
            args.format,
            FailOnArg { fail_on: findings::FailOn::Error },
            &found.findings,
        )?;
    }
    let policies: Vec<NamedPolicy> = match found.policies.is_empty() {
        true => vec![policy("default", None, context)],
        false => {
            found.policies.iter().map(|source| policy(&source.name, source.files.first(), context)).collect()
        }
    };
    let catalogs = catalogs(args, &found.catalogs, context);
    std::fs::create_dir_all(&args.output)
        .map_err(|source| FileError::Unwritable { path: args.output.clone(), source })?;
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let total = found.estates.len() * policies.len() * catalogs.len();
    let again = std::sync::atomic::AtomicUsize::new(0);
    let rows = {
        let bar = Bar::start(&context.out, total);
        let on_row = |was_finished: bool| {
            if was_finished {
                again.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
            bar.advance();
        };
        let stops = |finding: &Finding| findings::stopping(args.fail_on, std::slice::from_ref(finding)) > 0;
        batch::run(&Request {
            estates: &found.estates,
            policies: &policies,
            catalogs: &catalogs,
            out: &args.output,
            jobs: args.jobs.map_or(processors, usize::from),
            gap: args.gap,
            time_limit: args.time_limit,
            language: args.lang.lang,
            stops: &stops,
            limit: context.limit,
            on_row: &on_row,
        })?
    };
    let index = Batch { carafe: Batch::header(), rows, skipped: found.skipped };
    write_index(args, &index)?;
    tell(args, context, &index, again.into_inner())?;
    conclude(args, &index)
}

fn policy(name: &str, path: Option<&PathBuf>, context: &Context) -> NamedPolicy {
    match inputs::policy(path.map(PathBuf::as_path), context.limit) {
        Ok(policy) => {
            let findings = policy.findings.clone();
            NamedPolicy { name: name.to_owned(), policy: Some(policy), findings }
        }
        Err(error) => NamedPolicy { name: name.to_owned(), policy: None, findings: vec![error.to_finding()] },
    }
}

fn catalogs(args: &Args, found: &[Source], context: &Context) -> Vec<NamedCatalog> {
    let open = |path: Option<&Path>, name: Option<&str>| {
        let (catalog, findings) = match inputs::catalog(path, context.limit) {
            Ok((catalog, findings)) => {
                // What a price list says of itself stays with the catalog, unless the prices cannot be used for it.
                let stops = findings::stopping(args.fail_on, &findings) > 0;
                (catalog.filter(|_| !stops), if stops { findings } else { Vec::new() })
            }
            Err(error) => (None, vec![error.to_finding()]),
        };
        let id = catalog.as_ref().map(|catalog| catalog.catalog.id.clone());
        let name = name.map(str::to_owned).or(id).unwrap_or_else(|| "catalog".to_owned());
        NamedCatalog { name, catalog, findings }
    };
    match found {
        [] => vec![open(args.catalog.as_deref(), None)],
        named => named
            .iter()
            .map(|source| open(source.files.first().map(PathBuf::as_path), Some(&source.name)))
            .collect(),
    }
}

fn write_index(args: &Args, index: &Batch) -> Result<(), Error> {
    let [html, json, csv] = batch::index_files(&args.output);
    files::write(&json, index.to_json().as_bytes())?;
    files::write(&csv, carafe_reports::batch::csv(index).as_bytes())?;
    files::write(&html, carafe_reports::batch::html(index, args.lang.lang).as_bytes())?;
    Ok(())
}

/// The most broken rows that are told one by one.
const MOST_TOLD: usize = 20;

fn tell(args: &Args, context: &Context, index: &Batch, again: usize) -> Result<(), Error> {
    if args.format == Format::Json {
        context.out.json(&json!(index))?;
        return Ok(());
    }
    let language = args.lang.lang;
    let heads = ["batch.state", "batch.estate", "batch.policy", "batch.why"]
        .map(|key| (language.word(key), Side::Left));
    let mut table = Table::new(&heads);
    let not_done: Vec<&Row> = index.rows.iter().filter(|row| row.state != State::Done).collect();
    for row in not_done.iter().take(MOST_TOLD) {
        let state = carafe_reports::batch::state(row, language);
        table.row([state, row.estate.clone(), row.policy.clone(), carafe_reports::batch::why(row, language)]);
    }
    if !not_done.is_empty() {
        context.out.data(&table.render())?;
    }
    if not_done.len() > MOST_TOLD {
        let more = Said::new("batch.more").with("n", not_done.len() - MOST_TOLD);
        context.out.data(&(language.say(&more) + "\n"))?;
    }
    let count = |state| index.rows.iter().filter(|row| row.state == state).count();
    let told = Said::new("batch.told")
        .with("n", index.rows.len())
        .with("done", count(State::Done))
        .with("unplaced", count(State::Unplaced))
        .with("broken", count(State::Broken))
        .with("before", again);
    let [html, ..] = batch::index_files(&args.output);
    context.out.data(&format!("{}\n{}\n", language.say(&told), html.display()))?;
    Ok(())
}

fn conclude(args: &Args, index: &Batch) -> Result<Exit, Error> {
    let broken = index.rows.iter().filter(|row| row.state == State::Broken).count();
    if broken > 0 && args.fail_on.fail_on != findings::FailOn::Never {
        return Err(Error::Broken { rows: broken });
    }
    let unplaced = index.rows.iter().filter_map(|row| row.figures.as_ref());
    match unplaced.map(|figures| figures.unplaced as usize).sum() {
        0 => Ok(Exit::Done),
        hosts => Err(Error::Unplaced { hosts }),
    }
}

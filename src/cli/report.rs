//! `carafe report`.

use std::path::PathBuf;

use carafe_reports::Report;

use super::Context;
use super::findings::{self, FailOnArg};
use super::lang::LangArg;
use super::output::Format;
use super::outputs;
use crate::error::{Error, Exit};
use crate::files::{self, FileError};
use crate::inputs;

/// Say a plan to people: a page, a workbook, tables for programs, or the terminal
///
/// Every form holds the same figures. Without any of the options the short answer is printed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe report plan.json
  carafe report plan.json --html report.html --xlsx report.xlsx --lang ko
  carafe report plan.json --csv tables --json report.json
  carafe report plan.json --markdown - | less")]
pub(super) struct Args {
    /// The plan document, or - for standard input
    plan: PathBuf,
    /// Write the report as one HTML file that needs no network, or to standard output for -
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write a workbook whose totals are formulas over the bill, or to standard output for -
    #[arg(long, value_name = "FILE")]
    xlsx: Option<PathBuf>,
    /// Write every table as a CSV file into this folder, which is made where there is none
    #[arg(long, value_name = "DIR")]
    csv: Option<PathBuf>,
    /// Write the answer and its tables as Markdown, or to standard output for -
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Write the same tables as a JSON document with every digit, or to standard output for -
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    #[command(flatten)]
    lang: LangArg,
    #[command(flatten)]
    fail_on: FailOnArg,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let files = [&args.html, &args.xlsx, &args.markdown, &args.json];
    let named = || files.into_iter().flatten();
    outputs::Paths::default().reads([&args.plan]).writes(named()).writes(&args.csv).apart()?;
    if named().filter(|file| files::is_standard_stream(file)).count() > 1 {
        return Err(Error::usage(
            "only one form of the report can go to standard output",
            "write the others to files, for example with --html report.html",
        ));
    }
    let (plan, found) = inputs::plan(&args.plan, context.limit)?;
    findings::judge(context, Format::Text, args.fail_on, &found)?;
    let plan = inputs::usable(plan)?;
    let language = args.lang.lang;
    for (file, name) in files.into_iter().zip(["html", "xlsx", "markdown", "json"]) {
        let Some(file) = file else { continue };
        let report = Report::named(name).expect("every form of the options is in the list of reports");
        context.out.document(file, &(report.render)(&plan, language))?;
        if !files::is_standard_stream(file) {
            context.out.say(&format!("wrote {}", file.display()));
        }
    }
    if let Some(folder) = &args.csv {
        std::fs::create_dir_all(folder)
            .map_err(|source| FileError::Unwritable { path: folder.clone(), source })?;
        for (name, bytes) in carafe_reports::csv(&plan, language) {
            context.out.document(&folder.join(name), &bytes)?;
        }
        context.out.say(&format!("wrote {}", folder.display()));
    }
    if named().count() == 0 && args.csv.is_none() {
        context.out.data(&carafe_reports::text(&plan, context.out.width(), language))?;
    }
    Ok(Exit::Done)
}

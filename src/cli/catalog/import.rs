//! `carafe catalog import`.

use std::path::PathBuf;
use std::time::Instant;

use carafe_inventory::catalog::{self, CATALOG_IMPORTERS, Request};
use carafe_model::snapshot;
use clap::builder::{PossibleValue, PossibleValuesParser};
use serde_json::json;

use super::database::DatabaseArg;
use crate::catalogs;
use crate::cli::Context;
use crate::cli::findings::{self, FailOnArg};
use crate::cli::output::Format;
use crate::cli::outputs;
use crate::cli::progress::Spinner;
use crate::error::{Error, Exit};
use crate::files;
use crate::inputs;

/// Read price lists into a dated, hashed snapshot or a catalog database
///
/// The format of each file is told by how it begins. The same rows give the same snapshot, in whatever order they are
/// read. What cannot be used is told with its place; a price of zero is never taken for a price. Without -o, what was
/// read goes into the catalog database, whole or not at all.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe catalog import prices/ --as normalised -o catalog.snapshot
  carafe catalog import ec2-seoul.json.gz --catalog catalog.db
  carafe catalog import retail-*.json skus.json rates.toml --catalog catalog.db
  carafe catalog import vms.csv --as skypilot --provider aws --as-of 2026-11-01 -o aws.snapshot")]
pub(crate) struct Args {
    /// Files to read, or a folder of which every price list is read
    #[arg(required = true, value_name = "FILE|DIR")]
    files: Vec<PathBuf>,
    /// The format of the files; told by how each begins when absent
    #[arg(long = "as", value_name = "FORMAT", value_parser = importer_name())]
    format_of_files: Option<String>,
    /// The day of prices whose list tells none, as 2026-11-01; the day their file was written when absent
    #[arg(long, value_name = "DATE")]
    as_of: Option<String>,
    /// The provider of lists that do not name theirs
    #[arg(long, value_name = "PROVIDER")]
    provider: Option<String>,
    /// The region of lists that do not name theirs
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// What to call the snapshot; the name of the first file or folder when absent
    #[arg(long)]
    id: Option<String>,
    /// Write a snapshot to this file, or to standard output for -
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    database: DatabaseArg,
    /// How to print what was read
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    fail_on: FailOnArg,
}

fn importer_name() -> PossibleValuesParser {
    let importers = CATALOG_IMPORTERS.iter();
    importers
        .map(|importer| PossibleValue::new(importer.name).help(importer.summary))
        .collect::<Vec<_>>()
        .into()
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let to_stdout = args.output.as_deref().is_some_and(files::is_standard_stream);
    if to_stdout && args.format == Format::Json {
        return Err(Error::usage(
            "the snapshot and the summary cannot both go to standard output",
            "write the snapshot to a file with -o catalog.snapshot",
        ));
    }
    if args.as_of.as_deref().is_some_and(|day| !catalog::is_day(day)) {
        return Err(Error::usage("the day of the prices cannot be read", "write it as --as-of 2026-11-01"));
    }
    outputs::Paths::default().reads(&args.files).writes(&args.output).apart()?;
    let begun = Instant::now();
    let id = args.id.clone().unwrap_or_else(|| inputs::catalog_id(&args.files[0]));
    let request = Request {
        id: &id,
        as_of: args.as_of.as_deref().unwrap_or_default(),
        provider: args.provider.as_deref(),
        region: args.region.as_deref(),
    };
    let (imported, mut found) = {
        let _turning = Spinner::start(&context.out, "reading prices");
        catalogs::import(&args.files, args.format_of_files.as_deref(), &request, context.limit)?
    };
    let keeps = args.output.is_none() || args.database.catalog.is_some();
    let parts = catalogs::parts_of(imported);
    // What is printed and frozen are the lists that were read; the database joins them with what it has.
    let (joined, told) = catalogs::join(&id, parts.clone());
    if args.output.is_some() {
        found.extend(told);
    }
    findings::judge(context, args.format, args.fail_on, &found)?;
    let sealed = match joined {
        Some(sealed) => sealed,
        None => inputs::usable(None)?,
    };
    let mut said = String::new();
    let mut revision = None;
    if keeps && !parts.is_empty() {
        let what = args.files.iter().map(|path| files::display_name(path)).collect::<Vec<_>>().join(" ");
        let added = args.database.add(context, &parts, &format!("import {what}"))?;
        said += &match added {
            Some(number) => format!("revision {number} of the catalog database\n"),
            None => "the catalog database has all of it already\n".to_owned(),
        };
        revision = added;
    }
    let mut written = 0;
    let sha256 = sealed.sha256.clone();
    if let Some(output) = &args.output {
        let (_, bytes) = snapshot::seal(sealed.catalog.clone());
        context.out.document(output, &bytes)?;
        written = bytes.len();
    }
    let seconds = begun.elapsed().as_secs_f64();
    match args.format {
        Format::Text => {
            let table = super::show::text(&sealed);
            if let Some(output) = &args.output {
                said += &format!("wrote {} in {seconds:.2} s, sha256 {sha256}", output.display());
            }
            let text = format!("{table}{}", said.trim_end());
            if to_stdout {
                context.out.say(&text);
            } else {
                context.out.data(&(text + "\n"))?;
            }
        }
        Format::Json => {
            let rest = json!({
                "written": args.output,
                "revision": revision,
                "bytes": written,
                "seconds": seconds,
                "catalog": super::show::json(&sealed),
            });
            context.out.json(&findings::to_json(&found, rest))?;
        }
    }
    Ok(Exit::Done)
}

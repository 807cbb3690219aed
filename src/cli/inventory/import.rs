//! `carafe inventory import`.

use std::path::{Path, PathBuf};

use carafe_inventory::importers::columns::ColumnMap;
use carafe_inventory::{IMPORTERS, InputFile, Reading};
use carafe_model::catalog::Snapshot;
use carafe_model::document::Document;
use carafe_model::estate::Estate;
use clap::builder::{PossibleValue, PossibleValuesParser};
use serde_json::json;

use crate::cli::Context;
use crate::cli::findings::{self, FailOnArg};
use crate::cli::output::{Format, clean};
use crate::cli::outputs;
use crate::cli::progress::Spinner;
use crate::error::{Error, Exit, plural};
use crate::files;
use crate::inputs;

/// Read what other tools export into one estate
///
/// The format of each file is recognised by what is in it; a folder stands for the exports in it. Several files are
/// merged: what they say about the same host is put together. Every value that cannot be used is told with its file, sheet, row and column or JSON pointer.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe inventory import rvtools.xlsx -o estate.json
  carafe inventory import honeybee.json annotations.json --name erp -o estate.json
  carafe inventory import terraform.tfstate --catalog prices.snapshot -o estate.json
  carafe inventory import servers.csv --as csv --columns columns.toml -o estate.json
  carafe inventory import rvtools-csv-folder -o estate.json
  cat honeybee.json | carafe inventory import - > estate.json")]
pub(crate) struct Args {
    /// Files or folders to read, or - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Read every file as this format instead of recognising it
    #[arg(long = "as", value_name = "FORMAT", value_parser = importer_name())]
    format_of_files: Option<String>,
    /// What the columns of a plain table mean: a TOML file with lines such as memory = "RAM (GB)"
    #[arg(long, value_name = "FILE")]
    columns: Option<PathBuf>,
    /// Where to look up sizes of instance types; the catalog built in when absent
    #[arg(long, value_name = "CATALOG")]
    catalog: Option<PathBuf>,
    /// What to call the estate; the name of the first file when absent
    #[arg(long)]
    name: Option<String>,
    /// Write the estate to this file; to standard output when absent or -
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How to print what was read; json needs an output file beside it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    fail_on: FailOnArg,
}

fn importer_name() -> PossibleValuesParser {
    let importers = IMPORTERS.iter();
    importers
        .map(|importer| PossibleValue::new(importer.name).help(importer.summary))
        .collect::<Vec<_>>()
        .into()
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let to_stdout = args.output.as_deref().is_none_or(files::is_standard_stream);
    if to_stdout && args.format == Format::Json {
        return Err(Error::usage(
            "the estate and the findings cannot both go to standard output",
            "write the estate to a file with -o estate.json",
        ));
    }
    let beside = [&args.columns, &args.catalog].into_iter().flatten();
    let sources: Vec<&PathBuf> = args.files.iter().chain(beside).collect();
    outputs::Paths::default().reads(sources).writes(&args.output).apart()?;
    let paths = inputs::exports(&args.files)?;
    let read = inputs::files(&paths, context.limit)?;
    let columns = args.columns.as_deref().map(|path| columns(path, context, args)).transpose()?;
    let catalog = match &args.catalog {
        Some(path) => Some(catalog(path, context, args)?),
        None => None,
    };
    let name = args.name.clone().unwrap_or_else(|| name_after(&args.files[0]));
    let (estate, found) = {
        let _turning = Spinner::start(&context.out, "reading");
        let input: Vec<InputFile<'_>> = read.iter().map(inputs::ReadFile::as_input).collect();
        let with = Reading { catalog: catalog.as_ref(), columns: columns.as_ref() };
        let import = carafe_inventory::import_with(&input, args.format_of_files.as_deref(), &name, &with);
        (import.estate, import.findings)
    };
    findings::judge(context, args.format, args.fail_on, &found)?;
    let estate = inputs::usable(estate)?;
    let output = args.output.as_deref().unwrap_or(Path::new(files::STANDARD_STREAM));
    context.out.document(output, estate.to_json().as_bytes())?;
    let counts = counts(&estate);
    match args.format {
        Format::Text if to_stdout => context.out.say(&counts),
        Format::Text => context.out.data(&format!("wrote {}: {counts}\n", output.display()))?,
        Format::Json => {
            let rest = json!({
                "written": output,
                "estate_sha256": carafe_model::document::sha256(estate.to_json().as_bytes()),
                "hosts": estate.hosts.len(),
                "flows": estate.flows.len(),
                "apps": estate.apps.len(),
                "load_balancers": estate.load_balancers.len(),
                "clusters": estate.clusters.len(),
            });
            context.out.json(&findings::to_json(&found, rest))?;
        }
    }
    Ok(Exit::Done)
}

/// Reads a column map.
fn columns(path: &Path, context: &Context, args: &Args) -> Result<ColumnMap, Error> {
    let text = files::read_text(path, context.limit)?;
    let map = ColumnMap::read(&files::display_name(path), &text);
    match map {
        Ok(map) => Ok(map),
        Err(found) => {
            findings::judge(context, args.format, args.fail_on, &found)?;
            Ok(ColumnMap::default())
        }
    }
}

/// Reads the catalog that sizes of instance types are looked up in.
fn catalog(path: &Path, context: &Context, args: &Args) -> Result<Snapshot, Error> {
    let (catalog, found) = inputs::catalog(Some(path), context.limit)?;
    findings::judge(context, args.format, args.fail_on, &found)?;
    Ok(inputs::usable(catalog)?.catalog)
}

fn name_after(path: &Path) -> String {
    let stem = path.file_stem().filter(|_| !files::is_standard_stream(path));
    stem.map_or_else(|| "estate".to_owned(), |stem| clean(&stem.to_string_lossy()))
}

/// What an estate holds, in a line.
pub(crate) fn counts(estate: &Estate) -> String {
    [
        plural(estate.hosts.len(), "host", "hosts"),
        plural(estate.apps.len(), "app", "apps"),
        plural(estate.flows.len(), "flow", "flows"),
        plural(estate.load_balancers.len(), "load balancer", "load balancers"),
        plural(estate.clusters.len(), "cluster", "clusters"),
    ]
    .join(", ")
}

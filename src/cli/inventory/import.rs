//! `carafe inventory import`.

use std::path::{Path, PathBuf};

use carafe_inventory::importers::columns::ColumnMap;
use carafe_inventory::{IMPORTERS, InputFile, Precedence, Reading, Wanted, import_as};
use carafe_model::catalog::Snapshot;
use carafe_model::document::Document;
use carafe_model::estate::{Estate, Source};
use carafe_model::overrides::Overrides;
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
/// merged: what they say about the same host is put together, and where they differ it is told who says what and which of
/// them is believed. Every value that cannot be used is told with its file, sheet, row and column or JSON pointer.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe inventory import rvtools.xlsx -o estate.json
  carafe inventory import honeybee.json annotations.json --name erp -o estate.json
  carafe inventory import terraform.tfstate --catalog prices.snapshot -o estate.json
  carafe inventory import servers.csv --as csv --columns columns.toml -o estate.json
  carafe inventory import rvtools-csv-folder -o estate.json
  carafe inventory import rvtools.xlsx facts.json --precedence rvtools --precedence os=ansible -o estate.json
  carafe inventory import rvtools.xlsx --overrides overrides.json -o estate.json
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
    /// Believe these formats or files first, in this order: SOURCE,… for everything, FIELD=SOURCE,… for one field of a
    /// host such as memory_mib; may be repeated
    #[arg(long, value_name = "ORDER")]
    precedence: Vec<String>,
    /// Put changes by hand on what is imported, as "inventory override" takes them from an edited estate
    #[arg(long, value_name = "FILE")]
    overrides: Option<PathBuf>,
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
    let beside = [&args.columns, &args.catalog, &args.overrides].into_iter().flatten();
    let sources: Vec<&PathBuf> = args.files.iter().chain(beside).collect();
    outputs::Paths::default().reads(sources).writes(&args.output).apart()?;
    let precedence = Precedence::read(&args.precedence).map_err(|wrong| {
        Error::usage(
            wrong,
            "write for example --precedence ansible,rvtools or --precedence memory_mib=rvtools",
        )
    })?;
    let paths = inputs::exports(&args.files)?;
    let read = inputs::files(&paths, context.limit)?;
    let columns = args.columns.as_deref().map(|path| columns(path, context, args)).transpose()?;
    let catalog = match &args.catalog {
        Some(path) => Some(catalog(path, context, args)?),
        None => None,
    };
    let overrides = args.overrides.as_deref().map(|path| overrides(path, context, args)).transpose()?;
    let name = args.name.clone().unwrap_or_else(|| name_after(&args.files[0]));
    let (estate, found) = {
        let _turning = Spinner::start(&context.out, "reading");
        let input: Vec<InputFile<'_>> = read.iter().map(inputs::ReadFile::as_input).collect();
        let wanted = Wanted {
            format: args.format_of_files.as_deref(),
            reading: Reading { catalog: catalog.as_ref(), columns: columns.as_ref() },
            precedence: Some(&precedence),
            overrides: overrides.as_ref().map(|(overrides, source)| (overrides, source.file.as_str())),
        };
        let import = import_as(&input, &name, &wanted);
        (import.estate, import.findings)
    };
    findings::judge(context, args.format, args.fail_on, &found)?;
    let mut estate = inputs::usable(estate)?;
    estate.sources.extend(overrides.map(|(_, source)| source));
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

/// Reads changes by hand, and how the estate names where they are from.
fn overrides(path: &Path, context: &Context, args: &Args) -> Result<(Overrides, Source), Error> {
    let bytes = files::read_filled(path, context.limit)?;
    let (overrides, found) = carafe_model::document::read(&files::display_name(path), &bytes);
    findings::judge(context, args.format, args.fail_on, &found)?;
    let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let source = Source {
        file: clean(&file),
        format: Overrides::KIND.to_owned(),
        sha256: carafe_model::document::sha256(&bytes),
    };
    Ok((inputs::usable(overrides)?, source))
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

//! `carafe inventory import`.

use std::path::{Path, PathBuf};

use carafe_inventory::{IMPORTERS, InputFile};
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
/// The format of each file is recognised by what is in it. Several files are merged: what they say about the same host
/// is put together. Every value that cannot be used is told with its file, sheet, row and column or JSON pointer.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe inventory import rvtools.xlsx -o estate.json
  carafe inventory import honeybee.json annotations.json --name erp -o estate.json
  carafe inventory import rvtools.xlsx --as rvtools --fail-on never -o estate.json
  cat honeybee.json | carafe inventory import - > estate.json")]
pub(crate) struct Args {
    /// Files to read, or - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Read every file as this format instead of recognising it
    #[arg(long = "as", value_name = "FORMAT", value_parser = importer_name())]
    format_of_files: Option<String>,
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
    outputs::Paths::default().reads(&args.files).writes(&args.output).apart()?;
    let read = inputs::files(&args.files, context.limit)?;
    let name = args.name.clone().unwrap_or_else(|| name_after(&args.files[0]));
    let (estate, found) = {
        let _turning = Spinner::start(&context.out, "reading");
        let input: Vec<InputFile<'_>> = read.iter().map(inputs::ReadFile::as_input).collect();
        let import = carafe_inventory::import(&input, args.format_of_files.as_deref(), &name);
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

//! `carafe catalog import`.

use std::path::PathBuf;
use std::time::Instant;

use carafe_inventory::catalog::CATALOG_IMPORTERS;
use carafe_model::snapshot;
use clap::builder::{PossibleValue, PossibleValuesParser};
use serde_json::json;

use crate::cli::Context;
use crate::cli::findings::{self, FailOnArg};
use crate::cli::output::Format;
use crate::cli::outputs;
use crate::cli::progress::Spinner;
use crate::error::{Error, Exit};
use crate::files;
use crate::inputs;

/// Read price lists into a dated, hashed snapshot
///
/// The same rows give the same snapshot, in whatever order they are read. Rows that cannot be used are told with their
/// file and row; a price of zero is never taken for a price.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe catalog import prices/ --as normalised -o catalog.snapshot
  carafe catalog import regions.csv specs.csv prices.csv.gz --as normalised --id autumn -o autumn.snapshot")]
pub(crate) struct Args {
    /// Files to read, or a folder of which every *.csv and *.csv.gz is read
    #[arg(required = true, value_name = "FILE|DIR")]
    files: Vec<PathBuf>,
    /// The format of the files
    #[arg(long = "as", value_name = "FORMAT", value_parser = importer_name(), default_value = "normalised")]
    format_of_files: String,
    /// What to call the snapshot; the name of the first file or folder when absent
    #[arg(long)]
    id: Option<String>,
    /// Write the snapshot to this file, or to standard output for -
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
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
    let to_stdout = files::is_standard_stream(&args.output);
    if to_stdout && args.format == Format::Json {
        return Err(Error::usage(
            "the snapshot and the summary cannot both go to standard output",
            "write the snapshot to a file with -o catalog.snapshot",
        ));
    }
    outputs::Paths::default().reads(&args.files).writes([&args.output]).apart()?;
    let begun = Instant::now();
    let (catalog, found) = {
        let _turning = Spinner::start(&context.out, "reading prices");
        let id = args.id.clone().unwrap_or_else(|| inputs::catalog_id(&args.files[0]));
        inputs::import_catalog(&args.files, &args.format_of_files, &id, context.limit)?
    };
    findings::judge(context, args.format, args.fail_on, &found)?;
    let (sealed, bytes) = snapshot::seal(inputs::usable(catalog)?);
    context.out.document(&args.output, &bytes)?;
    let seconds = begun.elapsed().as_secs_f64();
    match args.format {
        Format::Text => {
            let table = super::show::text(&sealed);
            let output = args.output.display();
            let text = format!("{table}wrote {output} in {seconds:.2} s, sha256 {}", sealed.sha256);
            if to_stdout {
                context.out.say(&text);
            } else {
                context.out.data(&(text + "\n"))?;
            }
        }
        Format::Json => {
            let rest = json!({
                "written": args.output,
                "bytes": bytes.len(),
                "seconds": seconds,
                "catalog": super::show::json(&sealed),
            });
            context.out.json(&findings::to_json(&found, rest))?;
        }
    }
    Ok(Exit::Done)
}

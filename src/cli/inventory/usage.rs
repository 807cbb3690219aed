//! `carafe inventory usage`.

use std::path::{Path, PathBuf};

use carafe_inventory::InputFile;
use carafe_inventory::usage::{Summary, USAGE_FORMATS, add};
use carafe_model::document::Document;
use clap::builder::{PossibleValue, PossibleValuesParser};
use serde_json::json;

use crate::cli::Context;
use crate::cli::findings::{self, FailOnArg};
use crate::cli::output::Format;
use crate::cli::progress::Spinner;
use crate::error::{Error, Exit, plural};
use crate::files;
use crate::inputs;

/// Add measured use of processors, memory and network to an estate
///
/// The format of each file is recognised by what is in it. Of each ten minutes the peak counts, and percentiles are those
/// of the peaks. A host that is measured anew gets the new figures.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe inventory usage query_range.json --estate estate.json -o estate.json
  carafe inventory usage cpu.csv --host db-1 --estate estate.json -o estate.json
  sadf -j -- -u -r -n DEV | carafe inventory usage - --estate estate.json -o estate.json")]
pub(crate) struct Args {
    /// Files or folders to read, or - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The estate to add to
    #[arg(long, value_name = "ESTATE")]
    estate: PathBuf,
    /// Read every file as this format instead of recognising it
    #[arg(long = "as", value_name = "FORMAT", value_parser = format_name())]
    format_of_files: Option<String>,
    /// The host that files are about which name none
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Write the estate to this file; to standard output when absent or -
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// How to print what was read; json needs an output file beside it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    fail_on: FailOnArg,
}

fn format_name() -> PossibleValuesParser {
    let formats = USAGE_FORMATS.iter();
    formats.map(|format| PossibleValue::new(format.name).help(format.summary)).collect::<Vec<_>>().into()
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let to_stdout = args.output.as_deref().is_none_or(files::is_standard_stream);
    if to_stdout && args.format == Format::Json {
        return Err(Error::usage(
            "the estate and the findings cannot both go to standard output",
            "write the estate to a file with -o estate.json",
        ));
    }
    let (estate, mut found) = inputs::estate(&args.estate, context.limit)?;
    // What is doubtful in the estate itself was told when it was made.
    found.retain(|finding| finding.severity == carafe_model::finding::Severity::Error);
    let read = inputs::files(&inputs::logs(&args.files)?, context.limit)?;
    let mut summary = Summary::default();
    let estate = estate.map(|mut estate| {
        let _turning = Spinner::start(&context.out, "reading");
        let input: Vec<InputFile<'_>> = read.iter().map(inputs::ReadFile::as_input).collect();
        summary = add(&mut estate, &input, args.format_of_files.as_deref(), args.host.as_deref(), &mut found);
        estate
    });
    findings::judge(context, args.format, args.fail_on, &found)?;
    let estate = inputs::usable(estate)?;
    let output = args.output.as_deref().unwrap_or(Path::new(files::STANDARD_STREAM));
    context.out.document(output, estate.to_json().as_bytes())?;
    let counts = format!("measured use of {}", plural(summary.hosts, "host", "hosts"));
    match args.format {
        Format::Text if to_stdout => context.out.say(&counts),
        Format::Text => context.out.data(&format!("wrote {}: {counts}\n", output.display()))?,
        Format::Json => {
            let rest = json!({
                "written": output,
                "hosts_measured": summary.hosts,
            });
            context.out.json(&findings::to_json(&found, rest))?;
        }
    }
    Ok(Exit::Done)
}

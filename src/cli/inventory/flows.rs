//! `carafe inventory flows`.

use std::path::{Path, PathBuf};

use carafe_inventory::InputFile;
use carafe_inventory::flows::{FLOW_FORMATS, Summary, add};
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

/// Add traffic to an estate, from flow logs and dumps of connections
///
/// The format of each file is recognised by what is in it. Addresses are looked up among the hosts; public addresses that
/// no host has become the internet, private ones their network. Bytes are scaled to a month; a connection of which no
/// bytes are known becomes a flow of unknown volume. What the estate says already is kept.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe inventory flows vpc-flow-logs/ --estate estate.json -o estate.json
  carafe inventory flows ss-web1.txt ss-db1.txt --estate estate.json -o estate.json
  carafe inventory flows netflow.csv --period 7d --estate estate.json -o with-flows.json")]
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
    /// How long the records cover, where they carry no times: a number with s, m, h or d
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    period: Option<u64>,
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
    let formats = FLOW_FORMATS.iter();
    formats.map(|format| PossibleValue::new(format.name).help(format.summary)).collect::<Vec<_>>().into()
}

/// Reads a length of time such as `90m` or `7d`.
fn seconds(text: &str) -> Result<u64, String> {
    let wrong = || format!("\"{text}\" is no length of time; write 90s, 10m, 24h or 7d");
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    number.checked_mul(unit).filter(|seconds| *seconds > 0).ok_or_else(wrong)
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
        summary = add(&mut estate, &input, args.format_of_files.as_deref(), args.period, &mut found);
        estate
    });
    findings::judge(context, args.format, args.fail_on, &found)?;
    let estate = inputs::usable(estate)?;
    let output = args.output.as_deref().unwrap_or(Path::new(files::STANDARD_STREAM));
    context.out.document(output, estate.to_json().as_bytes())?;
    let counts = format!(
        "{} records; {} added, {} filled in",
        summary.records,
        plural(summary.added, "flow", "flows"),
        plural(summary.filled, "volume", "volumes"),
    );
    match args.format {
        Format::Text if to_stdout => context.out.say(&counts),
        Format::Text => context.out.data(&format!("wrote {}: {counts}\n", output.display()))?,
        Format::Json => {
            let rest = json!({
                "written": output,
                "records": summary.records,
                "seconds": summary.seconds,
                "flows_added": summary.added,
                "volumes_filled": summary.filled,
                "flows": estate.flows.len(),
            });
            context.out.json(&findings::to_json(&found, rest))?;
        }
    }
    Ok(Exit::Done)
}

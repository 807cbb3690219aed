//! `carafe inventory anonymise`.

use std::path::{Path, PathBuf};

use carafe_inventory::anonymise::{Map, anonymise};
use carafe_model::document::Document;

use crate::cli::Context;
use crate::cli::findings::{self, FailOnArg};
use crate::cli::output::{Format, clean};
use crate::cli::outputs;
use crate::error::{Error, Exit};
use crate::files;
use crate::inputs;

/// Replace names, addresses and other words that identify, so that an estate can be shared
///
/// The same thing is always replaced by the same, and sizes, systems, use and traffic stay, so that a plan of the result
/// costs the same to the cent. The map tells what became of what: keep it to yourself. A map that is there already is used
/// and added to, so that a later estate is replaced alike.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe inventory anonymise estate.json -o shared.json --map map.json
  carafe inventory anonymise estate.json -o shared.json --map map.json --keep-label tier --keep-label environment")]
pub(crate) struct Args {
    /// The estate document, or - for standard input
    estate: PathBuf,
    /// Write the estate to this file; to standard output when absent or -
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Write what became of what to this file
    #[arg(long, value_name = "FILE")]
    map: PathBuf,
    /// Keep the values of this label, so that rules of a policy that match on it still do; may be repeated
    #[arg(long = "keep-label", value_name = "LABEL")]
    keep: Vec<String>,
    #[command(flatten)]
    fail_on: FailOnArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let map_of = Some(args.map.clone());
    outputs::Paths::default().reads([&args.estate]).writes(&args.output).writes(&map_of).apart()?;
    let (estate, mut found) = inputs::estate(&args.estate, context.limit)?;
    found.retain(|finding| finding.severity == carafe_model::finding::Severity::Error);
    findings::judge(context, Format::Text, args.fail_on, &found)?;
    let estate = inputs::usable(estate)?;
    let mut map = match args.map.exists() {
        true => read_map(&args.map, context)?,
        false => Map::default(),
    };
    let keep: Vec<&str> = args.keep.iter().map(String::as_str).collect();
    let replaced = anonymise(estate, &keep, &mut map);
    // The map goes first: an estate without its map could not be told from another one later.
    let mut text = serde_json::to_string_pretty(&map).expect("a map of texts");
    text.push('\n');
    context.out.document(&args.map, text.as_bytes())?;
    let output = args.output.as_deref().unwrap_or(Path::new(files::STANDARD_STREAM));
    context.out.document(output, replaced.to_json().as_bytes())?;
    let told = format!(
        "wrote {}; what became of what is in {}, which is not to be shared",
        output.display(),
        args.map.display()
    );
    match args.output.as_deref().is_none_or(files::is_standard_stream) {
        true => context.out.say(&told),
        false => context.out.data(&format!("{told}\n"))?,
    }
    Ok(Exit::Done)
}

fn read_map(path: &Path, context: &Context) -> Result<Map, Error> {
    let text = files::read_text(path, context.limit)?;
    serde_json::from_str(&text).map_err(|error| {
        Error::failed(
            format!("{} is there and is no map: {}", path.display(), clean(&error.to_string())),
            "name another file with --map, so that this one is not overwritten",
        )
    })
}

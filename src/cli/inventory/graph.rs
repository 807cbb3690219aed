//! `carafe inventory graph`.

use std::path::{Path, PathBuf};

use carafe_inventory::graph::{DependencyGraph, analysis, draw};
use carafe_model::finding::Severity;
use clap::ValueEnum;

use crate::cli::Context;
use crate::cli::findings::{self, FailOnArg};
use crate::cli::output::Format;
use crate::cli::outputs;
use crate::error::{Error, Exit};
use crate::files;
use crate::inputs;

/// Draw who speaks to whom, and tell what deserves a look
///
/// Of up to sixty hosts each is drawn; of more, apps and the groups that look like apps. Beside the picture it tells which
/// hosts seem to form an app and why, which systems are no longer supported, which hosts stand idle or alone, and which
/// disks tie hosts together.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe inventory graph estate.json -o estate.svg
  carafe inventory graph estate.json --format mermaid
  carafe inventory graph estate.json --format graphml --detail hosts -o estate.graphml")]
pub(crate) struct Args {
    /// The estate document, or - for standard input
    estate: PathBuf,
    /// In which form to write it
    #[arg(long, value_enum, default_value_t = Form::Svg)]
    format: Form,
    /// Draw hosts, or groups of them
    #[arg(long, value_enum, default_value_t = Detail::Auto)]
    detail: Detail,
    /// Write to this file; to standard output when absent or -
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    fail_on: FailOnArg,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// A picture
    Svg,
    /// For Graphviz
    Dot,
    /// For Mermaid
    Mermaid,
    /// For yEd, Gephi and others
    Graphml,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Detail {
    /// Hosts of a small estate, groups of a large one
    Auto,
    /// Every host
    Hosts,
    /// Apps, and groups that look like apps
    Groups,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    outputs::Paths::default().reads([&args.estate]).writes(&args.output).apart()?;
    let (estate, mut found) = inputs::estate(&args.estate, context.limit)?;
    // Whether it could be planned is no question here.
    found.retain(|finding| finding.severity == Severity::Error);
    let estate = match estate {
        Some(estate) => estate,
        None => {
            findings::judge(context, Format::Text, args.fail_on, &found)?;
            return inputs::usable(None);
        }
    };
    let graph = DependencyGraph::of(&estate);
    let proposals = analysis::apps(&estate, &graph);
    found.extend(analysis::findings(&estate, &graph, &files::display_name(&args.estate)));
    found.extend(proposals.iter().map(|proposal| proposal.to_finding(&estate)));
    findings::judge(context, Format::Text, args.fail_on, &found)?;
    let form = match args.format {
        Form::Svg => draw::Form::Svg,
        Form::Dot => draw::Form::Dot,
        Form::Mermaid => draw::Form::Mermaid,
        Form::Graphml => draw::Form::GraphMl,
    };
    let grouped = match args.detail {
        Detail::Auto => None,
        Detail::Hosts => Some(false),
        Detail::Groups => Some(true),
    };
    let text = draw::write(&estate, &graph, &proposals, form, grouped);
    let output = args.output.as_deref().unwrap_or(Path::new(files::STANDARD_STREAM));
    context.out.document(output, text.as_bytes())?;
    if args.output.as_deref().is_some_and(|path| !files::is_standard_stream(path)) {
        context.out.data(&format!("wrote {}\n", output.display()))?;
    }
    Ok(Exit::Done)
}

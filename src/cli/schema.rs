//! `carafe schema`.

use carafe_model::batch::Batch;
use carafe_model::comparison::Comparison;
use carafe_model::document::Document;
use carafe_model::estate::Estate;
use carafe_model::overrides::Overrides;
use carafe_model::plan::Plan;
use carafe_model::policy::Policy;
use carafe_reports::ReportDocument;
use clap::ValueEnum;

use super::Context;
use crate::error::{Error, Exit};

/// Print the JSON Schema of a document
///
/// The policy is written as TOML; its schema describes the same keys and values, for editors that check TOML by
/// JSON Schema.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe schema estate
  carafe schema plan > plan.schema.json")]
pub(super) struct Args {
    /// Which document
    #[arg(value_enum)]
    document: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// All that is inventoried
    Estate,
    /// What the user demands and prefers
    Policy,
    /// What goes where and what it costs
    Plan,
    /// The report's tables for programs
    Report,
    /// One line of what `apply`, `resume` and `destroy` tell with --json
    Events,
    /// What `apply --dry-run --format json` prints under `dry_run`
    DryRun,
    /// Several plans side by side
    Comparison,
    /// The index of a batch
    Batch,
    /// Changes by hand that outlive an import
    Overrides,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    context.out.json(&match args.document {
        Kind::Estate => Estate::schema(),
        Kind::Policy => Policy::schema(),
        Kind::Plan => Plan::schema(),
        Kind::Report => ReportDocument::schema(),
        Kind::Events => crate::executor::events::schema(),
        Kind::DryRun => crate::executor::dry_run_schema(),
        Kind::Comparison => Comparison::schema(),
        Kind::Batch => Batch::schema(),
        Kind::Overrides => Overrides::schema(),
    })?;
    Ok(Exit::Done)
}

//! `carafe export opentofu`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::json;

use crate::cli::Context;
use crate::cli::findings::{self, FailOnArg};
use crate::cli::output::Format;
use crate::error::{Error, Exit, plural};
use crate::opentofu::folder::{self, FolderError};
use crate::opentofu::readme;
use crate::{inputs, opentofu};

/// Write a plan as OpenTofu or Terraform modules
///
/// Each region of each provider becomes a folder that can be applied alone; a README lists what people and hooks do. The
/// same plan gives the same files. A folder that an earlier export wrote is replaced whole, and only when nothing in it
/// was changed or added since.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe export opentofu plan.json modules
  tofu -chdir=modules/aws-ap-northeast-2 init")]
pub(crate) struct Args {
    /// The plan document, or - for standard input
    plan: PathBuf,
    /// The folder to write to, which is made where there is none
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    fail_on: FailOnArg,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let (plan, mut found) = inputs::plan(&args.plan, context.limit)?;
    let modules = plan.as_ref().map(|plan| {
        let (modules, told) = opentofu::export(plan);
        let readme = readme::readme(plan, &modules, &told);
        found.extend(told);
        (modules, readme)
    });
    findings::judge(context, args.format, args.fail_on, &found)?;
    let (modules, readme) = inputs::usable(modules)?;
    let mut files = BTreeMap::from([("README.md".to_owned(), readme)]);
    for module in &modules {
        let named =
            module.files.iter().map(|(name, text)| (format!("{}/{name}", module.folder), text.clone()));
        files.extend(named);
    }
    folder::write(&args.folder, &files).map_err(|error| {
        let help = match &error {
            FolderError::Foreign { .. } => "name another folder, or move what is in this one away",
            FolderError::Unwritable { .. } => "name a folder that you may write to",
        };
        Error::failed(error.to_string(), help)
    })?;
    let written: Vec<String> =
        files.keys().map(|name| args.folder.join(name).display().to_string()).collect();
    match args.format {
        Format::Text => context.out.say(&format!(
            "wrote {} below {}; its README.md tells what people do in between",
            plural(modules.len(), "module", "modules"),
            args.folder.display()
        )),
        Format::Json => context.out.json(&findings::to_json(&found, json!({ "written": written })))?,
    }
    Ok(Exit::Done)
}

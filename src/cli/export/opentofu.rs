//! `carafe export opentofu`.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::Context;
use crate::cli::findings::{self, FailOnArg};
use crate::cli::output::Format;
use crate::error::{Error, Exit, plural};
use crate::{inputs, opentofu};

/// Write a plan as OpenTofu or Terraform modules
///
/// Each region of each provider becomes a folder that can be applied alone. The same plan gives the same files; files of
/// an earlier export that this plan does not have are left.
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
        found.extend(told);
        modules
    });
    findings::judge(context, args.format, args.fail_on, &found)?;
    let modules = inputs::usable(modules)?;
    let mut written = Vec::new();
    for module in &modules {
        let folder = args.folder.join(&module.folder);
        std::fs::create_dir_all(&folder).map_err(|error| {
            Error::failed(
                format!("{} cannot be made: {error}", folder.display()),
                "name a folder that you may write to",
            )
        })?;
        for (name, text) in &module.files {
            let path = folder.join(name);
            context.out.document(&path, text.as_bytes())?;
            written.push(path.display().to_string());
        }
    }
    match args.format {
        Format::Text => context.out.say(&format!(
            "wrote {} below {}",
            plural(modules.len(), "module", "modules"),
            args.folder.display()
        )),
        Format::Json => context.out.json(&findings::to_json(&found, json!({ "written": written })))?,
    }
    Ok(Exit::Done)
}

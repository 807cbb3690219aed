//! `carafe connections init`.

use std::path::PathBuf;

use crate::cli::Context;
use crate::drivers::connections::{Setting, SettingKind};
use crate::drivers::{DRIVERS, DriverEntry};
use crate::error::{Error, Exit};
use crate::files;

/// Write a connections file with every driver and setting explained
///
/// Everything is commented out but the drivers named with --driver, whose needed settings are there to be filled in.
/// An existing file is never changed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe connections init
  carafe connections init --driver spider -o clouds.toml")]
pub(crate) struct Args {
    /// A driver to write a connection for; may be repeated
    #[arg(long, value_name = "DRIVER", value_parser = known())]
    driver: Vec<String>,
    /// The file to write
    #[arg(short, long, value_name = "FILE", default_value = "connections.toml")]
    output: PathBuf,
}

fn known() -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(DRIVERS.iter().map(|driver| driver.name))
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let text = text(&args.driver);
    if files::is_standard_stream(&args.output) {
        context.out.data(&text)?;
        return Ok(Exit::Done);
    }
    if args.output.exists() {
        return Err(Error::failed(
            format!("{} is there already", args.output.display()),
            "name another file with --output, or print it with --output -",
        ));
    }
    context.out.document(&args.output, text.as_bytes())?;
    context
        .out
        .say(&format!("written: {}; fill it in, then: carafe connections check", args.output.display()));
    Ok(Exit::Done)
}

/// The file, with a live connection for each driver that is asked for.
fn text(asked: &[String]) -> String {
    let mut text = String::from(
        "# Which driver speaks to which provider, for carafe apply, status, resume, destroy and sweep.\n\
         # Secrets are never written down here, only where they are kept: \"env:NAME\", \"file:PATH\" or\n\
         # \"cmd:PROGRAM ARGUMENT\". docs/formats/connections.md says more.\n\ncarafe = \"connections/1\"\n",
    );
    for driver in DRIVERS {
        let mark = if asked.iter().any(|name| name == driver.name) { "" } else { "# " };
        text.push_str(&format!("\n# Driver {}: {}.\n", driver.name, driver.summary));
        let mut line = |line: &str| text.push_str(&format!("{mark}{line}\n"));
        line("[[connection]]");
        line(&format!("name = \"{}\"  # unique in this file", driver.name));
        line(&format!("provider = \"{}\"  # as plans call it", provider(driver)));
        line("region = \"REGION\"  # leave it out to serve every region of the provider");
        line(&format!("driver = \"{}\"", driver.name));
        for setting in driver.settings {
            let comment = if setting.required { "" } else { "# " };
            line(&format!("{comment}{} = {}  # {}", setting.name, example(setting), setting.summary));
        }
        line("# calls_at_once = 4  # calls under way at a time");
        line("# calls_per_second = 10  # calls begun in a second");
    }
    text
}

/// A provider that the driver serves.
fn provider(driver: &DriverEntry) -> &'static str {
    driver.support.first().map_or("PROVIDER", |support| support.provider)
}

/// A value of the right kind.
fn example(setting: &Setting) -> &'static str {
    match setting.kind {
        SettingKind::Text => "\"…\"",
        SettingKind::File => "\"PATH\"",
        SettingKind::Secret => "\"env:VARIABLE\"",
        SettingKind::Whole => "1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::connections::read;

    #[test]
    fn what_is_written_is_read_without_findings() {
        let (connections, findings) = read("connections.toml", &text(&[]));
        assert_eq!((connections.len(), findings), (0, Vec::new()));
        for driver in DRIVERS {
            let (connections, findings) = read("connections.toml", &text(&[driver.name.to_owned()]));
            assert_eq!((connections.len(), findings), (1, Vec::new()), "{}", driver.name);
            // With every setting taken into use it is read too.
            let all = text(&[driver.name.to_owned()]);
            let (_, after) =
                all.split_once(&format!("driver = \"{}\"\n", driver.name)).expect("its connection");
            for setting in driver.settings {
                assert!(after.contains(&format!("{} = ", setting.name)), "{}: {}", driver.name, setting.name);
            }
        }
    }
}

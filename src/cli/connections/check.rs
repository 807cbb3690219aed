//! `carafe connections check`.

use std::path::PathBuf;
use std::time::Duration;

use carafe_model::finding::Finding;
use carafe_model::ids::RegionName;
use serde::Serialize;
use serde_json::json;

use crate::cli::Context;
use crate::cli::findings::{self, FailOnArg};
use crate::cli::output::{Format, clean};
use crate::cli::table::{Side, Table};
use crate::drivers::connections::{self, CODES, Connection, Connections};
use crate::drivers::{Ability, Access, Capabilities, DriverError, ErrorKind, Kind};
use crate::error::{Error, Exit, plural};
use crate::{files, settings};

/// Nobody waits longer for one connection.
const LONGEST: Duration = Duration::from_secs(120);

/// Test every connection: reachable, credentials, what it can do
///
/// Asks each cloud who the account is and where it may work. Changes nothing. All connections are tried, whatever becomes of the first.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe connections check
  carafe connections check aws-seoul --connections clouds.toml --format json")]
pub(crate) struct Args {
    /// Names of connections; all of them when absent
    #[arg(value_name = "NAME")]
    names: Vec<String>,
    /// The file to test
    #[arg(long, value_name = "FILE", default_value = "connections.toml")]
    connections: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    #[command(flatten)]
    fail_on: FailOnArg,
}

/// How one connection is doing.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    driver: &'static str,
    provider: String,
    region: Option<String>,
    works: bool,
    account: Option<String>,
    regions: Option<Vec<RegionName>>,
    makes: Vec<Kind>,
    takes_over: Vec<Kind>,
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let path = &args.connections;
    let text = files::read_text(path, context.limit)?;
    let (read, mut found) = connections::read(&path.display().to_string(), &text);
    let mut rows = Vec::new();
    if let Some(name) =
        args.names.iter().find(|name| !read.iter().any(|connection| connection.name == **name))
    {
        return Err(Error::usage(
            format!("{} has no connection \"{name}\"", path.display()),
            format!("it has {}", read.iter().map(|c| c.name.as_str()).collect::<Vec<_>>().join(", ")),
        ));
    }
    for connection in read.iter().filter(|one| args.names.is_empty() || args.names.contains(&one.name)) {
        context.out.detail(&format!("asking {}", connection.name));
        rows.push(check(connection, context, &mut found));
    }
    if args.format == Format::Text {
        context.out.data(&text_of(&rows))?;
        findings::judge(context, args.format, args.fail_on, &found)?;
        return Ok(Exit::Done);
    }
    let stopping = findings::stopping(args.fail_on, &found);
    context.out.json(&findings::to_json(&found, json!({ "connections": rows })))?;
    if stopping > 0 { Err(Error::Findings { count: stopping }) } else { Ok(Exit::Done) }
}

/// Opens one connection and asks who it is.
fn check(connection: &Connection, context: &Context, found: &mut Vec<Finding>) -> Row {
    let mut row = Row {
        name: connection.name.clone(),
        driver: connection.driver.name,
        provider: connection.provider.to_string(),
        region: connection.region.as_ref().map(ToString::to_string),
        works: false,
        account: None,
        regions: None,
        makes: Vec::new(),
        takes_over: Vec::new(),
    };
    let opened = match Connections::open(std::slice::from_ref(connection), &settings::variable) {
        Ok(opened) => opened,
        Err(findings) => {
            found.extend(findings);
            return row;
        }
    };
    let region = connection.region.clone().unwrap_or_else(|| "".into());
    let driver = opened.driver(&connection.provider, &region).expect("a connection serves its own place");
    let Capabilities { kinds } = driver.capabilities();
    let of = |ability| kinds.iter().filter(|(_, found)| **found == ability).map(|(kind, _)| *kind).collect();
    (row.makes, row.takes_over) = (of(Ability::Makes), of(Ability::Adopts));
    let asked = context.wait(async { tokio::time::timeout(LONGEST, driver.access()).await });
    let answer = asked.unwrap_or_else(|_| {
        Err(ErrorKind::Unknown.because(format!("it did not answer within {} seconds", LONGEST.as_secs())))
    });
    match answer {
        Ok(access) => {
            found.extend(judged(connection, &access));
            row.works = true;
            (row.account, row.regions) = (access.account, access.regions);
        }
        Err(error) => found.push(refused(connection, &error)),
    }
    row
}

/// What to say about a connection that works.
fn judged(connection: &Connection, access: &Access) -> Vec<Finding> {
    let at = |finding: Finding, code: usize| finding.at(connection.place.clone()).help(CODES[code].2);
    let name = &connection.name;
    let mut found: Vec<Finding> = access
        .warnings
        .iter()
        .map(|warning| at(Finding::info("CON-013", format!("connection \"{name}\": {warning}")), 12))
        .collect();
    if let (Some(region), Some(regions)) = (&connection.region, &access.regions)
        && !regions.contains(region)
    {
        let known: Vec<&str> = regions.iter().map(RegionName::as_str).take(20).collect();
        let what =
            format!("connection \"{name}\": it may not work in {region}, only in {}", known.join(", "));
        found.push(at(Finding::error("CON-012", what), 11));
    }
    found
}

fn refused(connection: &Connection, error: &DriverError) -> Finding {
    let code = match error.kind {
        ErrorKind::Throttled { .. } | ErrorKind::Unknown => 9,
        ErrorKind::Denied => 10,
        ErrorKind::NotFound
        | ErrorKind::NoCapacity
        | ErrorKind::Quota
        | ErrorKind::Conflict
        | ErrorKind::Invalid => 11,
    };
    Finding::error(CODES[code].0, format!("connection \"{}\": {error}", connection.name))
        .at(connection.place.clone())
        .help(CODES[code].2)
}

fn text_of(rows: &[Row]) -> String {
    let mut table = Table::new(&[
        ("connection", Side::Left),
        ("driver", Side::Left),
        ("place", Side::Left),
        ("works", Side::Left),
        ("account", Side::Left),
        ("regions", Side::Left),
    ]);
    for row in rows {
        let regions = match &row.regions {
            Some(regions) if regions.len() <= 3 => {
                regions.iter().map(RegionName::as_str).collect::<Vec<_>>().join(", ")
            }
            Some(regions) => plural(regions.len(), "region", "regions"),
            None => String::new(),
        };
        table.row([
            row.name.clone(),
            row.driver.to_owned(),
            format!("{}/{}", row.provider, row.region.as_deref().unwrap_or("*")),
            if row.works { "yes" } else { "no" }.to_owned(),
            row.account.clone().unwrap_or_default(),
            regions,
        ]);
    }
    let mut text = table.render();
    let words = |kinds: &[Kind]| kinds.iter().map(|kind| kind.words()).collect::<Vec<_>>().join(", ");
    for row in rows.iter().filter(|row| row.works) {
        text.push_str(&format!("\n{} makes {}", clean(&row.name), words(&row.makes)));
        if !row.takes_over.is_empty() {
            text.push_str(&format!("; it takes over {}", words(&row.takes_over)));
        }
        text.push_str(".\n");
    }
    text
}

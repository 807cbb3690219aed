//! `carafe connections register`.

use std::path::PathBuf;

use serde_json::json;

use crate::cli::Context;
use crate::cli::execution::unfit;
use crate::cli::findings;
use crate::cli::output::Format;
use crate::drivers::connections::{self, Connection, Connections, RawSetting};
use crate::drivers::secret::{Secret, SecretRef};
use crate::drivers::spider::api_of;
use crate::drivers::spider::setup::{Registration, credential_parts, register};
use crate::drivers::{DriverError, ErrorKind};
use crate::error::{Error, Exit};
use crate::{files, settings};

/// Register a connection's cloud in its CB-Spider server
///
/// That is a driver, a credential, a region and a connection config, in this order.
/// What is there already under one of the names is left as it is. Parts of the credential are named by where they are
/// kept, never written down; without any, the names that the cloud wants are printed.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe connections register aws-seoul
  carafe connections register aws-seoul --zone ap-northeast-2a --credential ClientId=env:AWS_ACCESS_KEY_ID --credential ClientSecret=env:AWS_SECRET_ACCESS_KEY
  carafe connections register mock --credential MockName=env:MOCK_NAME")]
pub(crate) struct Args {
    /// The connection, of driver spider
    #[arg(value_name = "NAME")]
    name: String,
    /// A part of the credential, for example ClientId=env:NAME; may be repeated
    #[arg(long, value_name = "PART=REFERENCE", value_parser = part)]
    credential: Vec<(String, SecretRef)>,
    /// The cloud's zone that is taken when none is asked for; most clouds want one
    #[arg(long, value_name = "ZONE")]
    zone: Option<String>,
    /// The file with the connection
    #[arg(long, value_name = "FILE", default_value = "connections.toml")]
    connections: PathBuf,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

fn part(text: &str) -> Result<(String, SecretRef), String> {
    let Some((name, reference)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
        return Err("write the part's name and where it is kept, for example ClientId=env:NAME".to_owned());
    };
    let reference = SecretRef::parse(reference).map_err(|error| error.to_string())?;
    Ok((name.to_owned(), reference))
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let path = &args.connections;
    let text = files::read_text(path, context.limit)?;
    let (read, found) = connections::read(&path.display().to_string(), &text);
    unfit(found, context)?;
    let Some(connection) = read.iter().find(|connection| connection.name == args.name) else {
        let names: Vec<&str> = read.iter().map(|connection| connection.name.as_str()).collect();
        let what = format!("{} has no connection \"{}\"", path.display(), args.name);
        return Err(Error::usage(what, format!("it has {}", names.join(", "))));
    };
    if connection.driver.name != "spider" {
        return Err(Error::usage(
            format!("connection \"{}\" is of driver {}", args.name, connection.driver.name),
            "only connections of driver spider are registered anywhere",
        ));
    }
    // Opened for its mistakes alone: what is wrong with a setting is told as everywhere else.
    if let Err(found) = Connections::open(std::slice::from_ref(connection), &settings::variable) {
        return Err(unfit(found, context).expect_err("there are findings"));
    }
    let mut credential = Vec::new();
    for (name, reference) in &args.credential {
        let secret = reference.fetch(&settings::variable);
        let secret = secret
            .map_err(|why| Error::failed(why, "set it before the command, for example with `export`"))?;
        credential.push((name.clone(), secret));
    }
    let secrets: Vec<Secret> = credential.iter().map(|(_, secret)| secret.clone()).collect();
    let password = secret_of(connection, "password");
    let text_of = |name| text_setting(connection, name).unwrap_or_default();
    let user = text_setting(connection, "user");
    let api = api_of(text_of("endpoint"), user, password.as_ref(), &secrets).map_err(|error| told(&error))?;
    if credential.is_empty() {
        let parts = context.wait(credential_parts(&api, text_of("cloud"))).map_err(|error| told(&error))?;
        let typed: Vec<String> = parts.iter().map(|part| format!("--credential {part}=env:NAME")).collect();
        let what = format!("the credential of {} has {}", text_of("cloud"), parts.join(", "));
        return Err(Error::usage(what, format!("name where each is kept: {}", typed.join(" "))));
    }
    let Some(region) = &connection.region else {
        let what =
            format!("connection \"{}\" names no region, and a connection config is for one", args.name);
        return Err(Error::usage(what, "add region = \"…\" to the connection"));
    };
    let wanted = Registration {
        cloud: text_of("cloud"),
        connection: text_of("connection"),
        region: region.as_str(),
        zone: args.zone.as_deref(),
        credential: &credential,
    };
    let registered = context.wait(register(&api, &wanted)).map_err(|error| told(&error))?;
    match args.format {
        Format::Text => {
            let line = |one: &crate::drivers::spider::setup::Registered| {
                let how = if one.was_there { "was there" } else { "registered" };
                format!("{how}: {} {}\n", one.what, one.name)
            };
            context.out.data(&registered.iter().map(line).collect::<String>())?;
            context.out.say(&format!("next: carafe connections check {}", args.name));
        }
        Format::Json => {
            let all: Vec<_> = registered
                .iter()
                .map(|one| json!({"what": one.what, "name": one.name, "was_there": one.was_there}))
                .collect();
            context.out.json(&findings::to_json(&[], json!({ "registered": all })))?;
        }
    }
    Ok(Exit::Done)
}

fn text_setting<'c>(connection: &'c Connection, name: &str) -> Option<&'c str> {
    match connection.settings.get(name) {
        Some(RawSetting::Text(text)) => Some(text),
        _ => None,
    }
}

/// A secret of a connection that was opened, so it can be had.
fn secret_of(connection: &Connection, name: &str) -> Option<Secret> {
    match connection.settings.get(name) {
        Some(RawSetting::Secret(reference)) => reference.fetch(&settings::variable).ok(),
        _ => None,
    }
}

fn told(error: &DriverError) -> Error {
    let help = match error.kind {
        ErrorKind::Denied => "mend the connection's user and password",
        ErrorKind::Throttled { .. } | ErrorKind::Unknown => "look whether the server runs, then try again",
        ErrorKind::NotFound
        | ErrorKind::NoCapacity
        | ErrorKind::Quota
        | ErrorKind::Conflict
        | ErrorKind::Invalid => "mend what the message says; what was registered by then stays",
    };
    Error::failed(error.to_string(), help)
}

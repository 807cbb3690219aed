//! `carafe catalog sync`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use carafe_inventory::catalog::Request;
use clap::builder::{PossibleValue, PossibleValuesParser};
use tokio::task::JoinSet;

use super::database::DatabaseArg;
use crate::catalogs;
use crate::cli::Context;
use crate::cli::findings::{self, FailOnArg};
use crate::cli::output::Format;
use crate::cli::progress::Spinner;
use crate::drivers::secret::SecretRef;
use crate::error::{Error, Exit};
use crate::settings;
use crate::sync::{self, Fetcher, SOURCES, Wish};

/// The name under which exchange rates are fetched.
const FX: &str = "fx";

/// How often the progress line changes.
const TICK: Duration = Duration::from_millis(250);

/// Fetch price lists from providers into the catalog database
///
/// Lists are kept in a folder: what was fetched is not fetched again unless it has changed, and an interrupted sync goes
/// on where it stopped. The database gets everything at once, or nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe catalog sync aws --region ap-northeast-2
  carafe catalog sync azure --region koreacentral --with skus.json
  carafe catalog sync oci ibm fx
  carafe catalog sync gcp --credential env:GOOGLE_API_KEY --with machine-types.json")]
pub(crate) struct Args {
    /// Whose lists
    #[arg(required = true, value_name = "PROVIDER", value_parser = names())]
    providers: Vec<String>,
    /// Only this region; may be repeated
    #[arg(long, value_name = "REGION")]
    region: Vec<String>,
    /// Ask here instead of at the provider's own address; with several providers as PROVIDER=URL, once for each
    #[arg(long, value_name = "URL")]
    endpoint: Vec<String>,
    /// The key, ID:SECRET or user:password that the provider asks for, as env:NAME, file:PATH or cmd:PROGRAM
    #[arg(long, value_name = "REFERENCE")]
    credential: Option<String>,
    /// CB-Spider's name of the connection
    #[arg(long, value_name = "NAME")]
    connection: Option<String>,
    /// Read this file beside what is fetched, such as a list of sizes; may be repeated
    #[arg(long, value_name = "FILE")]
    with: Vec<PathBuf>,
    /// Where fetched lists are kept; the folder sync beside the default database when absent
    #[arg(long, value_name = "DIR")]
    cache: Option<PathBuf>,
    #[command(flatten)]
    database: DatabaseArg,
    #[command(flatten)]
    fail_on: FailOnArg,
}

fn names() -> PossibleValuesParser {
    let sources = SOURCES.iter().map(|source| PossibleValue::new(source.name).help(source.summary));
    let fx = PossibleValue::new(FX).help("exchange rates of the European Central Bank; public");
    sources.chain([fx]).collect::<Vec<_>>().into()
}

pub(crate) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let endpoints = endpoints(args)?;
    let folder = match (&args.cache, &context.settings.data_dir) {
        (Some(folder), _) => folder.clone(),
        (None, Some(data)) => data.join("sync"),
        (None, None) => {
            let help = "set HOME or XDG_DATA_HOME, or name a folder with --cache";
            return Err(Error::usage("there is no folder to keep lists in", help));
        }
    };
    let credential = match &args.credential {
        Some(reference) => {
            let reference = SecretRef::parse(reference)
                .map_err(|error| Error::usage(error.to_string(), "name it with --credential env:NAME"))?;
            let fetched = reference.fetch(&settings::variable);
            Some(fetched.map_err(|why| Error::failed(why, "set it, and try again"))?)
        }
        None => None,
    };
    let wish = Wish {
        endpoint: None,
        regions: args.region.clone(),
        credential,
        connection: args.connection.clone(),
    };
    // Opened before anything is fetched, so that a wrong address costs nobody an hour.
    drop(args.database.open(context, true)?);
    let mut parts = Vec::new();
    let mut told = Vec::new();
    for (name, fetched, counts) in context.wait(fetch_all(context, &folder, &wish, &endpoints))? {
        let (new, same) = counts;
        context.out.say(&format!("{name}: {new} lists fetched, {same} had not changed"));
        match fetched {
            Fetched::Rates(rates) => parts.extend(rates.iter().map(catalogs::rates_part)),
            Fetched::Lists(format, mut files) => {
                files.extend(args.with.iter().cloned());
                let _turning = Spinner::start(&context.out, "reading prices");
                let request = Request { id: &name, ..Request::default() };
                let (imported, found) = catalogs::import(&files, Some(format), &request, u64::MAX)?;
                parts.extend(catalogs::parts_of(imported));
                told.extend(found);
            }
        }
    }
    findings::judge(context, Format::Text, args.fail_on, &told)?;
    let what = format!("sync {}", args.providers.join(" "));
    match args.database.add(context, &parts, &what)? {
        Some(revision) => context.out.say(&format!("revision {revision} of the catalog database")),
        None => context.out.say("the catalog database has all of it already"),
    }
    Ok(Exit::Done)
}

/// Whom to ask for each provider; nothing is the provider's own address.
fn endpoints(args: &Args) -> Result<Vec<(String, Option<String>)>, Error> {
    let mut named: Vec<(String, Option<String>)> =
        args.providers.iter().map(|name| (name.clone(), None)).collect();
    named.sort();
    named.dedup();
    for endpoint in &args.endpoint {
        let (name, url) = match (endpoint.split_once('='), &named[..]) {
            (Some((name, url)), _) if named.iter().any(|(known, _)| known == name) => (name.to_owned(), url),
            (_, [(only, _)]) => (only.clone(), endpoint.as_str()),
            _ => {
                return Err(Error::usage(
                    "an --endpoint does not say which provider it is of",
                    "write it as PROVIDER=URL, once for each provider",
                ));
            }
        };
        let entry = named.iter_mut().find(|(known, _)| *known == name).expect("one of them");
        entry.1 = Some(url.to_owned());
    }
    Ok(named)
}

/// What came of one provider.
enum Fetched {
    Rates(Vec<carafe_inventory::catalog::ExchangeRate>),
    Lists(&'static str, Vec<PathBuf>),
}

/// Fetches from all providers at once; the first that fails ends it, and what the others have is kept in the folder.
async fn fetch_all(
    context: &Context,
    folder: &std::path::Path,
    wish: &Wish,
    endpoints: &[(String, Option<String>)],
) -> Result<Vec<(String, Fetched, (u64, u64))>, Error> {
    let turning = Spinner::start(&context.out, "fetching lists");
    let mut tasks = JoinSet::new();
    let mut fetchers = Vec::new();
    for (nth, (name, endpoint)) in endpoints.iter().cloned().enumerate() {
        let fetcher = Arc::new(Fetcher::new(&folder.join(&name)).map_err(failed)?);
        fetchers.push(Arc::clone(&fetcher));
        let wish = Wish { endpoint, ..wish.clone() };
        tasks.spawn(async move {
            let fetched = match sync::source(&name) {
                Some(source) => Fetched::Lists(source.format, source.fetch(&fetcher, &wish).await?),
                None => Fetched::Rates(sync::exchange_rates(&fetcher, &wish).await?),
            };
            Ok((nth, name, fetched, fetcher.counts()))
        });
    }
    let mut done = Vec::new();
    let mut tick = tokio::time::interval(TICK);
    loop {
        let ended = tokio::select! {
            ended = tasks.join_next() => ended,
            _ = tick.tick() => {
                turning.say(so_far(&fetchers));
                continue;
            }
        };
        let Some(ended) = ended else { break };
        done.push(ended.expect("fetching does not panic").map_err(failed)?);
    }
    done.sort_by_key(|(nth, ..)| *nth);
    Ok(done.into_iter().map(|(_, name, fetched, counts)| (name, fetched, counts)).collect())
}

fn failed(error: sync::SyncError) -> Error {
    Error::failed(error.to_string(), "run the same command again: it goes on where it stopped")
}

/// What came from all providers until now.
fn so_far(fetchers: &[Arc<Fetcher>]) -> String {
    let bytes: u64 = fetchers.iter().map(|fetcher| fetcher.bytes()).sum();
    let lists: u64 = fetchers.iter().map(|fetcher| fetcher.counts()).map(|(new, same)| new + same).sum();
    format!("fetching lists: {lists} done, {} MB", bytes / 1_000_000)
}

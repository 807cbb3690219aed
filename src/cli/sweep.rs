//! `carafe sweep`.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::ids::{ProviderName, RegionName, StepId};
use serde::Serialize;
use serde_json::json;

use super::Context;
use super::execution::{self, TargetArgs};
use super::findings;
use super::journal::JournalArg;
use super::output::{Format, clean};
use super::table::{Side, Table};
use crate::drivers::connections::Connections;
use crate::drivers::{DriverError, ErrorKind, Kind, Removal, Resource};
use crate::error::{Error, Exit, plural};
use crate::executor::{self, RunState, RunStatus};
use crate::run_id::RunId;

/// Find what bears the tags of a run that the journal does not know
///
/// Looks into every place that a run of the journal was for, and into those that --place names. What a run of the
/// journal still owns is left out; what is listed may belong to a run of another journal, so look before you remove it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  carafe sweep --connections connections.toml
  carafe sweep --connections connections.toml --place aws/ap-northeast-2 --format json
  carafe sweep --connections connections.toml --remove")]
pub(super) struct Args {
    /// Look here too, besides the places of the journal's runs
    #[arg(long, value_name = "PROVIDER/REGION", value_parser = place)]
    place: Vec<(ProviderName, RegionName)>,
    /// Remove what is found, after asking
    #[arg(long)]
    remove: bool,
    /// With --remove, do not ask; names how many resources may go
    #[arg(long, value_name = "COUNT", requires = "remove")]
    remove_count: Option<usize>,
    #[command(flatten)]
    target: TargetArgs,
    #[command(flatten)]
    journal: JournalArg,
    /// How to print
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

fn place(text: &str) -> Result<(ProviderName, RegionName), String> {
    match text.split_once('/') {
        Some((provider, region)) if !provider.is_empty() && !region.is_empty() => {
            Ok((provider.into(), region.into()))
        }
        _ => Err("write a provider and a region, for example aws/ap-northeast-2".to_owned()),
    }
}

/// Something that no run of the journal owns.
#[derive(Debug, Serialize)]
struct Orphan {
    provider: ProviderName,
    region: RegionName,
    #[serde(flatten)]
    resource: Resource,
    /// Whether it is gone now.
    removed: bool,
    /// Why it could not be removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

pub(super) fn run(args: &Args, context: &Context) -> Result<Exit, Error> {
    let connections = args.target.open(&args.journal, context)?;
    let runs = match args.journal.open_if_there(context)? {
        Some(journal) => context
            .wait(executor::status(None, &journal))
            .map_err(|error| execution::shown(error, context, args.journal.typed()))?,
        None => Vec::new(),
    };
    if let Some(run) = runs.iter().find(|run| matches!(run.state, RunState::Unreadable { .. })) {
        return Err(Error::failed(
            format!("run {} cannot be read, so nobody can say what it owns", run.run),
            "mend the journal first; `carafe status` says what is wrong",
        ));
    }
    let mut places: BTreeSet<(ProviderName, RegionName)> = args.place.iter().cloned().collect();
    places.extend(
        runs.iter().flat_map(|run| &run.steps).map(|step| (step.provider.clone(), step.region.clone())),
    );
    if places.is_empty() {
        return Err(Error::usage(
            "the journal has no run that says where to look",
            "name a place with --place PROVIDER/REGION",
        ));
    }
    let mut orphans = Vec::new();
    for (provider, region) in &places {
        orphans.extend(look(context, &connections, provider, region, &runs)?);
    }
    if args.remove && !orphans.is_empty() {
        approve(args, &orphans, context)?;
        remove(context, &connections, &mut orphans);
    }
    show(args, context, &orphans, places.len())?;
    match orphans.iter().filter(|orphan| orphan.refused.is_some()).count() {
        0 => Ok(Exit::Done),
        left => Err(Error::failed(
            format!("{} not removed", plural(left, "resource was", "resources were")),
            "mend what is listed, then sweep again",
        )),
    }
}

/// Lists what bears tags and is owned by no run of the journal.
fn look(
    context: &Context,
    connections: &Connections,
    provider: &ProviderName,
    region: &RegionName,
    runs: &[RunStatus],
) -> Result<Vec<Orphan>, Error> {
    let Some(driver) = connections.driver(provider, region) else {
        return Err(Error::usage(
            format!("no connection serves {provider}/{region}"),
            "add one to connections.toml, or sweep with the connections of the run that was for it",
        ));
    };
    let listed = context.wait(driver.list(provider, region, None)).map_err(|error| {
        Error::failed(
            format!("{provider}/{region} cannot be read: {error}"),
            "mend the connection, then try again",
        )
    })?;
    let owned: BTreeMap<&RunId, BTreeSet<&StepId>> =
        runs.iter().map(|run| (&run.run, run.owning.iter().collect())).collect();
    let is_orphan = |resource: &Resource| match &resource.owner {
        Some(owner) => !owned.get(&owner.run).is_some_and(|steps| steps.contains(&owner.step)),
        None => false,
    };
    let orphan = |resource| Orphan {
        provider: provider.clone(),
        region: region.clone(),
        resource,
        removed: false,
        refused: None,
    };
    Ok(listed.into_iter().filter(is_orphan).map(orphan).collect())
}

fn approve(args: &Args, orphans: &[Orphan], context: &Context) -> Result<(), Error> {
    let what = format!("this removes {}", plural(orphans.len(), "resource", "resources"));
    match args.remove_count {
        Some(count) if count == orphans.len() => Ok(()),
        Some(count) => Err(Error::usage(
            format!("--remove-count says {count}, and there are {}", orphans.len()),
            "look at what `carafe sweep` lists, then name that number",
        )),
        None => execution::approve_by_name(context, &what, &orphans.len().to_string(), "--remove-count"),
    }
}

/// Removes what stands on others first, and tries again what was still in use as long as that gets anywhere.
fn remove(context: &Context, connections: &Connections, orphans: &mut [Orphan]) {
    let height = |kind: Kind| Kind::ALL.iter().position(|other| *other == kind);
    orphans.sort_by_key(|orphan| std::cmp::Reverse(height(orphan.resource.kind)));
    loop {
        let mut removed_any = false;
        for orphan in orphans.iter_mut().filter(|orphan| !orphan.removed) {
            let Some(driver) = connections.driver(&orphan.provider, &orphan.region) else { continue };
            let answer = context.wait(driver.discard(&orphan.provider, &orphan.region, &orphan.resource));
            orphan.refused = match answer {
                Ok(Removal::Removed | Removal::Absent) => {
                    (orphan.removed, removed_any) = (true, true);
                    None
                }
                Ok(Removal::NotOurs) => Some("it has another owner now".to_owned()),
                Err(DriverError { kind: ErrorKind::Throttled { retry_after }, message }) => {
                    std::thread::sleep(retry_after.min(LONGEST_WAIT));
                    Some(message)
                }
                Err(error) => Some(error.message),
            };
        }
        if !removed_any {
            return;
        }
    }
}

const LONGEST_WAIT: std::time::Duration = std::time::Duration::from_secs(30);

fn show(args: &Args, context: &Context, orphans: &[Orphan], places: usize) -> Result<(), Error> {
    if let Format::Json = args.format {
        return context.out.json(&findings::to_json(&[], json!({ "orphans": orphans })));
    }
    let mut table = Table::new(&[
        ("where", Side::Left),
        ("kind", Side::Left),
        ("name", Side::Left),
        ("run", Side::Left),
        ("state", Side::Left),
    ]);
    for orphan in orphans {
        let owner = orphan.resource.owner.as_ref();
        let state = match (&orphan.refused, orphan.removed) {
            (_, true) => "removed".to_owned(),
            (Some(why), false) => clean(why),
            (None, false) => "there".to_owned(),
        };
        table.row([
            format!("{}/{}", orphan.provider, orphan.region),
            orphan.resource.kind.words().to_owned(),
            orphan.resource.name.clone(),
            owner.map(|owner| owner.run.to_string()).unwrap_or_default(),
            state,
        ]);
    }
    let listed = if orphans.is_empty() { String::new() } else { table.render() + "\n" };
    context.out.data(&format!(
        "{listed}{} in {} {} owned by no run of this journal\n",
        plural(orphans.len(), "resource", "resources"),
        plural(places, "place", "places"),
        if orphans.len() == 1 { "is" } else { "are" }
    ))
}

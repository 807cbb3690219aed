//! Many estates under many policies in one process: what is asked for ([`inputs`]), what is finished already ([`record`]),
//! and the threads that do the rest.
//!
//! Each thread takes one estate at a time and makes its plans one after the other, so that memory depends on the number of
//! threads and the largest estates, and not on how many there are. What is broken becomes a row and stops nothing.

pub mod inputs;

pub mod record;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use carafe_inventory::InputFile;
use carafe_model::batch::{Row, RowFigures, State};
use carafe_model::document::{self, Document};
use carafe_model::estate::Estate;
use carafe_model::finding::{Finding, Place, Severity};
use carafe_model::language::Language;
use carafe_model::plan::Plan;
use carafe_model::snapshot::SealedSnapshot;
use carafe_model::units::Quantity;

use crate::files::{self, FileError};
use crate::inputs::{PolicyFile, ReadFile};
use crate::planning::{Planning, Subject};
use inputs::Source;
use record::Record;

/// A catalog under a name.
#[derive(Debug)]
pub struct NamedCatalog {
    /// The name.
    pub name: String,
    /// The prices; `None` when they cannot be used.
    pub catalog: Option<SealedSnapshot>,
    /// What was found in it.
    pub findings: Vec<Finding>,
}

/// A policy under a name.
#[derive(Debug)]
pub struct NamedPolicy {
    /// The name.
    pub name: String,
    /// As it was read; `None` when its file could not be.
    pub policy: Option<PolicyFile>,
    /// What was found in it.
    pub findings: Vec<Finding>,
}

/// Everything a batch needs to know.
pub struct Request<'a> {
    /// The estates, each of one file or more.
    pub estates: &'a [Source],
    /// The policies.
    pub policies: &'a [NamedPolicy],
    /// The catalogs.
    pub catalogs: &'a [NamedCatalog],
    /// Where everything is written.
    pub out: &'a Path,
    /// How many threads.
    pub jobs: usize,
    /// The gap that counts as proven.
    pub gap: Quantity,
    /// How long the search of one plan may take.
    pub time_limit: Duration,
    /// The language of the reports.
    pub language: Language,
    /// Whether a finding makes an estate one that is not planned.
    pub stops: &'a (dyn Fn(&Finding) -> bool + Sync),
    /// The largest file that is read.
    pub limit: u64,
    /// Called when a row is finished; `true` when it was finished by an earlier run.
    pub on_row: &'a (dyn Fn(bool) + Sync),
}

/// What a thread takes at a time: an estate, and which of its combinations of policy and catalog.
struct Unit {
    estate: usize,
    combinations: Vec<usize>,
}

/// The most findings that a row keeps; the number of all of them is kept beside.
const MOST_FINDINGS: usize = 20;

/// Makes every plan that is not finished already; rows are in the order of estates, policies and catalogs.
///
/// # Errors
/// When a file cannot be written.
pub fn run(request: &Request<'_>) -> Result<Vec<Row>, FileError> {
    let n_combinations = request.policies.len() * request.catalogs.len();
    // With few estates the threads share the policies of one, and read it once each.
    let is_shared = request.estates.len() < 2 * request.jobs;
    let units: Vec<Unit> = (0..request.estates.len())
        .flat_map(|estate| {
            let all: Vec<usize> = (0..n_combinations).collect();
            let size = if is_shared { 1 } else { n_combinations.max(1) };
            all.chunks(size).map(|part| Unit { estate, combinations: part.to_vec() }).collect::<Vec<_>>()
        })
        .collect();
    let next = AtomicUsize::new(0);
    let rows: Mutex<Vec<Option<Row>>> = Mutex::new(vec![None; request.estates.len() * n_combinations]);
    let failed: Mutex<Option<FileError>> = Mutex::new(None);
    let work = || {
        while let Some(unit) = units.get(next.fetch_add(1, Ordering::Relaxed)) {
            match plan_estate(request, unit) {
                Ok(done) => {
                    let mut rows = rows.lock().unwrap_or_else(PoisonError::into_inner);
                    for (combination, row) in done {
                        rows[unit.estate * n_combinations + combination] = Some(row);
                    }
                }
                Err(error) => {
                    failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                    next.store(units.len(), Ordering::Relaxed);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..request.jobs.clamp(1, units.len().max(1)) {
            scope.spawn(|| {
                // A pool of one thread, so that a plan is made on this thread and takes no part in the others'.
                match rayon::ThreadPoolBuilder::new().num_threads(1).build() {
                    Ok(pool) => pool.install(work),
                    Err(_) => work(),
                }
            });
        }
    });
    if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let rows = rows.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(rows.into_iter().flatten().collect())
}

fn plan_estate(request: &Request<'_>, unit: &Unit) -> Result<Vec<(usize, Row)>, FileError> {
    let source = &request.estates[unit.estate];
    let read = source.read(request.limit);
    let mut subject: Option<Result<Subject, Vec<Finding>>> = None;
    let mut rows = Vec::new();
    for &combination in &unit.combinations {
        let policy = &request.policies[combination / request.catalogs.len()];
        let catalog = &request.catalogs[combination % request.catalogs.len()];
        let mut row = Row {
            estate: source.name.clone(),
            policy: policy.name.clone(),
            catalog: catalog.name.clone(),
            state: State::Broken,
            folder: None,
            figures: None,
            counts: [0; 3],
            findings: Vec::new(),
        };
        let folder = folder(request, &row);
        let (policy_file, prices, files) = match (&policy.policy, &catalog.catalog, &read) {
            (Some(policy), Some(prices), Ok(files)) if policy.usable().is_some() => (policy, prices, files),
            (_, _, read) => {
                let unread = read.as_ref().err().map(|error| vec![error.to_finding()]).unwrap_or_default();
                let found = [unread, policy.findings.clone(), catalog.findings.clone()].concat();
                rows.push((combination, broken(row, found, &request.out.join(&folder))?));
                (request.on_row)(false);
                continue;
            }
        };
        let inputs = fingerprint(request, files, &policy_file.sha256, &prices.sha256);
        let whole = request.out.join(&folder);
        if let Some(done) = Record::finished(&whole, &inputs) {
            rows.push((combination, done));
            (request.on_row)(true);
            continue;
        }
        let subject = subject.get_or_insert_with(|| to_subject(request, source, files));
        let planned = match subject {
            Ok(subject) => {
                let planning = Planning { catalog: prices, gap: request.gap, time_limit: request.time_limit };
                let demands = policy_file.usable().expect("it was looked at above");
                planning.plan(subject, demands, &policy_file.sha256)
            }
            Err(found) => Err(found.clone()),
        };
        match planned {
            Ok(mut plan) => {
                policy_file.place(&mut plan.findings);
                row.state = if plan.unplaced.is_empty() { State::Done } else { State::Unplaced };
                row.folder = Some(folder);
                row.counts = counts(&plan.findings);
                row.figures = Some(figures(&plan));
                write(request, &whole, &plan, &inputs, &row)?;
                rows.push((combination, row));
            }
            Err(mut found) => {
                policy_file.place(&mut found);
                rows.push((combination, broken(row, found, &whole)?));
            }
        }
        (request.on_row)(false);
    }
    Ok(rows)
}

/// Where the files of a row are, beside the index; with one catalog its name is left out.
fn folder(request: &Request<'_>, row: &Row) -> String {
    let estate = files::fit_name(&row.estate);
    let policy = files::fit_name(&row.policy);
    match request.catalogs.len() {
        0 | 1 => format!("{estate}/{policy}"),
        _ => format!("{estate}/{policy}/{}", files::fit_name(&row.catalog)),
    }
}

/// A hash of everything that a row's files are made from.
fn fingerprint(request: &Request<'_>, files: &[ReadFile], policy: &str, catalog: &str) -> String {
    let mut text = format!(
        "{}\n{}\n{}\n{}\n{policy}\n{catalog}\n",
        env!("CARGO_PKG_VERSION"),
        request.gap,
        request.time_limit.as_secs(),
        request.language.code()
    );
    for file in files {
        text.push_str(&format!("{} {}\n", document::sha256(&file.bytes), file.name));
    }
    document::sha256(text.as_bytes())
}

/// Reads an estate from its files: a document of Carafe as it is, anything else by import.
fn to_subject(request: &Request<'_>, source: &Source, files: &[ReadFile]) -> Result<Subject, Vec<Finding>> {
    let is_estate = |file: &ReadFile| inputs::kind_of_document(&file.bytes).as_deref() == Some(Estate::KIND);
    let (estate, found) = match files {
        [only] if is_estate(only) => {
            let (estate, mut found) = document::read::<Estate>(&only.name, &only.bytes);
            if let Some(estate) = &estate {
                found.extend(carafe_inventory::validate(estate, &only.name));
            }
            (estate, found)
        }
        several => {
            let input: Vec<InputFile<'_>> = several.iter().map(ReadFile::as_input).collect();
            let import = carafe_inventory::import(&input, None, &source.name);
            (import.estate, import.findings)
        }
    };
    match estate {
        Some(estate) if !found.iter().any(|finding| (request.stops)(finding)) => {
            Ok(Subject::new(estate, found))
        }
        Some(_) | None => Err(found),
    }
}

fn broken(mut row: Row, mut found: Vec<Finding>, folder: &Path) -> Result<Row, FileError> {
    Record::forget(folder)?;
    row.counts = counts(&found);
    found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
    found.truncate(MOST_FINDINGS);
    if found.is_empty() {
        found.push(
            Finding::error("IO-002", "nothing could be read that is of use").at(Place::file(&row.estate)),
        );
    }
    row.findings = found;
    Ok(row)
}

fn counts(findings: &[Finding]) -> [u32; 3] {
    [Severity::Error, Severity::Warning, Severity::Info].map(|severity| {
        let count = findings.iter().filter(|finding| finding.severity == severity).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    })
}

fn figures(plan: &Plan) -> RowFigures {
    let counted = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let mut providers: Vec<String> = plan.placements.iter().map(|p| p.provider.to_string()).collect();
    let mut regions: Vec<String> =
        plan.placements.iter().map(|p| format!("{}/{}", p.provider, p.region)).collect();
    for list in [&mut providers, &mut regions] {
        list.sort();
        list.dedup();
    }
    RowFigures {
        currency: plan.currency,
        monthly: plan.totals.monthly,
        monthly_low: plan.totals.monthly_low,
        monthly_high: plan.totals.monthly_high,
        one_time: plan.totals.one_time,
        horizon_months: plan.totals.horizon_months,
        horizon: plan.totals.horizon,
        today: plan.today.as_ref().map(|today| today.monthly),
        lower_bound: plan.bound.lower_bound,
        gap: plan.bound.gap,
        proven: plan.bound.proven,
        placed: counted(plan.placements.len()),
        staying: counted(plan.staying.len()),
        unplaced: counted(plan.unplaced.len()),
        providers,
        regions,
    }
}

/// Writes a plan and its report, and last the record that says they are finished.
fn write(
    request: &Request<'_>,
    folder: &Path,
    plan: &Plan,
    inputs: &str,
    row: &Row,
) -> Result<(), FileError> {
    std::fs::create_dir_all(folder)
        .map_err(|source| FileError::Unwritable { path: folder.to_owned(), source })?;
    Record::forget(folder)?;
    let outputs = [
        (record::PLAN, plan.to_json().into_bytes()),
        (record::REPORT, carafe_reports::html(plan, request.language).into_bytes()),
    ];
    for (name, bytes) in &outputs {
        files::write(&folder.join(name), bytes)?;
    }
    Record::new(inputs, &outputs, row).write(folder)
}

/// The files of the index, in `out`.
pub fn index_files(out: &Path) -> [PathBuf; 3] {
    ["index.html", "index.json", "index.csv"].map(|name| out.join(name))
}

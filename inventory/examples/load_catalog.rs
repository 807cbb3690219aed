//! Measures how long it takes to import, seal and reopen a catalog of CSV tables.
//!
//! ```text
//! cargo run --release -p carafe-inventory --example load_catalog -- FILE_OR_FOLDER…
//! ```

#![expect(clippy::print_stdout, reason = "this is a program for people, not part of the library")]
#![expect(clippy::disallowed_methods, reason = "it reads files and the clock so that the library need not")]

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use carafe_inventory::InputFile;
use carafe_inventory::catalog;
use carafe_model::snapshot;

fn main() -> Result<(), Box<dyn Error>> {
    let mut paths = Vec::new();
    for argument in std::env::args_os().skip(1) {
        collect(Path::new(&argument), &mut paths)?;
    }
    let contents: Vec<(String, Vec<u8>)> = paths
        .iter()
        .map(|path| Ok((path.display().to_string(), std::fs::read(path)?)))
        .collect::<std::io::Result<_>>()?;
    let files: Vec<InputFile<'_>> = contents.iter().map(|(name, bytes)| InputFile { name, bytes }).collect();

    let start = Instant::now();
    let (imported, findings) = catalog::import(&files, "normalised", "measured");
    let import_seconds = start.elapsed().as_secs_f64();
    let mut by_code: BTreeMap<&str, u32> = BTreeMap::new();
    for finding in &findings {
        *by_code.entry(&finding.code).or_default() += 1;
    }
    for finding in findings.iter().filter(|finding| by_code[finding.code.as_str()] <= 5) {
        println!("{}[{}] {}: {}", finding.severity, finding.code, finding.place, finding.summary);
    }
    println!("findings by code: {by_code:?}");
    let snapshot = imported.ok_or("no catalog came of these files")?;
    println!("{}", serde_json::to_string(&catalog::summary(&snapshot))?);

    let start = Instant::now();
    let (sealed, bytes) = snapshot::seal(snapshot);
    let seal_seconds = start.elapsed().as_secs_f64();
    let start = Instant::now();
    let opened = snapshot::open("memory", &bytes).map_err(|finding| finding.summary.to_string())?;
    let open_seconds = start.elapsed().as_secs_f64();
    assert_eq!(opened.catalog, sealed.catalog, "what is sealed opens again");

    let start = Instant::now();
    let starter = catalog::starter();
    let starter_seconds = start.elapsed().as_secs_f64();
    println!("import {import_seconds:.3} s, seal {seal_seconds:.3} s, reopen {open_seconds:.3} s");
    println!("snapshot of {} bytes, sha256 {}", bytes.len(), sealed.sha256);
    println!("starter catalog: {} offers in {starter_seconds:.4} s", starter.offers.len());
    Ok(())
}

fn collect(path: &Path, into: &mut Vec<PathBuf>) -> std::io::Result<()> {
    if !path.is_dir() {
        into.push(path.to_owned());
        return Ok(());
    }
    let mut inside: Vec<PathBuf> =
        std::fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    inside.retain(|path| {
        path.to_string_lossy().ends_with(".csv") || path.to_string_lossy().ends_with(".csv.gz")
    });
    inside.sort();
    into.append(&mut inside);
    Ok(())
}

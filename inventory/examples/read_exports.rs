//! Reads exports into an estate and tells how long each part took, to measure importers without the rest of Carafe.
//!
//! ```text
//! cargo run --release -p carafe-inventory --example read_exports -- import FILE…
//! cargo run --release -p carafe-inventory --example read_exports -- flows SERVERS LOG…
//! ```

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "this is a program for people")]
#![expect(clippy::disallowed_methods, reason = "it reads files and clocks so that the library need not")]

use std::error::Error;
use std::time::Instant;

use carafe_inventory::{InputFile, flows, import};
use carafe_model::document::Document;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, names @ ..] = arguments.as_slice() else {
        eprintln!("usage: read_exports import|flows FILE…");
        return Err("what to do and which files are wanted".into());
    };
    let start = Instant::now();
    let read = names
        .iter()
        .map(|name| Ok((name, std::fs::read(name)?)))
        .collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    let files: Vec<InputFile<'_>> = read.iter().map(|(name, bytes)| InputFile { name, bytes }).collect();
    println!("files read           {:>9.3} s", start.elapsed().as_secs_f64());
    let start = Instant::now();
    match what.as_str() {
        "import" => {
            let import = import(&files, None, "measured");
            println!("imported             {:>9.3} s", start.elapsed().as_secs_f64());
            let hosts = import.estate.as_ref().map_or(0, |estate| estate.hosts.len());
            let start = Instant::now();
            let size = import.estate.map_or(0, |estate| estate.to_json().len());
            println!("written as a document{:>9.3} s", start.elapsed().as_secs_f64());
            println!("{hosts} hosts, {} findings, {size} bytes", import.findings.len());
        }
        "flows" => {
            let Some((servers, logs)) = files.split_first() else {
                return Err("a file of servers is wanted".into());
            };
            let Some(mut estate) = import(&[*servers], None, "measured").estate else {
                return Err("there are no servers in the first file".into());
            };
            let start = Instant::now();
            let mut findings = Vec::new();
            let summary = flows::add(&mut estate, logs, None, None, &mut findings);
            let seconds = start.elapsed().as_secs_f64();
            let rate = summary.records as f64 / seconds;
            println!(
                "{} records in {seconds:.3} s, {rate:.0} a second; {} flows",
                summary.records,
                estate.flows.len()
            );
        }
        other => return Err(format!("\"{other}\" is neither import nor flows").into()),
    }
    Ok(())
}

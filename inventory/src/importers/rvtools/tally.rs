//! What is told once for a workbook, with a number and some names, rather than once for each of its rows.

use carafe_model::finding::{Finding, Place};

use crate::text::counted;

/// What is told once for a workbook, with its number.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) dropped: Vec<String>,
    pub(super) from_provisioned: Vec<String>,
    pub(super) unassigned_partitions: Vec<String>,
    pub(super) shared_or_raw: Vec<String>,
    pub(super) repeated_rows: usize,
    pub(super) ambiguous: usize,
    pub(super) first_ambiguous: Option<(String, Place)>,
}

impl Tally {
    /// Tells it all.
    pub(super) fn say(&self, place: &Place, findings: &mut Vec<Finding>) {
        let mut say = |names: &[String], finding: fn(String) -> Finding| {
            if !names.is_empty() {
                let machines = format!("{} ({})", counted(names.len(), "machine"), some_of(names));
                findings.push(finding(machines).at(place.clone()));
            }
        };
        say(&self.dropped, |machines| {
            Finding::info(
                "INV-3007",
                format!("left out as templates, placeholders or vSphere agents: {machines}"),
            )
            .help("they are no machines to move")
        });
        say(&self.from_provisioned, |machines| {
            Finding::warning("INV-3008", format!("disks sized by their provisioned space: {machines}"))
                .help("it counts swap and snapshots too and so is high; export the sheet vDisk")
        });
        say(&self.shared_or_raw, |machines| {
            Finding::warning("INV-3012", format!("shared or raw disks: {machines}"))
                .help("such disks cannot be copied machine by machine; plan them together")
        });
        say(&self.unassigned_partitions, |machines| {
            Finding::info("INV-3013", format!("partitions that name no disk: {machines}"))
                .help("how full each of their disks is stays unknown; newer RVTools export the disk key")
        });
        if self.repeated_rows > 0 {
            let rows = counted(self.repeated_rows, "row");
            findings.push(
                Finding::info("INV-3014", format!("said by another row already: {rows}"))
                    .at(place.clone())
                    .help("merged workbooks have such rows; each disk and interface counts once"),
            );
        }
        if let Some((shared, place)) = &self.first_ambiguous {
            let rows = counted(self.ambiguous, "row");
            findings.push(
                Finding::error(
                    "INV-3009",
                    format!("more than one machine fits {rows}, the first by its {shared}"),
                )
                .at(place.clone())
                .help("left out; export with the columns VM ID and VI SDK UUID"),
            );
        }
    }
}

/// The first names of a list, and how many more there are.
fn some_of(names: &[String]) -> String {
    const MOST: usize = 20;
    let shown = names.iter().take(MOST).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().checked_sub(MOST).filter(|more| *more > 0) {
        Some(more) => format!("{shown} and {more} more"),
        None => shown,
    }
}

//! The table `certifications`: which regions hold which certifications, and who says so.

use std::collections::BTreeMap;

use carafe_model::catalog::{Certification, Region};
use carafe_model::idx::Idx;

use super::base::{Base, PlaceColumns};
use super::cells::is_date;
use crate::catalog::findings::Findings;
use crate::catalog::table::Table;

/// Reads the tables; certifications come sorted by region and name. Of one listed twice the newest statement counts.
pub(super) fn read(tables: &[&Table<'_>], base: &Base, findings: &mut Findings) -> Vec<Certification> {
    let mut held: BTreeMap<(Idx<Region>, String), Certification> = BTreeMap::new();
    for table in tables {
        let places = PlaceColumns::of(table);
        let [name, source, as_of] = ["certification", "source", "as_of"].map(|name| table.column(name));
        table.rows(findings, |row, findings| {
            if row.text(name).is_empty() || row.text(source).is_empty() || !is_date(row.text(as_of)) {
                let what = "a certification without a name, a source or a date is left out";
                return findings
                    .push(row.error("CAT-1801", name, what).help(
                        "say what it is called, who says so, and when, as 2026-08-13, 2026-08 or 2026",
                    ));
            }
            let (_, regions) = base.regions_of(row, places, findings);
            for region in regions {
                let certification = Certification {
                    region,
                    name: row.text(name).to_owned(),
                    source: row.text(source).to_owned(),
                    as_of: row.text(as_of).to_owned(),
                };
                let known =
                    held.entry((region, certification.name.clone())).or_insert_with(|| certification.clone());
                if (&known.as_of, &known.source) < (&certification.as_of, &certification.source) {
                    *known = certification;
                }
            }
        });
    }
    held.into_values().collect()
}

//! The table `egress`: what traffic out of a region costs, by volume.

use std::collections::BTreeMap;

use carafe_model::catalog::{PriceSource, Reach, Region, TransferPrice, TransferTier};
use carafe_model::finding::{Finding, Place, Severity};
use carafe_model::idx::Idx;
use carafe_model::units::Rate;

use super::base::{Base, PlaceColumns, Precision};
use super::cells::{SourceColumns, Zero, price};
use crate::catalog::findings::{Findings, clip};
use crate::catalog::sources::Sources;
use crate::catalog::table::Table;

/// The directions that are loaded. Others are variants of these for one destination, one route, or another list.
const DIRECTIONS: &[(&str, Reach)] =
    &[("inter-zone", Reach::InterZone), ("inter-region", Reach::InterRegion), ("internet", Reach::Internet)];

/// A tier as a row states it.
#[derive(Debug)]
struct Tier {
    from_gib: u64,
    to_gib: Option<u64>,
    gib: Rate,
    source: Idx<PriceSource>,
    file: String,
    line: u32,
}

/// Reads the tables; prices come sorted by region and reach.
pub(super) fn read(
    tables: &[&Table<'_>],
    base: &Base,
    sources: &mut Sources,
    findings: &mut Findings,
) -> Vec<TransferPrice> {
    let mut lists: BTreeMap<(Idx<Region>, Reach), BTreeMap<Precision, Vec<Tier>>> = BTreeMap::new();
    for table in tables {
        let place_columns = PlaceColumns::of(table);
        let source_columns = SourceColumns::of(table);
        let [direction, from, to] =
            ["direction", "tier_from_gb", "tier_to_gb"].map(|name| table.column(name));
        let rate_column = table.column("usd_per_gb");
        table.rows(findings, |row, findings| {
            let Some((_, reach)) = DIRECTIONS.iter().find(|(name, _)| *name == row.text(direction)) else {
                let summary = "prices of traffic for one destination or route only were not loaded";
                let name = clip(row.text(direction));
                return findings.tally("CAT-1401", Severity::Info, summary, row.file, &name);
            };
            let mut volume = |column, blank| match row.text(column) {
                "" => Some(blank),
                text => text.parse().ok().map(Some).or_else(|| {
                    let finding =
                        row.error("CAT-1402", column, "a tier whose bounds cannot be read is left out");
                    findings.push(finding.help("write whole GB a month, or leave the cell empty"));
                    None
                }),
            };
            let (Some(from_gib), Some(to_gib)) = (volume(from, Some(0)), volume(to, None)) else { return };
            let Some(gib) = price(row, rate_column, Zero::Free, findings).known() else { return };
            let (precision, regions) = base.regions_of(row, place_columns, findings);
            let Some(source) = source_columns.read(row, &[], sources, findings) else { return };
            for region in regions {
                let list = lists.entry((region, *reach)).or_default().entry(precision).or_default();
                let from_gib = from_gib.unwrap_or(0);
                list.push(Tier { from_gib, to_gib, gib, source, file: row.file.to_owned(), line: row.line });
            }
        });
    }
    let mut transfers = Vec::new();
    for ((region, reach), by_precision) in lists {
        let (_, tiers) = by_precision.into_iter().next_back().expect("an entry is made with its first tier");
        let tiers = in_order(tiers, sources, findings);
        transfers.push(transfer(region, reach, &tiers, base, findings));
    }
    transfers
}

/// The tiers of one price list, by their start. Lists of different dates or names are never mixed, because the tiers of
/// one say where those of the other end: the newest list counts, of equally new ones the one whose first paid tier is
/// dearest. Of two tiers of that list with the same start the dearest counts.
fn in_order(tiers: Vec<Tier>, sources: &Sources, findings: &mut Findings) -> Vec<Tier> {
    let mut lists: BTreeMap<(String, String), Vec<Tier>> = BTreeMap::new();
    for tier in tiers {
        let (as_of, name) = (sources.as_of(tier.source).to_owned(), sources.name(tier.source).to_owned());
        lists.entry((as_of, name)).or_default().push(tier);
    }
    for tiers in lists.values_mut() {
        tiers.sort_by(|a, b| {
            a.from_gib.cmp(&b.from_gib).then(b.gib.cmp(&a.gib)).then(a.to_gib.cmp(&b.to_gib))
        });
    }
    let rank = |((as_of, name), tiers): &((String, String), Vec<Tier>)| {
        let first_paid = tiers.iter().map(|tier| tier.gib).find(|rate| rate.0 > 0);
        (as_of.clone(), first_paid, name.clone())
    };
    let mut lists: Vec<((String, String), Vec<Tier>)> = lists.into_iter().collect();
    lists.sort_by_cached_key(rank);
    let (_, mut kept) = lists.pop().expect("an entry is made with its first tier");
    for other in lists.into_iter().flat_map(|(_, tiers)| tiers) {
        let summary = "tiers of traffic for which there is a newer price list were left out";
        findings.tally("CAT-1405", Severity::Info, summary, &other.file, sources.name(other.source));
    }
    kept.dedup_by(|later, kept| {
        let same = later.from_gib == kept.from_gib;
        if same {
            let place = Place::file(later.file.as_str()).row(later.line).column("tier_from_gb");
            let summary = "the same traffic is priced twice in one list; the dearest row counts";
            let help = "remove one of the two rows";
            findings.push(Finding::warning("CAT-1112", summary).at(place).help(help));
        }
        same
    });
    kept
}

fn transfer(
    region: Idx<Region>,
    reach: Reach,
    tiers: &[Tier],
    base: &Base,
    findings: &mut Findings,
) -> TransferPrice {
    let first = tiers.first().expect("a price has a tier");
    let mut priced = Vec::with_capacity(tiers.len() + 1);
    // A list that starts above zero leaves its free allowance unsaid.
    if first.from_gib > 0 {
        priced.push(TransferTier { from_gib: 0, gib: Rate(0) });
    }
    priced.extend(tiers.iter().map(|tier| TransferTier { from_gib: tier.from_gib, gib: tier.gib }));

    let name =
        format!("{}/{}", base.providers[base.regions[region].provider].name, base.regions[region].name);
    for (tier, next) in tiers.iter().zip(&tiers[1..]) {
        if next.gib > tier.gib && tier.gib.0 > 0 {
            let summary = "tiers of traffic are dearer than the tier below them; used as written";
            findings.tally("CAT-1403", Severity::Info, summary, &next.file, &name);
        }
    }
    if let Some(last) = tiers.last().filter(|tier| tier.to_gib.is_some()) {
        let summary = "the highest tier of traffic has an end; its price is used beyond it";
        findings.tally("CAT-1404", Severity::Info, summary, &last.file, &name);
    }
    let paid = tiers.iter().find(|tier| tier.gib.0 > 0).unwrap_or(first);
    TransferPrice { region, reach, tiers: priced, source: paid.source }
}

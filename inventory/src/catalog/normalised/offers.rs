//! The tables `prices` and `windows_prices`: machines for sale.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use carafe_model::catalog::{InstanceType, Offers, PriceSource, Region};
use carafe_model::finding::{Finding, Severity};
use carafe_model::idx::Idx;
use carafe_model::units::{Mib, Rate, Vcpus};

use super::base::Base;
use super::cells::{Price, SourceColumns, Zero, price, priced_twice};
use crate::catalog::findings::Findings;
use crate::catalog::sources::Sources;
use crate::catalog::table::{Column, Row, Table};

/// A machine of two threads and 4 GiB for a cent is a mark that something is announced, not a price. Below that size
/// there are real ones: a `t4g.nano` has two threads, half a GiB, and costs less.
const PLACEHOLDER: Rate = Rate(10_000_000);
const PLACEHOLDER_VCPUS: Vcpus = Vcpus(2);
const PLACEHOLDER_MEMORY: Mib = Mib::from_gib(4);

type Place = (Idx<Region>, Idx<InstanceType>);

/// The terms beside on-demand, in the order of their columns.
const TERMS: [&str; 5] = ["usd_spot", "usd_1yr", "usd_3yr", "usd_1yr_flex", "usd_3yr_flex"];

/// A machine for sale before it becomes a row of [`Offers`].
#[derive(Debug)]
struct Sale {
    source: Idx<PriceSource>,
    on_demand: Rate,
    /// By [`TERMS`]; zero where there is none.
    terms: [Rate; 5],
    windows: Option<(Rate, Idx<PriceSource>)>,
}

/// Reads both tables into columns sorted by region and instance type.
pub(super) fn read(
    prices: &[&Table<'_>],
    windows: &[&Table<'_>],
    base: &Base,
    sources: &mut Sources,
    findings: &mut Findings,
) -> Offers {
    let mut sales = BTreeMap::new();
    for table in prices {
        read_prices(table, base, &mut sales, sources, findings);
    }
    for table in windows {
        read_windows(table, base, &mut sales, sources, findings);
    }
    suspect_repeated_prices(&sales, base, findings);
    let mut offers = Offers::default();
    for ((region, instance_type), sale) in sales {
        let (windows, windows_source) = sale.windows.unwrap_or((Rate(0), Idx::new(0)));
        let [spot, one_year, three_years, one_year_flex, three_years_flex] = sale.terms;
        offers.region.push(region);
        offers.instance_type.push(instance_type);
        offers.source.push(sale.source);
        offers.on_demand.push(sale.on_demand);
        offers.spot.push(spot);
        offers.one_year.push(one_year);
        offers.three_years.push(three_years);
        offers.one_year_flex.push(one_year_flex);
        offers.three_years_flex.push(three_years_flex);
        offers.windows.push(windows);
        offers.windows_source.push(windows_source);
    }
    offers
}

fn read_prices(
    table: &Table<'_>,
    base: &Base,
    sales: &mut BTreeMap<Place, Sale>,
    sources: &mut Sources,
    findings: &mut Findings,
) {
    let source_columns = SourceColumns::of(table);
    let place_columns = ["provider", "region", "spec"].map(|name| table.column(name));
    let on_demand_column = table.column("usd_per_hour_linux_ondemand");
    let term_columns = TERMS.map(|name| table.column(name));
    let offered = table.column("offered");
    let remark_columns = ["spot_as_of", "as_of", "commit_basis"].map(|name| table.column(name));
    table.rows(findings, |row, findings| {
        if row.text(offered) == "n" {
            let summary = "prices of machines that are not sold in their region were left out";
            return findings.tally("CAT-1110", Severity::Info, summary, row.file, "");
        }
        let Some(place) = find_place(row, place_columns, base, findings) else { return };
        let on_demand = match price(row, on_demand_column, Zero::Wrong, findings) {
            Price::Known(rate) => rate,
            Price::Refused => return,
            Price::Blank => {
                let summary = "rows without an on-demand price were left out";
                return findings.tally("CAT-1111", Severity::Info, summary, row.file, "");
            }
        };
        let instance_type = &base.instance_types[place.1];
        if on_demand <= PLACEHOLDER
            && instance_type.vcpus >= PLACEHOLDER_VCPUS
            && instance_type.memory >= PLACEHOLDER_MEMORY
        {
            let what = "a price this low for a machine this large is a placeholder and is not used";
            let help = "the region or type is probably announced but not yet sold; leave the row out";
            return findings.push(row.error("CAT-1104", on_demand_column, what).help(help));
        }
        let terms = term_columns.map(|column| below(row, column, on_demand, findings));
        let remarks = remarks(row, remark_columns, &terms);
        let Some(source) = source_columns.read(row, &remarks, sources, findings) else { return };
        let sale = Sale { source, on_demand, terms, windows: None };
        match sales.entry(place) {
            Entry::Vacant(entry) => {
                entry.insert(sale);
            }
            Entry::Occupied(mut entry) => {
                findings.push(priced_twice(row, place_columns[2]));
                let rank = |sale: &Sale| (sources.as_of(sale.source).to_owned(), sale.on_demand, sale.terms);
                if rank(&sale) > rank(entry.get()) {
                    entry.insert(sale);
                }
            }
        }
    });
}

/// The region and instance type that a row is about; reports a row about something unknown.
fn find_place(
    row: &Row<'_>,
    [provider, region, spec]: [Column; 3],
    base: &Base,
    findings: &mut Findings,
) -> Option<Place> {
    let of = row.text(provider);
    let Some(region_place) = base.region(of, row.text(region)) else {
        let what = "a price for a region that the regions table does not have is left out";
        findings.push(row.error("CAT-1201", region, what).help("add the region, or correct its name"));
        return None;
    };
    let Some(type_place) = base.instance_type(of, row.text(spec)) else {
        let what = "a price for an instance type that the specs table does not have is left out";
        findings.push(row.error("CAT-1202", spec, what).help("add the instance type, or correct its name"));
        return None;
    };
    Some((region_place, type_place))
}

/// The price of a term, which must be below on-demand, or zero. Paying in advance for nothing is no offer but a mistake
/// in the source: a wrong type, a total for the term, or a stale on-demand price.
fn below(row: &Row<'_>, column: Column, on_demand: Rate, findings: &mut Findings) -> Rate {
    match price(row, column, Zero::Wrong, findings) {
        Price::Known(rate) if rate < on_demand => rate,
        Price::Known(_) => {
            let what = "a spot or commitment price that is not below on-demand is not used";
            let help = "check that it is a price per hour for this instance type";
            findings.push(row.warning("CAT-1107", column, what).help(help));
            Rate(0)
        }
        Price::Blank | Price::Refused => Rate(0),
    }
}

/// What must be said of the dates and kinds of a row's prices, since an offer names one source for all of them.
fn remarks(row: &Row<'_>, [spot_as_of, as_of, basis]: [Column; 3], terms: &[Rate; 5]) -> Vec<String> {
    let mut remarks = Vec::new();
    let spot_date = row.text(spot_as_of);
    if terms[0].0 > 0 && !spot_date.is_empty() && spot_date != row.text(as_of) {
        remarks.push(format!("spot as of {spot_date}"));
    }
    if terms[1..].iter().any(|rate| rate.0 > 0) && !row.text(basis).is_empty() {
        remarks.push(format!("commitments: {}", row.text(basis)));
    }
    remarks
}

fn read_windows(
    table: &Table<'_>,
    base: &Base,
    sales: &mut BTreeMap<Place, Sale>,
    sources: &mut Sources,
    findings: &mut Findings,
) {
    let source_columns = SourceColumns::of(table);
    let place_columns = ["provider", "region", "spec"].map(|name| table.column(name));
    let [windows_column, linux_column] =
        ["usd_per_hour_windows", "usd_per_hour_linux"].map(|name| table.column(name));
    table.rows(findings, |row, findings| {
        let Some(place) = find_place(row, place_columns, base, findings) else { return };
        let Some(windows) = price(row, windows_column, Zero::Wrong, findings).known() else { return };
        let linux = price(row, linux_column, Zero::Wrong, findings).known();
        let Entry::Occupied(mut entry) = sales.entry(place) else {
            let summary = "Windows prices of machines that have no usable price of their own were left out";
            return findings.tally("CAT-1121", Severity::Info, summary, row.file, "");
        };
        let on_demand = entry.get().on_demand;
        if windows == on_demand && linux.is_some_and(|linux| linux < on_demand) {
            let what =
                "the price list gives the Windows price as the Linux price, so the machine has no price";
            findings.push(row.error("CAT-1122", linux_column, what).help("correct the prices table"));
            entry.remove();
            return;
        }
        if windows < on_demand {
            let what = "a Windows price below the Linux price is not used";
            let help = "check that both are from the same list and date";
            return findings.push(row.warning("CAT-1123", windows_column, what).help(help));
        }
        let Some(source) = source_columns.read(row, &[], sources, findings) else { return };
        let known = &mut entry.get_mut().windows;
        if known.is_some() {
            findings.push(priced_twice(row, place_columns[2]));
        }
        let rank = |(rate, source): (Rate, Idx<PriceSource>)| (sources.as_of(source).to_owned(), rate);
        if known.is_none_or(|known| rank((windows, source)) > rank(known)) {
            *known = Some((windows, source));
        }
    });
}

/// Reports machines that cost no more than one of half their size in the same family and region: one of the two prices
/// was copied or rounded. Both stay in use, since nothing tells which.
fn suspect_repeated_prices(sales: &BTreeMap<Place, Sale>, base: &Base, findings: &mut Findings) {
    let mut by_price: BTreeMap<(Idx<Region>, &str, Rate), Vec<&InstanceType>> = BTreeMap::new();
    for ((region, instance_type), sale) in sales {
        let instance_type = &base.instance_types[*instance_type];
        if !instance_type.family.is_empty() {
            by_price.entry((*region, &instance_type.family, sale.on_demand)).or_default().push(instance_type);
        }
    }
    for ((region, _, _), mut types) in by_price {
        types.sort_by_key(|instance_type| instance_type.vcpus);
        // Of the types with at most half the vCPUs of the one at hand, which are those passed, the one of least memory.
        let mut passed = 0;
        let mut least: Option<&InstanceType> = None;
        for large in &types {
            while types[passed].vcpus.0 <= large.vcpus.0 / 2 {
                least = [least, Some(types[passed])].into_iter().flatten().min_by_key(|small| small.memory);
                passed += 1;
            }
            let Some(small) = least.filter(|small| small.memory.0 <= large.memory.0 / 2) else { continue };
            let region = &base.regions[region];
            let provider = &base.providers[region.provider].name;
            let summary = format!(
                "{provider}/{}: {} costs the same as {}, which is at most half its size",
                region.name, large.name, small.name
            );
            let help = "one price was repeated or rounded in the source; check it before relying on it";
            findings.push(Finding::warning("CAT-1113", summary).help(help));
        }
    }
}

//! The tables `prices` and `windows_prices`: machines for sale.

use std::collections::BTreeMap;

use carafe_model::catalog::{InstanceType, Offers, PriceSource, Region};
use carafe_model::finding::{Finding, Place as FilePlace, Severity};
use carafe_model::idx::Idx;
use carafe_model::units::{Mib, Rate, Vcpus};

use super::base::{Base, Names};
use super::cells::{Price, SourceColumns, Zero, price, priced_twice, priced_twice_at};
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
    place: Place,
    source: Idx<PriceSource>,
    /// The table that it is from, and the line in it.
    table: u32,
    line: u32,
    on_demand: Rate,
    /// By [`TERMS`]; zero where there is none.
    terms: [Rate; 5],
    windows: Option<(Rate, Idx<PriceSource>)>,
    /// Whether another table shows that its price is not of this machine.
    is_refused: bool,
}

/// Reads both tables into columns sorted by region and instance type.
pub(super) fn read(
    prices: &[&Table<'_>],
    windows: &[&Table<'_>],
    base: &Base,
    sources: &mut Sources,
    findings: &mut Findings,
) -> Offers {
    let mut sales = Vec::with_capacity(prices.iter().map(|table| table.most_rows()).sum());
    for (nth, table) in (0..).zip(prices) {
        read_prices(table, nth, base, &mut sales, sources, findings);
    }
    // Stable, so that of one place the rows stay in the order of the files.
    sales.sort_by_key(|sale| sale.place);
    settle_repeated(&mut sales, prices, base, sources, findings);
    for table in windows {
        read_windows(table, base, &mut sales, sources, findings);
    }
    sales.retain(|sale| !sale.is_refused);
    suspect_repeated_prices(&sales, base, findings);
    into_columns(sales)
}

fn into_columns(sales: Vec<Sale>) -> Offers {
    let rates = |of: fn(&Sale) -> Rate| -> Vec<Rate> { sales.iter().map(of).collect() };
    Offers {
        region: sales.iter().map(|sale| sale.place.0).collect(),
        instance_type: sales.iter().map(|sale| sale.place.1).collect(),
        source: sales.iter().map(|sale| sale.source).collect(),
        on_demand: rates(|sale| sale.on_demand),
        spot: rates(|sale| sale.terms[0]),
        one_year: rates(|sale| sale.terms[1]),
        three_years: rates(|sale| sale.terms[2]),
        one_year_flex: rates(|sale| sale.terms[3]),
        three_years_flex: rates(|sale| sale.terms[4]),
        windows: rates(|sale| sale.windows.map_or(Rate(0), |windows| windows.0)),
        windows_source: sales
            .iter()
            .map(|sale| sale.windows.map_or(Idx::new(0), |windows| windows.1))
            .collect(),
    }
}

/// Of rows that price the same thing keeps the newest, of equally new ones the dearest, and reports the others.
fn settle_repeated(
    sales: &mut Vec<Sale>,
    tables: &[&Table<'_>],
    base: &Base,
    sources: &Sources,
    findings: &mut Findings,
) {
    sales.dedup_by(|next, kept| {
        let is_repeated = next.place == kept.place;
        if is_repeated {
            let file = tables[next.table as usize].file;
            let name = &base.instance_types[next.place.1].name;
            findings.push(priced_twice_at(FilePlace::file(file).row(next.line).column("spec"), name));
            let rank = |sale: &Sale| (sources.as_of(sale.source).to_owned(), sale.on_demand, sale.terms);
            if rank(next) > rank(kept) {
                std::mem::swap(next, kept);
            }
        }
        is_repeated
    });
}

fn read_prices(
    table: &Table<'_>,
    nth: u32,
    base: &Base,
    sales: &mut Vec<Sale>,
    sources: &mut Sources,
    findings: &mut Findings,
) {
    let source_columns = SourceColumns::of(table);
    let mut places = Places::of(table, base);
    let on_demand_column = table.column("usd_per_hour_linux_ondemand");
    let term_columns = TERMS.map(|name| table.column(name));
    let offered = table.column("offered");
    let remark_columns = ["spot_as_of", "as_of", "commit_basis"].map(|name| table.column(name));
    table.rows(findings, |row, findings| {
        if row.text(offered) == "n" {
            let summary = "prices of machines that are not sold in their region were left out";
            return findings.tally("CAT-1110", Severity::Info, summary, row.file, "");
        }
        let Some(place) = places.find(row, findings) else { return };
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
        let line = row.line;
        sales.push(Sale {
            place,
            source,
            table: nth,
            line,
            on_demand,
            terms,
            windows: None,
            is_refused: false,
        });
    });
}

/// Finds what rows are about. Rows of one region mostly stand together, so what the last one named is looked at first.
struct Places<'a> {
    base: &'a Base,
    columns: [Column; 3],
    provider: String,
    names: Option<&'a Names>,
    region: Option<(String, Idx<Region>)>,
}

impl<'a> Places<'a> {
    fn of(table: &Table<'_>, base: &'a Base) -> Places<'a> {
        let columns = ["provider", "region", "spec"].map(|name| table.column(name));
        Places { base, columns, provider: String::new(), names: None, region: None }
    }

    /// The region and instance type that a row is about; reports a row about something unknown.
    fn find(&mut self, row: &Row<'_>, findings: &mut Findings) -> Option<Place> {
        let [provider, region, spec] = self.columns;
        let (of, name) = (row.text(provider), row.text(region));
        if self.names.is_none() || self.provider != of {
            self.names = self.base.names(of);
            self.provider = of.to_owned();
            self.region = None;
        }
        if self.region.as_ref().is_none_or(|(known, _)| known != name) {
            let place = self.names.and_then(|names| names.region(name));
            self.region = place.map(|place| (name.to_owned(), place));
        }
        let (Some(names), Some((_, region_place))) = (self.names, &self.region) else {
            let what = "a price for a region that the regions table does not have is left out";
            findings.push(row.error("CAT-1201", region, what).help("add the region, or correct its name"));
            return None;
        };
        let Some(type_place) = names.instance_type(row.text(spec)) else {
            let what = "a price for an instance type that the specs table does not have is left out";
            findings
                .push(row.error("CAT-1202", spec, what).help("add the instance type, or correct its name"));
            return None;
        };
        Some((*region_place, type_place))
    }
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
    sales: &mut [Sale],
    sources: &mut Sources,
    findings: &mut Findings,
) {
    let source_columns = SourceColumns::of(table);
    let mut places = Places::of(table, base);
    let [windows_column, linux_column] =
        ["usd_per_hour_windows", "usd_per_hour_linux"].map(|name| table.column(name));
    table.rows(findings, |row, findings| {
        let Some(place) = places.find(row, findings) else { return };
        let Some(windows) = price(row, windows_column, Zero::Wrong, findings).known() else { return };
        let linux = price(row, linux_column, Zero::Wrong, findings).known();
        let found = sales.binary_search_by_key(&place, |sale| sale.place);
        let Some(sale) = found.ok().map(|at| &mut sales[at]).filter(|sale| !sale.is_refused) else {
            let summary = "Windows prices of machines that have no usable price of their own were left out";
            return findings.tally("CAT-1121", Severity::Info, summary, row.file, "");
        };
        let on_demand = sale.on_demand;
        if windows == on_demand && linux.is_some_and(|linux| linux < on_demand) {
            let what =
                "the price list gives the Windows price as the Linux price, so the machine has no price";
            findings.push(row.error("CAT-1122", linux_column, what).help("correct the prices table"));
            sale.is_refused = true;
            return;
        }
        if windows < on_demand {
            let what = "a Windows price below the Linux price is not used";
            let help = "check that both are from the same list and date";
            return findings.push(row.warning("CAT-1123", windows_column, what).help(help));
        }
        let Some(source) = source_columns.read(row, &[], sources, findings) else { return };
        if sale.windows.is_some() {
            findings.push(priced_twice(row, places.columns[2]));
        }
        let rank = |(rate, source): (Rate, Idx<PriceSource>)| (sources.as_of(source).to_owned(), rate);
        if sale.windows.is_none_or(|known| rank((windows, source)) > rank(known)) {
            sale.windows = Some((windows, source));
        }
    });
}

/// Reports machines that cost no more than one of half their size in the same family and region: one of the two prices
/// was copied or rounded. Both stay in use, since nothing tells which.
fn suspect_repeated_prices(sales: &[Sale], base: &Base, findings: &mut Findings) {
    let mut families: BTreeMap<&str, u32> = BTreeMap::new();
    for kind in base.instance_types.iter().filter(|kind| !kind.family.is_empty()) {
        families.insert(&kind.family, 0);
    }
    for (nth, family) in (0..).zip(families.values_mut()) {
        *family = nth;
    }
    let family_of: Vec<Option<u32>> =
        base.instance_types.iter().map(|kind| families.get(kind.family.as_str()).copied()).collect();
    let mut by_price: Vec<(u32, Rate, Idx<InstanceType>)> = Vec::new();
    for of_region in sales.chunk_by(|one, other| one.place.0 == other.place.0) {
        by_price.clear();
        by_price.extend(of_region.iter().filter_map(|sale| {
            family_of[sale.place.1.usize()].map(|family| (family, sale.on_demand, sale.place.1))
        }));
        by_price.sort_unstable();
        let same_price = |one: &(u32, Rate, _), other: &(u32, Rate, _)| (one.0, one.1) == (other.0, other.1);
        for same in by_price.chunk_by(same_price).filter(|same| same.len() > 1) {
            let types: Vec<&InstanceType> =
                same.iter().map(|(.., kind)| &base.instance_types[*kind]).collect();
            suspect(of_region[0].place.0, types, base, findings);
        }
    }
}

/// Looks at machines of one family that cost the same in a region.
fn suspect(region: Idx<Region>, mut types: Vec<&InstanceType>, base: &Base, findings: &mut Findings) {
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

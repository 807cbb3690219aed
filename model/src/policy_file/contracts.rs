//! Reads the user's contracts: `[[price_book]]`, `[[reservation]]`, `[[commitment]]`, `[[support]]`.

use crate::contract::{BookEntry, Commitment, Pays, Reservation, Support, SupportTier};
use crate::finding::{Finding, Place};
use crate::ids::ProviderName;
use crate::plan::Component;
use crate::toml_reader::{Reader, Table};
use crate::units::{Money, Quantity, Rate};

/// A whole discount, in percent.
const ALL: i64 = 100_000_000;

/// Reads a price book that stands in a file of its own: the same `[[price_book]]` entries as in a policy. Any finding
/// is an error, and then the entries must not be used.
pub fn read_price_book(file: &str, text: &str) -> (Vec<BookEntry>, Vec<Finding>) {
    let mut reader = Reader::new(file, text, &super::DIALECT);
    let mut entries = Vec::new();
    if let Some(mut root) = reader.root() {
        entries = reader.entries(&mut root, "price_book", Reader::book_entry);
        reader.finish(root);
    }
    (entries, reader.findings)
}

impl<'t> Reader<'t> {
    pub(super) fn book_entry(&mut self, table: &mut Table<'t>) -> BookEntry {
        let components = Component::ALL.map(|component| (component.name(), component));
        let entry = BookEntry {
            provider: self.whose(table),
            regions: self.regions(table),
            component: self.choice(table, "component", &components),
            family: self.string(table, "family"),
            offer: self.string(table, "offer"),
            pays: Pays::PercentOff(Quantity(0)),
            source: self.written(table),
        };
        let percent = self.percent(table, "percent_off");
        let rate = self.decimal::<Rate>(table, "rate").filter(|rate| rate.0 >= 0);
        let pays = match (percent, rate) {
            (Some(percent), None) => Pays::PercentOff(percent),
            (None, Some(rate)) => Pays::Rate(rate),
            (Some(_), Some(_)) | (None, None) => {
                self.contradiction(
                    table,
                    "an entry of a price book needs one price",
                    "percent_off = 12, or rate = \"0.05\"",
                );
                entry.pays
            }
        };
        if (entry.family.is_some() || entry.offer.is_some())
            && entry.component.is_some_and(|component| component != Component::Machine)
        {
            self.contradiction(table, "only machines have a family and a type", "leave component out");
        }
        let is_one_thing = entry.offer.is_some()
            || entry
                .component
                .is_some_and(|c| !matches!(c, Component::Machine | Component::Licence | Component::Disk));
        if rate.is_some() && !is_one_thing {
            self.contradiction(
                table,
                "a price for a unit must say of what",
                "add offer, or component = \"egress\"; for everything else give percent_off",
            );
        }
        BookEntry { pays, ..entry }
    }

    pub(super) fn reservation(&mut self, table: &mut Table<'t>) -> Reservation {
        let provider = self.whose(table);
        let region = self.string(table, "region");
        if region.as_ref().is_some_and(|path| !path.starts_with(&format!("{provider}/"))) {
            self.contradiction(
                table,
                "a reservation is in a region of its provider",
                "region = \"aws/ap-northeast-2\"",
            );
        }
        let offer = self.string(table, "offer").unwrap_or_default();
        if offer.is_empty() {
            self.contradiction(table, "a reservation is of one type of machines", "offer = \"m5.large\"");
        }
        let count = self.integer(table, "count", 1, 1_000_000).unwrap_or_else(|| {
            self.contradiction(table, "a reservation is of one machine or more", "count = 10");
            1
        });
        Reservation { provider, region, offer, count, source: self.written(table) }
    }

    pub(super) fn commitment(&mut self, table: &mut Table<'t>) -> Commitment {
        let mut monthly = Money::ZERO;
        let provider = self.whose(table);
        self.money(table, "monthly", &mut monthly);
        Commitment { provider, monthly, source: self.written(table) }
    }

    pub(super) fn support(&mut self, table: &mut Table<'t>) -> Support {
        let provider = self.whose(table);
        let mut minimum = Money::ZERO;
        self.money(table, "minimum", &mut minimum);
        let tiers = self.entries(table, "tiers", |reader, tier| {
            let mut from = Money::ZERO;
            reader.money(tier, "from", &mut from);
            SupportTier { from, percent: reader.percent(tier, "percent").unwrap_or_default() }
        });
        let rises = tiers.windows(2).all(|pair| pair[0].from < pair[1].from);
        if tiers.first().is_some_and(|first| first.from != Money::ZERO) || !rises {
            self.contradiction(
                table,
                "the tiers of a support plan start at zero and rise",
                "tiers = [{ from = 0, percent = 10 }, { from = 10000, percent = 7 }]",
            );
        }
        Support { provider, minimum, tiers, source: self.written(table) }
    }

    fn whose(&mut self, table: &mut Table<'t>) -> ProviderName {
        let name = self.string(table, "provider").unwrap_or_default();
        if name.is_empty() {
            self.contradiction(table, "a contract is with a provider", "provider = \"aws\"");
        }
        ProviderName(name)
    }

    fn written(&mut self, table: &mut Table<'t>) -> String {
        let source = self.string(table, "source").unwrap_or_default();
        if source.is_empty() {
            self.contradiction(
                table,
                "a price of your own needs a source",
                "source = \"the contract and its date\"; the bill names it",
            );
        }
        source
    }

    /// From 0 to 100, with at most four decimals, so that shares are whole millionths.
    fn percent(&mut self, table: &mut Table<'t>, key: &'static str) -> Option<Quantity> {
        let percent = self.decimal::<Quantity>(table, key)?;
        if (0..=ALL).contains(&percent.0) && percent.0 % 100 == 0 {
            return Some(percent);
        }
        let finding = Finding::error("POL-004", format!("{percent} is not a percentage"));
        let place = Place::file(self.file).at(&*table.path);
        self.findings.push(finding.at(place).help("from 0 to 100, with at most four decimals"));
        None
    }
}

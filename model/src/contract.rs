//! What the user's own contracts with providers say: a price book, reserved machines, spend commitments, support plans.
//!
//! A price book is kept apart from list prices: the plan shows what the list says and what is paid.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::ProviderName;
use crate::plan::Component;
use crate::units::{Money, Quantity, Rate};

/// One entry of a price book. It holds for what fulfils every given condition; of several the last one counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BookEntry {
    /// Whose prices.
    pub provider: ProviderName,
    /// Only in these regions, as `provider/region`.
    pub regions: Option<Vec<String>>,
    /// Only this kind of thing; any when absent.
    pub component: Option<Component>,
    /// Only machines of this family.
    pub family: Option<String>,
    /// Only machines of this type.
    pub offer: Option<String>,
    /// What is paid instead of the list price.
    pub pays: Pays,
    /// Where that is written, for example a contract and its date; the bill names it.
    pub source: String,
}

/// What is paid instead of a list price.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pays {
    /// The list price less this many percent, up to 100, with at most four decimals.
    PercentOff(Quantity),
    /// This much for a unit, in the plan's currency.
    Rate(Rate),
}

impl Pays {
    /// What is paid where the list says this; to the nearest billionth, halves to even.
    pub fn instead_of(self, list: Rate) -> Rate {
        match self {
            Pays::PercentOff(percent) => {
                let share = Quantity(1_000_000 - percent.0 / 100);
                Rate(i64::try_from(list.times(share).0).unwrap_or(i64::MAX))
            }
            Pays::Rate(rate) => rate,
        }
    }
}

/// Money that a provider is paid every month whether it is used or not: the month costs the larger of it and of what
/// is used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Commitment {
    /// Who is paid.
    pub provider: ProviderName,
    /// A month, in the plan's currency.
    pub monthly: Money,
    /// Where that is written.
    pub source: String,
}

/// Machines of one type that are paid for already, by a reservation or a savings plan: that many cost nothing more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Reservation {
    /// Who was paid.
    pub provider: ProviderName,
    /// Where they are, as `provider/region`; anywhere of the provider when absent.
    pub region: Option<String>,
    /// Their type.
    pub offer: String,
    /// How many there are.
    pub count: u32,
    /// Where that is written; the bill names it.
    pub source: String,
}

/// A support plan: a percentage of what is used at a provider, by tiers, but never less than a minimum.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Support {
    /// Whose.
    pub provider: ProviderName,
    /// Least a month, once the provider is used at all, in the plan's currency.
    pub minimum: Money,
    /// Percentages of the month, by the part of it that they are of; in rising order, the first from zero.
    pub tiers: Vec<SupportTier>,
    /// Where that is written.
    pub source: String,
}

/// A percentage of the part of a month that lies between this tier's start and the next one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SupportTier {
    /// Where the tier starts, in the plan's currency.
    pub from: Money,
    /// Percent of what lies in it.
    pub percent: Quantity,
}

impl Support {
    /// What a month costs in which this much is used.
    pub fn of(&self, used: Money) -> Money {
        let ends = self.tiers.iter().skip(1).map(|tier| tier.from).chain([Money(i128::MAX)]);
        let shares = self.tiers.iter().zip(ends).map(|(tier, end)| {
            let inside = (used.0.min(end.0) - tier.from.0).max(0);
            Money(inside * i128::from(tier.percent.0) / 100_000_000)
        });
        shares.sum::<Money>().max(self.minimum)
    }

    /// The lowest of its percentages: what a month costs at least, as a share of what is used.
    pub fn least_percent(&self) -> Quantity {
        self.tiers.iter().map(|tier| tier.percent).min().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn support_is_a_share_by_tiers_and_never_less_than_the_minimum() {
        let dollars = |units: i128| Money(units * 1_000_000_000);
        let tier = |from: i128, percent: i64| SupportTier {
            from: dollars(from),
            percent: Quantity(percent * 1_000_000),
        };
        let support = Support {
            provider: "aws".into(),
            minimum: dollars(100),
            tiers: vec![tier(0, 10), tier(10_000, 7), tier(80_000, 5)],
            source: "contract".to_owned(),
        };
        for (used, costs) in
            [(0, 100), (500, 100), (1_000, 100), (2_000, 200), (10_000, 1_000), (100_000, 6_900)]
        {
            assert_eq!(support.of(dollars(used)), dollars(costs), "{used}");
        }
        assert_eq!(support.least_percent(), Quantity(5_000_000));
    }

    #[test]
    fn a_discount_is_taken_off_the_list_price() {
        let list: Rate = "0.0416".parse().expect("a rate");
        assert_eq!(Pays::PercentOff(Quantity(12_500_000)).instead_of(list).to_string(), "0.0364");
        assert_eq!(Pays::PercentOff(Quantity(100_000_000)).instead_of(list), Rate(0));
        assert_eq!(Pays::Rate(Rate(7)).instead_of(list), Rate(7));
    }
}

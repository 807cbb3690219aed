//! How a plan is said in one language: every view asks the voice for words and figures.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::fmt;

use askama::filters::{Escaper, Html, HtmlSafe};
use carafe_model::host::Architecture;
use carafe_model::ids::{ProviderName, RegionName};
use carafe_model::language::{Language, Phrasebook, Said, figures};
use carafe_model::plan::Plan;
use carafe_model::units::{Mib, Money, Quantity, Rate, Vcpus};

use crate::figures::Amount;
use crate::words::{self, visible};

/// A plan and the language it is said in.
#[derive(Clone, Debug)]
pub struct Voice<'p> {
    /// The plan.
    pub plan: &'p Plan,
    /// The language.
    pub language: Language,
    book: Phrasebook<'p>,
}

/// Markup that is written as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Markup(String);

impl fmt::Display for Markup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Made only from escaped text and amounts.
impl HtmlSafe for Markup {}

impl<'p> Voice<'p> {
    /// Of a plan, in a language.
    pub fn new(plan: &'p Plan, language: Language) -> Voice<'p> {
        Voice { plan, language, book: Phrasebook::new(language, &plan.sentences) }
    }

    /// A word or sentence without holes.
    pub fn w(&self, key: &str) -> &'static str {
        self.language.word(key)
    }

    /// A sentence with holes.
    pub fn say(&self, said: &Said) -> String {
        self.language.say(said)
    }

    /// A sentence about a number of things; the hole is `n`.
    pub fn n(&self, key: &str, number: impl Borrow<usize>) -> String {
        self.say(&Said::new(key).with("n", *number.borrow()))
    }

    /// A sentence about a text from outside; the hole is `x`.
    pub fn x(&self, key: &str, text: &str) -> String {
        self.say(&Said::new(key).with("x", visible(text)))
    }

    /// What a table is called that stands in a part of the page with the same name.
    pub fn table(&self, key: &str) -> String {
        self.x("page.table-of", self.w(key))
    }

    /// A text of the plan, in the language where the plan tells what it says, safe to look at.
    pub fn text(&self, text: &str) -> String {
        visible(&self.book.say(text))
    }

    /// What a finding says, or what its code means in general where its words are known in English only.
    pub fn finding(&self, code: &str, text: &str) -> String {
        match self.book.known(text).or_else(|| self.explained(code)) {
            Some(said) => visible(&said),
            None => visible(text),
        }
    }

    /// What to do about a finding; empty where the words are known in English only, as the finding then says it.
    pub fn help(&self, text: &str) -> String {
        self.book.known(text).map(|known| visible(&known)).unwrap_or_default()
    }

    fn explained(&self, code: &str) -> Option<String> {
        self.language.pattern(&format!("codes.{code}")).map(str::to_owned)
    }

    /// An amount with its currency, rounded.
    pub fn money(&self, amount: Money) -> String {
        self.language.money(amount, self.plan.currency)
    }

    /// The same without a sign.
    pub fn magnitude(&self, amount: Money) -> String {
        self.money(Money(amount.0.saturating_abs()))
    }

    /// The same with a plus or minus.
    pub fn change(&self, amount: Money) -> String {
        let sign = if amount.0 > 0 { "+" } else { "" };
        format!("{sign}{}", self.money(amount))
    }

    /// An amount for a table whose head names the currency.
    pub fn amount(&self, amount: Money) -> Amount {
        Amount::new(amount, self.plan.currency, self.language)
    }

    /// An amount with its currency, as markup.
    pub fn rich_money(&self, amount: Money) -> Markup {
        Markup(self.language.with_currency(&self.amount(amount).to_string(), self.plan.currency))
    }

    /// A sentence in which amounts stand as markup, by the names of their holes.
    pub fn rich(&self, said: Said, amounts: &[(&str, Money)]) -> Markup {
        // Characters for private use stand where amounts will; nothing from outside is in such a sentence.
        let marks = ('\u{e000}'..='\u{f8ff}').map(String::from);
        let marked: Vec<(String, Money)> =
            marks.zip(amounts).map(|(mark, (_, amount))| (mark, *amount)).collect();
        let said = amounts
            .iter()
            .zip(&marked)
            .fold(said, |said, ((name, _), (mark, _))| said.with(name, mark.as_str()));
        let mut text = escaped(&self.say(&said));
        for (mark, amount) in &marked {
            text = text.replace(mark.as_str(), &self.rich_money(*amount).0);
        }
        Markup(text)
    }

    /// Plain text as markup.
    pub fn plain(&self, text: &str) -> Markup {
        Markup(escaped(text))
    }

    /// A text from outside as markup, apart from the direction of what is around it.
    pub fn isolated(&self, text: &str) -> Markup {
        Markup(format!("<bdi>{}</bdi>", escaped(text)))
    }

    /// Several pieces of markup one after the other.
    pub fn joined(&self, parts: &[Markup]) -> Markup {
        Markup(parts.iter().map(|part| part.0.as_str()).collect())
    }

    /// Every digit of an amount.
    pub fn exact(&self, amount: Money) -> String {
        figures::exact_money(amount, self.plan.currency, self.language.signs())
    }

    /// Every digit of an amount, with its currency.
    pub fn exact_money(&self, amount: Money) -> String {
        self.language.with_currency(&self.exact(amount), self.plan.currency)
    }

    /// Every digit of a rate.
    pub fn rate(&self, rate: Rate) -> String {
        figures::rate(rate, self.plan.currency, self.language.signs())
    }

    /// Every digit of a quantity.
    pub fn quantity(&self, quantity: Quantity) -> String {
        figures::quantity(quantity, self.language.signs())
    }

    /// A whole number.
    pub fn count(&self, number: usize) -> String {
        self.language.count(number)
    }

    /// A share of a whole in percent; `None` when the whole is not positive.
    pub fn share(&self, part: Money, whole: Money) -> Option<String> {
        figures::share(part, whole, self.language.signs())
    }

    /// A ratio in percent.
    pub fn percent(&self, ratio: Quantity) -> String {
        figures::percent(ratio, self.language.signs())
    }

    /// `4 vCPU, 16 GiB`.
    pub fn size(&self, vcpus: Vcpus, memory: Mib) -> String {
        let memory = figures::memory(memory, self.language.signs());
        self.say(&Said::new("report.size").with("n", vcpus.0).with("memory", memory))
    }

    /// A size with the instruction set where that is not the usual one.
    pub fn size_of(&self, vcpus: Vcpus, memory: Mib, architecture: Architecture) -> String {
        let size = self.size(vcpus, memory);
        match architecture {
            Architecture::X86_64 => size,
            Architecture::Arm64 => format!("{size}, Arm"),
            Architecture::Other => format!("{size}, {}", self.w("report.other-architecture")),
        }
    }

    /// A provider and a region, as people know them.
    pub fn place(&self, provider: &ProviderName, region: &RegionName) -> String {
        format!("{} / {}", words::provider(provider.as_str()), visible(region.as_str()))
    }

    /// A sentence about a part of a list; the holes are `from` and `to`.
    pub fn range(&self, key: &str, from: impl Borrow<usize>, to: impl Borrow<usize>) -> String {
        self.say(&Said::new(key).with("from", *from.borrow()).with("to", *to.borrow()))
    }

    /// A figure that is written already, with the currency.
    pub fn with_currency(&self, figure: &str) -> String {
        self.language.with_currency(figure, self.plan.currency)
    }

    /// `a, b and c`.
    pub fn list(&self, items: &[String]) -> String {
        self.language.list(items)
    }

    /// A unit of the bill in words.
    pub fn unit(&self, unit: &str) -> String {
        let units: BTreeMap<&str, &str> = BTreeMap::from([
            ("hour", "unit.hour"),
            ("GiB-month", "unit.gib-month"),
            ("vCPU-hour", "unit.vcpu-hour"),
            ("month", "unit.month"),
        ]);
        units.get(unit).map_or_else(|| visible(unit), |key| self.w(key).to_owned())
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    Html.write_escaped_str(&mut escaped, text).expect("writing to a string does not fail");
    escaped
}

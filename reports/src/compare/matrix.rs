//! The figures of every plan under each other: rows, cells and sentences that the HTML page and the terminal share.

use carafe_model::comparison::{Column, Comparison, Figures};
use carafe_model::language::{Language, Said, Sentence, figures};
use carafe_model::plan::Component;
use carafe_model::units::{Money, Quantity};

use crate::views::{difference, sum};
use crate::words::visible;

/// Rows that belong together.
#[derive(Clone, Debug)]
pub struct Group {
    /// What they are about.
    pub title: &'static str,
    /// The rows.
    pub rows: Vec<Row>,
}

/// One figure of every plan.
#[derive(Clone, Debug)]
pub struct Row {
    /// What the figure is.
    pub label: String,
    /// One cell for each column.
    pub cells: Vec<Cell>,
    /// Whether the cells are numbers, which stand right.
    pub is_number: bool,
}

impl Row {
    /// The cell of a column.
    pub fn cell(&self, place: &usize) -> &Cell {
        &self.cells[*place]
    }
}

/// A figure in words.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The words; a dash where there is nothing to say.
    pub text: String,
    /// Whether it is the least of its row, where that is good to know.
    pub is_least: bool,
}

impl Cell {
    fn new(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), is_least: false }
    }
}

/// What stands where there is nothing.
pub const NOTHING: &str = "–";

/// Makes the words of one comparison.
pub struct Teller<'c> {
    /// What is said.
    pub comparison: &'c Comparison,
    /// In which language.
    pub language: Language,
}

impl Teller<'_> {
    /// An amount with its currency.
    pub fn money(&self, amount: Money) -> String {
        self.language.money(amount, self.comparison.currency)
    }

    /// A difference with its sign, or words for none.
    pub fn change(&self, amount: Money) -> String {
        match amount.0 {
            0 => self.language.word("compare.same").to_owned(),
            more if more > 0 => format!("+{}", self.money(amount)),
            _ => self.money(amount),
        }
    }

    fn said(&self, key: &str) -> Said {
        Said::new(key)
    }

    /// A sentence in the language, or as it stands where it does not remember what it says.
    pub fn sentence(&self, sentence: &Sentence) -> String {
        let said = sentence.said().and_then(|said| self.language.try_say(said));
        visible(&said.unwrap_or_else(|| sentence.to_string()))
    }

    /// The number and name of a column.
    pub fn name(&self, column: &Column) -> String {
        visible(&column.name)
    }

    /// What a component is called.
    pub fn component(&self, component: Component) -> &'static str {
        self.language.word(match component {
            Component::Machine => "compare.component.machine",
            Component::Disk => "compare.component.disk",
            Component::Licence => "compare.component.licence",
            Component::Egress => "compare.component.egress",
            Component::LoadBalancer => "compare.component.load-balancer",
            Component::Address => "compare.component.address",
            Component::Nat => "compare.component.nat",
            Component::Kubernetes => "compare.component.kubernetes",
            Component::Opening => "compare.component.opening",
            Component::Support => "compare.component.support",
            Component::Managed => "compare.component.managed",
            Component::Other => "compare.component.other",
        })
    }

    /// The answer in a sentence.
    pub fn lead(&self) -> String {
        let columns = &self.comparison.columns;
        let feasible = columns.iter().filter_map(|column| Some((column, column.feasible()?)));
        let Some((best, figures)) = feasible.min_by_key(|(_, figures)| figures.monthly) else {
            return self.language.word("compare.none-feasible").to_owned();
        };
        let mut lead = self.language.say(
            &self
                .said("compare.cheapest")
                .with("n", columns.len())
                .with("name", visible(&best.name))
                .with("money", self.money(figures.monthly)),
        );
        let base = columns.first().and_then(Column::feasible);
        if let Some(base) = base.filter(|base| base.monthly > figures.monthly) {
            let less = self.money(difference(base.monthly, figures.monthly));
            let first = visible(&columns[0].name);
            lead.push(' ');
            lead.push_str(
                &self.language.say(&self.said("compare.less-than").with("money", less).with("name", first)),
            );
        }
        let infeasible = columns.iter().filter(|column| column.infeasible.is_some()).count();
        if infeasible > 0 {
            lead.push(' ');
            lead.push_str(&self.language.say(&self.said("compare.infeasible-count").with("n", infeasible)));
        }
        lead
    }

    /// What makes figures differ for another reason than the decision that is compared.
    pub fn notices(&self) -> Vec<&'static str> {
        let alike = self.comparison.alike;
        let unlike = [
            (alike.estate, "compare.other-estate"),
            (alike.catalog, "compare.other-catalog"),
            (alike.horizon, "compare.other-horizon"),
        ];
        unlike.into_iter().filter(|(is_alike, _)| !is_alike).map(|(_, key)| self.language.word(key)).collect()
    }

    /// Every row, in groups.
    pub fn groups(&self) -> Vec<Group> {
        let months = self.comparison.columns.iter().find_map(|column| column.figures.as_ref());
        let months = months.map_or(0, |figures| figures.horizon_months);
        let horizon = match self.comparison.alike.horizon {
            true => self.language.say(&self.said("compare.over-months").with("n", months)),
            false => self.language.word("compare.over-horizon").to_owned(),
        };
        let word = |key: &str| self.language.word(key).to_owned();
        let mut money = vec![
            self.least(word("compare.month"), |figures| Some(figures.monthly)),
            self.row(word("compare.against-first"), true, |figures| {
                figures.costs_more.map(|more| self.change(more))
            }),
            self.row(word("compare.low"), true, |figures| Some(self.money(figures.monthly_low))),
            self.row(word("compare.high"), true, |figures| Some(self.money(figures.monthly_high))),
            self.row(word("compare.once"), true, |figures| Some(self.money(figures.one_time))),
            self.least(horizon, |figures| Some(figures.horizon)),
        ];
        if self.any(|figures| figures.monthly_list != figures.monthly) {
            let list = self.row(word("compare.list"), true, |figures| Some(self.money(figures.monthly_list)));
            money.insert(1, list);
        }
        if self.any(|figures| figures.today.is_some()) {
            money.push(
                self.row(word("compare.today"), true, |figures| figures.today.map(|today| self.money(today))),
            );
        }
        let components =
            Component::ALL.into_iter().filter(|component| self.any(|f| f.of(*component) != Money::ZERO));
        let components = components.map(|component| {
            self.row(self.component(component).to_owned(), true, |figures| {
                Some(self.money(figures.of(component)))
            })
        });
        let number = |key: &str, of: fn(&Figures) -> u32| {
            self.row(word(key), true, |figures| Some(self.language.count(of(figures) as usize)))
        };
        let signs = self.language.signs();
        vec![
            Group { title: self.language.word("compare.money"), rows: money },
            Group { title: self.language.word("compare.by-component"), rows: components.collect() },
            Group {
                title: self.language.word("compare.proof"),
                rows: vec![
                    self.row(word("compare.bound"), true, |figures| Some(self.money(figures.lower_bound))),
                    self.row(word("compare.gap"), true, |figures| Some(figures::percent(figures.gap, signs))),
                    self.row(word("compare.proven"), false, |figures| {
                        Some(word(if figures.proven { "compare.yes" } else { "compare.no" }))
                    }),
                ],
            },
            Group {
                title: self.language.word("compare.where"),
                rows: vec![
                    number("compare.placed", |figures| figures.placed),
                    number("compare.staying", |figures| figures.staying),
                    number("compare.unplaced", |figures| figures.unplaced),
                    number("compare.providers", |figures| {
                        u32::try_from(figures.by_provider.len()).unwrap_or(u32::MAX)
                    }),
                    self.row(word("compare.hosts-by-provider"), false, |figures| {
                        let each = figures.by_provider.iter();
                        let each = each.map(|of| format!("{} {}", visible(of.provider.as_str()), of.hosts));
                        Some(each.collect::<Vec<_>>().join(", ")).filter(|text| !text.is_empty())
                    }),
                    self.row(word("compare.regions"), false, |figures| {
                        let regions = figures.regions.iter().map(|region| visible(region));
                        Some(regions.collect::<Vec<_>>().join(", ")).filter(|text| !text.is_empty())
                    }),
                    self.row(word("compare.round-trip"), true, |figures| {
                        let longest = figures.longest_round_trip_ms?;
                        Some(figures::quantity(longest, self.language.signs()))
                    }),
                ],
            },
            Group {
                title: self.language.word("compare.road"),
                rows: vec![
                    number("compare.waves", |figures| figures.waves),
                    number("compare.steps", |figures| figures.steps),
                    number("compare.manual", |figures| figures.manual_steps),
                ],
            },
            Group {
                title: self.language.word("compare.risk"),
                rows: vec![
                    self.row(word("compare.estimated"), true, |figures| Some(self.money(figures.estimated))),
                    number("compare.errors", |figures| figures.findings[0]),
                    number("compare.warnings", |figures| figures.findings[1]),
                    number("compare.notes", |figures| figures.findings[2]),
                ],
            },
            Group {
                title: self.language.word("compare.made-from"),
                rows: vec![
                    self.row(word("compare.catalog"), false, |figures| Some(visible(&figures.catalog))),
                    self.row(word("compare.estate"), false, |figures| Some(short(&figures.estate_sha256))),
                    self.row(word("compare.policy"), false, |figures| Some(short(&figures.policy_sha256))),
                ],
            },
        ]
    }

    /// The plans under each other, for when they do not fit beside each other: headings, and a row of cells for each plan.
    pub fn overview(&self) -> (Vec<Row>, Vec<String>) {
        let word = |key: &str| self.language.word(key).to_owned();
        let names = self.comparison.columns.iter().enumerate();
        let names = names.map(|(place, column)| format!("{} {}", place + 1, self.name(column))).collect();
        let rows = vec![
            self.least(word("compare.month"), |figures| Some(figures.monthly)),
            self.row(word("compare.against-first"), true, |figures| {
                figures.costs_more.map(|more| self.change(more))
            }),
            self.least(word("compare.over-horizon"), |figures| Some(figures.horizon)),
            self.row(word("compare.unplaced"), true, |figures| Some(figures.unplaced.to_string())),
            self.row(word("compare.hosts-by-provider"), false, |figures| {
                let each = figures.by_provider.iter();
                let each = each.map(|of| format!("{} {}", visible(of.provider.as_str()), of.hosts));
                Some(each.collect::<Vec<_>>().join(", ")).filter(|text| !text.is_empty())
            }),
        ];
        (rows, names)
    }

    /// What each component costs more than in the first column, the whole last; nothing when only one can be held up.
    pub fn why(&self) -> Vec<Row> {
        let columns = &self.comparison.columns;
        let Some(base) = columns.first().and_then(|column| column.figures.as_ref()) else {
            return Vec::new();
        };
        let held = |figures: &Figures| figures.costs_more.is_some();
        let mut rows = Vec::new();
        for component in Component::ALL {
            let more = |figures: &Figures| difference(figures.of(component), base.of(component));
            if self.any(|figures| held(figures) && more(figures) != Money::ZERO) {
                rows.push(self.row(self.component(component).to_owned(), true, |figures| {
                    held(figures).then(|| self.change(more(figures)))
                }));
            }
        }
        if !rows.is_empty() {
            let total = self.language.word("compare.together").to_owned();
            rows.push(self.row(total, true, |figures| figures.costs_more.map(|more| self.change(more))));
        }
        rows
    }

    fn any(&self, is_so: impl Fn(&Figures) -> bool) -> bool {
        self.comparison.columns.iter().filter_map(|column| column.figures.as_ref()).any(is_so)
    }

    fn row(&self, label: String, is_number: bool, of: impl Fn(&Figures) -> Option<String>) -> Row {
        let cell = |column: &Column| {
            Cell::new(column.figures.as_ref().and_then(&of).unwrap_or_else(|| NOTHING.to_owned()))
        };
        Row { label, cells: self.comparison.columns.iter().map(cell).collect(), is_number }
    }

    /// A row of money in which the least of the plans that place every host is marked.
    fn least(&self, label: String, of: fn(&Figures) -> Option<Money>) -> Row {
        let mut row = self.row(label, true, |figures| of(figures).map(|amount| self.money(amount)));
        let amounts: Vec<Option<Money>> =
            self.comparison.columns.iter().map(|column| column.feasible().and_then(of)).collect();
        let least = amounts.iter().flatten().min().copied();
        let most = amounts.iter().flatten().max().copied();
        for (cell, amount) in row.cells.iter_mut().zip(amounts) {
            cell.is_least = amount.is_some() && amount == least && least != most;
        }
        row
    }
}

/// The first digits of a hash: enough to tell two apart.
fn short(hash: &str) -> String {
    visible(hash).chars().take(12).collect()
}

/// What a component costs in one plan.
trait OfComponent {
    fn of(&self, component: Component) -> Money;
}

impl OfComponent for Figures {
    fn of(&self, component: Component) -> Money {
        sum(self.by_component.iter().filter(|sum| sum.component == component).map(|sum| sum.monthly))
    }
}

/// A count of the other thing on a front: whole numbers only.
pub(crate) fn whole(value: Quantity) -> i64 {
    value.0 / 1_000_000
}

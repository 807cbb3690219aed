//! The report as a JSON document, for programs: the same tables, figures as exact decimal strings.

use std::collections::BTreeMap;

use carafe_model::document::Document;
use carafe_model::language::Language;
use carafe_model::plan::Plan;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::views::tables::{Cell, tables};
use crate::voice::Voice;

/// The document `report/1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReportDocument {
    /// Kind and version of this document: `report/1`.
    pub carafe: String,
    /// The name of the estate.
    pub name: String,
    /// The language of texts and titles, as BCP 47 writes it.
    pub language: String,
    /// The currency of all money.
    pub currency: String,
    /// The tables in the order of the report.
    pub tables: Vec<TableDocument>,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableDocument {
    /// Its name, the same in every language, for example `bill`.
    pub name: String,
    /// What people call it.
    pub title: String,
    /// What people call its columns, by key.
    pub columns: BTreeMap<String, String>,
    /// Its rows by column; a cell with nothing to say is left out. Money, rates and quantities are decimal strings with
    /// every digit.
    pub rows: Vec<BTreeMap<String, String>>,
}

impl Document for ReportDocument {
    const KIND: &'static str = "report";
    const VERSION: u32 = 1;
}

/// Writes the report as JSON.
pub fn json(plan: &Plan, language: Language) -> String {
    let voice = Voice::new(plan, language);
    let tables = tables(&voice).into_iter().map(|table| {
        let row = |cells: Vec<Cell>| {
            let keys = table.columns.iter().map(|column| column.key.to_owned());
            keys.zip(cells).filter_map(|(key, cell)| Some((key, written(cell)?))).collect()
        };
        TableDocument {
            name: table.name.to_owned(),
            title: table.title,
            rows: table.rows.into_iter().map(row).collect(),
            columns: table
                .columns
                .iter()
                .map(|column| (column.key.to_owned(), column.title.clone()))
                .collect(),
        }
    });
    let document = ReportDocument {
        carafe: ReportDocument::header(),
        name: plan.name.clone(),
        language: language.code().to_owned(),
        currency: plan.currency.code().to_owned(),
        tables: tables.collect(),
    };
    document.to_json()
}

fn written(cell: Cell) -> Option<String> {
    match cell {
        Cell::Empty => None,
        Cell::Text(text) => Some(text),
        Cell::Count(number) => Some(number.to_string()),
        Cell::Money(amount) => Some(amount.to_string()),
        Cell::Rate(rate) => Some(rate.to_string()),
        Cell::Quantity(quantity) => Some(quantity.to_string()),
    }
}

//! Says a plan to people.
//!
//! A report goes three steps: [`views`] decides *what* is said (which figures, in which order, in which words), `draw`
//! decides *where* the marks of a figure stand, and [`render`] decides *how* it is said (HTML, a workbook, CSV, JSON, Markdown, text). The text with
//! holes is in `templates/` beside this crate. [`report::REPORTS`] lists every form there is.
//!
//! The only input is a [`carafe_model::plan::Plan`]: no file, no network, no clock, no environment. The same plan gives
//! the same bytes. A plan may come from a file that somebody edited, so every text in it is treated as hostile and
//! every figure is added up again. Read [`report`] first.

pub mod report;

pub mod figures;

pub mod words;

pub mod voice;

pub mod views;

pub mod draw;

pub mod render;

pub mod run_page;

pub mod compare;

pub mod batch;

pub use render::csv::csv;
pub use render::html::html;
pub use render::json::{ReportDocument, json};
pub use render::markdown::markdown;
pub use render::text::text;
pub use render::xlsx::xlsx;
pub use report::{REPORTS, Report};
pub use run_page::run_html;

//! Says several plans side by side.
//!
//! [`compare`] makes the document `comparison/1` of plans; [`html`] and [`text`] say it to people. What both say is laid
//! out once in [`matrix`]: the rows, their order and their words.

pub mod differences;

pub mod html;

pub mod matrix;

pub mod text;

pub use differences::{Entry, compare};

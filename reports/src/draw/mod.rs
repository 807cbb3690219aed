//! Figures as SVG: where the marks stand. Colours and type are in the style sheet of the page.

pub mod bars;
pub(crate) mod graph;
pub(crate) mod lines;

pub(crate) mod front;

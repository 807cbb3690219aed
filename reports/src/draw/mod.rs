//! Figures as SVG: where the marks stand. Colours and type are in the style sheet of the page.

pub(crate) mod bars;

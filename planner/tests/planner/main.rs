//! Whole plans on small estates: what they say, the laws they obey, and the judge that refuses changed ones.

mod common;
mod contracts;

mod plans;

mod prices;

mod joint;
mod laws;
mod mps;

mod check;

mod second_opinion;

//! What every driver promises, and what each does in its own way.
//!
//! [`contract`] is the one suite for all. A driver takes part with a [`World`](contract::World) and one test that calls
//! [`contract::suite`] with it.

mod contract;
#[expect(dead_code, reason = "tests/spider passes traffic on and writes it down with the rest of it")]
mod exchange;
mod fake;
mod matrix;
mod spider;
mod spider_world;

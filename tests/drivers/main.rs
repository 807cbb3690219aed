//! What every driver promises, and what each does in its own way.
//!
//! [`contract`] is the one suite for all. A driver takes part with a [`World`](contract::World) and one test that calls
//! [`contract::suite`] with it.

mod contract;
mod fake;
mod matrix;

//! Carafe's planner.

pub mod solve;

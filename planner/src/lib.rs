//! Carafe's planner.

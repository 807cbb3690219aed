//! Carafe's reports.

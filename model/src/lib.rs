//! Carafe's words as plain data.
//!
//! An **estate** is all that is inventoried: **hosts** (source machines), the **flows** between them, and the **apps**,
//! **load balancers** and **clusters** they form. A **catalog** is what clouds sell; frozen with a date and a hash it is
//! a **snapshot**, and one thing sold is an **offer**. The **policy** says what the user demands and prefers. From these
//! three the planner makes a **plan**: a **placement** for each host, a **bill** whose every line names its rate, a
//! **bound** that says how close to the optimum it is, **waves** that say who moves when, and **steps** that the executor
//! carries out. Whatever is wrong or worth knowing on the way is a **finding** with a code and a place.
//!
//! This crate holds those types and nothing that acts: no input or output, no clock, no environment, no threads. Money
//! is exact ([`units`]), every reference is typed ([`ids`], [`idx`]), and every document is versioned ([`document`]).
//! Read [`estate`], [`catalog`], [`policy`] and [`plan`] first, in that order.

pub mod units;

pub mod ids;

pub mod idx;

pub mod language;

pub mod finding;

pub mod document;

pub mod inside;

pub mod host;

pub mod estate;

pub mod overrides;

pub mod catalog;

pub mod snapshot;

pub mod policy;

pub mod constraints;

pub mod contract;

pub mod toml_reader;

pub mod policy_file;

pub mod plan;

pub mod plan_check;

pub mod comparison;

pub mod batch;

pub mod steps;

pub mod what_if;

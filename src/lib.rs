//! The program behind the `carafe` command: everything that touches the world.
//!
//! The crates below this one only compute: `carafe_inventory` turns bytes into an estate or a catalog,
//! `carafe_planner` turns both into a plan, and `carafe_reports` says a plan to people. What they need from the world
//! comes from here: files, the environment, the clock, the network, the journal.
//!
//! [`cli`] is what the user types, one file per command. A command turns its arguments into a request, calls one
//! function of a library, and prints one result; nothing uses `cli`. The environment is read in [`settings`] alone,
//! files are touched in [`files`], [`inputs`] turns files into documents, and [`error`] alone decides how the
//! program ends.

pub mod cli;

pub mod error;

pub mod settings;

pub mod files;

pub mod inputs;

pub mod catalogs;

pub mod planning;

pub mod batch;

pub mod run_id;

pub mod collect;

pub mod drivers;

pub mod store;

pub mod executor;

pub mod hooks;

pub mod http;

pub mod opentofu;

pub mod sync;

mod yaml;

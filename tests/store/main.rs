//! The promises of the trait `Journal`, kept by every journal alike, and what PostgreSQL's adds for workers.

#[path = "../servers/mod.rs"]
mod servers;

mod postgres;
mod promises;
mod queue;

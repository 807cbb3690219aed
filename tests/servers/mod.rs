//! Real servers for tests: started in a temporary folder, stopped by their process, gone with the value.
//!
//! Not a test of its own: `#[path = "../servers/mod.rs"] mod servers;` in the tests that need one.

pub mod postgres;

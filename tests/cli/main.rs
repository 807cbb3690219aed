//! The program as a user meets it: the real binary, in folders of its own.

mod anonymous;
mod around;
mod bad_exports;
mod batching;
mod carried_out;
mod comparing;
mod connecting;
mod demo;
mod explaining;
mod guarded;
mod help;
mod planning;
mod refused;
mod streams;
mod support;
mod switching;

//! Carafe's inventory: bytes in, documents and findings out.

pub mod input;

pub mod text;

pub mod number;

pub mod json;

pub mod raw;

pub mod normalise;

pub mod limits;

pub use input::InputFile;

pub mod catalog;

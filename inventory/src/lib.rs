//! Carafe's inventory: bytes in, documents and findings out.

pub mod input;

pub use input::InputFile;

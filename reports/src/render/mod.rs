//! How it is said: one file per form.

pub mod html;
pub mod text;

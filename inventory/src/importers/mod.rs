//! One module for each format.

pub mod carafe;

pub mod honeybee;

pub mod rvtools;

//! The importers of estates from outside: bytes in, estate and findings out.

mod support;

mod demo;

mod honeybee;

mod rvtools;

//! The importers of estates from outside: bytes in, estate and findings out.

mod support;

mod honeybee;

mod rvtools;

mod tables;

mod traffic;

mod measured;

mod graphs;

mod clouds;

mod merging;

mod validating;

mod overriding;
mod robust;

mod fuzz;

mod codes;

mod demo;

//! AWS at first hand: EC2, Elastic Load Balancing and EKS, asked over the one HTTP client.

mod client;
mod credentials;
mod fault;
mod sign;
pub mod xml;

pub use client::{Api, Client, EC2, ELB, Query, STS};

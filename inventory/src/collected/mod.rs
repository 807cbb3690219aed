//! What live collection brings home, one module for each source. The collectors only fetch; what it means is read here.

pub mod answers;

pub mod ssh;

mod vsphere;

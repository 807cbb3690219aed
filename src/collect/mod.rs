//! Collection from live systems, without agents. A collector fetches what a system says of itself and keeps it word for
//! word; what it means is read by the inventory, in which everything is pure, with the importer that also reads the same
//! answers from files.

mod asking;

pub mod kubernetes;

pub mod libvirt;

pub mod prometheus;

pub mod ssh;

pub mod vsphere;

use carafe_inventory::collected::answers::Answer;
use carafe_model::finding::Finding;

/// A kind of system that can be collected from.
pub struct Collector {
    /// What users call it: `carafe inventory collect NAME`.
    pub name: &'static str,
    /// What is asked.
    pub asks: &'static str,
}

/// Every collector, in the order of the help text.
pub const COLLECTORS: &[Collector] = &[
    Collector { name: "ssh", asks: "Linux hosts, with a script over the user's own OpenSSH" },
    Collector { name: "kubernetes", asks: "the API server of a cluster, by a kubeconfig" },
    Collector { name: "vsphere", asks: "a vCenter or an ESXi host, by SOAP and REST" },
    Collector { name: "libvirt", asks: "a hypervisor, with virsh" },
    Collector { name: "prometheus", asks: "a Prometheus server for the use of hosts, added to an estate" },
];

/// What came of asking one system.
#[derive(Debug, Default)]
pub struct Collected {
    /// What was answered, for the reader of this kind.
    pub answers: Vec<Answer>,
    /// What could not be had.
    pub findings: Vec<Finding>,
}

/// Why nothing at all could be collected.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct Refused {
    /// What went wrong, without credentials.
    pub what: String,
    /// What to do.
    pub help: String,
}

impl Refused {
    fn because(what: impl Into<String>, help: impl Into<String>) -> Refused {
        Refused { what: what.into(), help: help.into() }
    }
}

/// Every code that collection can report, and what it means and what to do about it.
pub const CODES: &[(&str, &str)] = &[
    (
        "COL-1001",
        "A host could not be reached or refused to let us in. The message says what SSH said; try it by hand.",
    ),
    (
        "COL-1002",
        "A host did not come to an end in its time and was given up. Try it by hand, or raise --timeout.",
    ),
    ("COL-1003", "A host answered with more than is taken from one, and was given up. Try it by hand."),
    (
        "COL-1004",
        "The connection ended in the middle, or what came is not what the script writes. Try the host by hand.",
    ),
    (
        "COL-1010",
        "A part of a system could not be asked; the rest is kept. The message says why; collect again, or with more rights.",
    ),
    ("COL-1011", "A system does not offer something that would tell more. Nothing needs to be done."),
    (
        "COL-1012",
        "A system answered with more than is taken from one; what came before is kept. Collect it in several parts.",
    ),
];

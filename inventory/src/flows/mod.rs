//! Traffic: logs of flows and dumps of connections become flows between hosts of an estate.
//!
//! Every format of [`FLOW_FORMATS`] feeds one [`Traffic`], which keeps sums and no records, so that memory depends on how
//! many pairs of machines speak and not on how long the log is. [`add`] then finds the hosts behind addresses. A
//! connection of which no bytes are known stays a flow of unknown volume. Codes: `INV-6xxx`.

mod apply;

mod aws;

mod azure;

mod google;

mod sockets;

mod table;

mod traffic;

use std::borrow::Cow;
use std::io::Read as _;

use carafe_model::estate::Estate;
use carafe_model::finding::{Finding, Place};

pub use apply::INTERNET;
pub use sockets::{Socket, add_sockets, sockets};
pub use traffic::{End, Opener, Record, Traffic};

use crate::glance::Glance;
use crate::input::InputFile;

/// A format that traffic is read from.
pub struct FlowFormat {
    /// What users call it, for example with `--as`.
    pub name: &'static str,
    /// One line for help texts.
    pub summary: &'static str,
    /// Whether the file looks like this format, at a glance.
    pub sniff: fn(&Glance<'_>) -> bool,
    /// Adds what a file says. Never panics, whatever the bytes.
    pub read: fn(&InputFile<'_>, &mut Traffic, &mut Vec<Finding>),
}

/// Every format, in the order in which they are tried.
pub const FLOW_FORMATS: &[FlowFormat] = &[
    FlowFormat {
        name: "aws-flow-log",
        summary: "AWS VPC flow log, versions 2 to 5, with or without a header line, plain or gzip",
        sniff: aws::sniff,
        read: aws::read,
    },
    FlowFormat {
        name: "azure-flow-log",
        summary: "Azure flow log of a network security group or a virtual network (JSON)",
        sniff: azure::sniff,
        read: azure::read,
    },
    FlowFormat {
        name: "google-flow-log",
        summary: "Google VPC flow log (JSON, a list or one record on each line)",
        sniff: google::sniff,
        read: google::read,
    },
    FlowFormat {
        name: "conntrack",
        summary: "connections that the kernel tracks (conntrack -L, /proc/net/nf_conntrack)",
        sniff: sockets::sniff_conntrack,
        read: sockets::read_conntrack,
    },
    FlowFormat {
        name: "ss",
        summary: "sockets as ss prints them (ss -tun, with or without header, -i, -p)",
        sniff: sockets::sniff_ss,
        read: sockets::read_ss,
    },
    FlowFormat {
        name: "csv",
        summary: "table of flows (CSV): NetFlow or IPFIX exports, Azure Migrate and AWS dependencies, or your own",
        sniff: table::sniff,
        read: table::read,
    },
];

/// What came of adding traffic.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Seconds that the records cover; `None` when they carry no times.
    pub seconds: Option<u64>,
    /// How many records were read.
    pub records: u64,
    /// Flows that the estate did not have before.
    pub added: usize,
    /// Flows of the estate whose volume is known now and was not before.
    pub filled: usize,
}

/// Adds the traffic of files to an estate. `seconds` is how long they cover, for those that do not say.
pub fn add(
    estate: &mut Estate,
    files: &[InputFile<'_>],
    format: Option<&str>,
    seconds: Option<u64>,
    findings: &mut Vec<Finding>,
) -> Summary {
    let mut traffic = Traffic::default();
    for file in files {
        let bytes = match unpacked(file) {
            Ok(bytes) => bytes,
            Err(finding) => {
                findings.push(*finding);
                continue;
            }
        };
        let file = InputFile { name: file.name, bytes: &bytes };
        let glance = Glance::at(file);
        let found = match format {
            Some(name) => FLOW_FORMATS.iter().find(|format| format.name == name),
            None => FLOW_FORMATS.iter().find(|format| (format.sniff)(&glance)),
        };
        match found {
            Some(format) => (format.read)(&file, &mut traffic, findings),
            None => findings.push(
                Finding::error("INV-6001", "no reader of traffic knows this file")
                    .at(Place::file(file.name))
                    .help(format!("the formats are {}; name one if it is one of them", names())),
            ),
        }
    }
    apply::to_estate(estate, traffic, seconds, findings)
}

fn names() -> String {
    FLOW_FORMATS.iter().map(|format| format.name).collect::<Vec<_>>().join(", ")
}

/// The bytes of a file, unpacked if it is gzip. Flow logs shrink to a tenth or less; what unpacks to two hundred times
/// its size is no log.
fn unpacked<'a>(file: &InputFile<'a>) -> Result<Cow<'a, [u8]>, Box<Finding>> {
    const GZIP: &[u8] = &[0x1f, 0x8b];
    if !file.bytes.starts_with(GZIP) {
        return Ok(Cow::Borrowed(file.bytes));
    }
    let limit = (file.bytes.len() as u64).saturating_mul(200).saturating_add(1 << 20);
    let mut bytes = Vec::new();
    let outcome = flate2::read::MultiGzDecoder::new(file.bytes).take(limit + 1).read_to_end(&mut bytes);
    let broken = |what: &str| Finding::error("INV-6002", what).at(Place::file(file.name));
    if outcome.is_err() {
        return Err(Box::new(
            broken("the gzip file is cut short or damaged").help("download or copy it again"),
        ));
    }
    if bytes.len() as u64 > limit {
        return Err(Box::new(
            broken("the gzip file unpacks to far more than a log can")
                .help("unpack it yourself if it is real"),
        ));
    }
    Ok(Cow::Owned(bytes))
}

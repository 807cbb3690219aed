//! One file for each format of price lists, and the one list of them.
//!
//! An importer reads whatever files of its format an import has, together: pages of prices and the list of machines that
//! they speak of come in separate files. It enters what they say into a [`Listing`] and judges nothing.

mod alibaba;
mod aws;
mod aws_csv;
mod aws_state;
mod azure;
mod common;
mod gcp;
mod ibm;
mod ncp;
mod oci;
mod rate_card;
mod skypilot;
mod spider;
mod tencent;
mod tumblebug;

use super::findings::Findings;
use super::listing::Listing;
use super::stream::Opened;

/// What an import is told beside its files.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// What to call the snapshot.
    pub id: &'a str,
    /// The date of prices whose list tells none: `2026-11-22`. Empty when there is none.
    pub as_of: &'a str,
    /// The provider of lists that do not name theirs.
    pub provider: Option<&'a str>,
    /// The region of lists that do not name theirs.
    pub region: Option<&'a str>,
}

/// A format of price lists.
#[derive(Debug)]
pub struct CatalogImporter {
    /// Its name, for `--as`.
    pub name: &'static str,
    /// What it reads, in one line.
    pub summary: &'static str,
    /// Whether a file that begins like this is one.
    pub(super) recognises: fn(head: &str) -> bool,
    /// Reads all files of the format; `None` for the tables of `normalised`, which are read as a set.
    pub(super) read: Option<Read>,
}

/// Reads the files of one format.
type Read = fn(Vec<Opened<'_>>, &Request<'_>, &mut Listing, &mut Findings);

/// Every format, in the order in which files are tried.
pub const CATALOG_IMPORTERS: &[CatalogImporter] = &[
    CatalogImporter {
        name: "aws",
        summary: "AWS Price List: bulk offer files as JSON or CSV, savings plans, answers of GetProducts",
        recognises: aws::recognises,
        read: Some(aws::read),
    },
    CatalogImporter {
        name: "azure",
        summary: "Azure Retail Prices pages together with the Resource SKUs of Microsoft.Compute",
        recognises: azure::recognises,
        read: Some(azure::read),
    },
    CatalogImporter {
        name: "gcp",
        summary: "Google Cloud Billing Catalog SKUs together with compute.machineTypes",
        recognises: gcp::recognises,
        read: Some(gcp::read),
    },
    CatalogImporter {
        name: "oci",
        summary: "Oracle Cloud price list (cetools products)",
        recognises: oci::recognises,
        read: Some(oci::read),
    },
    CatalogImporter {
        name: "alibaba",
        summary: "Alibaba Cloud DescribeInstanceTypes and DescribePrice answers",
        recognises: alibaba::recognises,
        read: Some(alibaba::read),
    },
    CatalogImporter {
        name: "tencent",
        summary: "Tencent Cloud DescribeZoneInstanceConfigInfos answers",
        recognises: tencent::recognises,
        read: Some(tencent::read),
    },
    CatalogImporter {
        name: "ibm",
        summary: "IBM Cloud Global Catalog entries of is.instance with their pricing",
        recognises: ibm::recognises,
        read: Some(ibm::read),
    },
    CatalogImporter {
        name: "ncp",
        summary: "Naver Cloud getProductPriceList answers",
        recognises: ncp::recognises,
        read: Some(ncp::read),
    },
    CatalogImporter {
        name: "spider",
        summary: "CB-Spider vmspec, priceinfo, regionzone and vmimage answers",
        recognises: spider::recognises,
        read: Some(spider::read),
    },
    CatalogImporter {
        name: "tumblebug",
        summary: "CB-Tumblebug specs as JSON, or its cloudspec.csv",
        recognises: tumblebug::recognises,
        read: Some(tumblebug::read),
    },
    CatalogImporter {
        name: "skypilot",
        summary: "SkyPilot catalog tables (vms.csv); needs --provider",
        recognises: skypilot::recognises,
        read: Some(skypilot::read),
    },
    CatalogImporter {
        name: "rate-card",
        summary: "an operator's own prices as CSV or TOML, per machine or per vCPU, GiB and GB, in any currency",
        recognises: rate_card::recognises,
        read: Some(rate_card::read),
    },
    CatalogImporter {
        name: "normalised",
        summary: "Carafe's own CSV tables (regions, specs, prices, …), plain or gzip, known by their headers",
        recognises: super::normalised::recognises,
        read: None,
    },
];

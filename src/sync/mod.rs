//! Price lists from the network: each provider's public or keyed lists into files, which the importers then read.
//!
//! Nothing is imported before everything was fetched, and what was fetched stays in a folder: whoever is interrupted goes
//! on where they stopped, and whoever comes again asks only whether a list has changed. [`SOURCES`] lists what can be
//! fetched; the requests of each are in a file of their own.

pub mod fetch;

mod alibaba;
mod aws;
mod azure;
mod fx;
mod gcp;
mod ibm;
mod ncp;
mod oci;
mod sign;
mod spider;
mod tencent;

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;

use crate::drivers::secret::Secret;
pub use fetch::{Fetcher, SyncError};
pub use fx::exchange_rates;

/// What is fetched, and with what.
#[derive(Clone, Debug, Default)]
pub struct Wish {
    /// Where to ask instead of the provider's own address.
    pub endpoint: Option<String>,
    /// Regions, in the provider's words; all where the provider has one list for all.
    pub regions: Vec<String>,
    /// The key, token, `ID:SECRET` or `user:password` that the provider asks for.
    pub credential: Option<Secret>,
    /// CB-Spider's name of the connection.
    pub connection: Option<String>,
}

/// What a provider's requests come to: files of one format.
type Fetching<'a> = Pin<Box<dyn Future<Output = Result<Vec<PathBuf>, SyncError>> + Send + 'a>>;

/// A provider whose lists can be fetched.
pub struct Source {
    /// Its name on the command line.
    pub name: &'static str,
    /// What is fetched, in one line.
    pub summary: &'static str,
    /// The format of what is fetched.
    pub format: &'static str,
    fetch: for<'a> fn(&'a Fetcher, &'a Wish) -> Fetching<'a>,
}

/// Every provider whose lists can be fetched.
pub const SOURCES: &[Source] = &[
    Source {
        name: "aws",
        summary: "AWS Price List bulk offers and savings plans of the regions named with --region; public",
        format: "aws",
        fetch: |fetcher, wish| Box::pin(aws::fetch(fetcher, wish)),
    },
    Source {
        name: "azure",
        summary: "Azure Retail Prices; public; sizes come from `az vm list-skus`, named with --with",
        format: "azure",
        fetch: |fetcher, wish| Box::pin(azure::fetch(fetcher, wish)),
    },
    Source {
        name: "gcp",
        summary: "Google Cloud Billing Catalog; needs an API key; machine types are named with --with",
        format: "gcp",
        fetch: |fetcher, wish| Box::pin(gcp::fetch(fetcher, wish)),
    },
    Source {
        name: "oci",
        summary: "Oracle Cloud price list; public",
        format: "oci",
        fetch: |fetcher, wish| Box::pin(oci::fetch(fetcher, wish)),
    },
    Source {
        name: "ibm",
        summary: "IBM Cloud Global Catalog of VPC machines; public",
        format: "ibm",
        fetch: |fetcher, wish| Box::pin(ibm::fetch(fetcher, wish)),
    },
    Source {
        name: "alibaba",
        summary: "Alibaba Cloud machines of the regions named with --region; needs a key as ID:SECRET",
        format: "alibaba",
        fetch: |fetcher, wish| Box::pin(alibaba::fetch(fetcher, wish)),
    },
    Source {
        name: "tencent",
        summary: "Tencent Cloud machines of the regions named with --region; needs a key as ID:SECRET",
        format: "tencent",
        fetch: |fetcher, wish| Box::pin(tencent::fetch(fetcher, wish)),
    },
    Source {
        name: "ncp",
        summary: "Naver Cloud servers; needs a key as ID:SECRET",
        format: "ncp",
        fetch: |fetcher, wish| Box::pin(ncp::fetch(fetcher, wish)),
    },
    Source {
        name: "spider",
        summary: "CB-Spider's prices, specs and zones of a connection; needs --endpoint and --connection",
        format: "spider",
        fetch: |fetcher, wish| Box::pin(spider::fetch(fetcher, wish)),
    },
];

/// The source of a name.
pub fn source(name: &str) -> Option<&'static Source> {
    SOURCES.iter().find(|source| source.name == name)
}

impl Source {
    /// Fetches everything that is wished for; files in the order in which they were asked for.
    ///
    /// # Errors
    /// [`SyncError`], when something could not be had however often it was asked for.
    pub async fn fetch(&self, fetcher: &Fetcher, wish: &Wish) -> Result<Vec<PathBuf>, SyncError> {
        (self.fetch)(fetcher, wish).await
    }
}

/// The address to begin with, without a slash at its end.
fn endpoint<'a>(wish: &'a Wish, usual: &'a str) -> &'a str {
    wish.endpoint.as_deref().unwrap_or(usual).trim_end_matches('/')
}

//! Azure Retail Prices: pages of a thousand rows, by service and region.

use std::path::PathBuf;

use serde_json::Value;

use super::fetch::{Fetcher, SyncError, next_page, url};
use super::{Wish, endpoint};

const ENDPOINT: &str = "https://prices.azure.com";
const SERVICES: [&str; 7] = [
    "Virtual Machines",
    "Storage",
    "Bandwidth",
    "Load Balancer",
    "NAT Gateway",
    "Virtual Network",
    "Azure Kubernetes Service",
];

pub(super) async fn fetch(fetcher: &Fetcher, wish: &Wish) -> Result<Vec<PathBuf>, SyncError> {
    let mut files = Vec::new();
    let everywhere = [String::new()];
    let regions = if wish.regions.is_empty() { &everywhere[..] } else { &wish.regions[..] };
    for service in SERVICES {
        for region in regions {
            let mut first = url(&format!("{}/api/retail/prices", endpoint(wish, ENDPOINT)))?;
            let mut filter = format!("serviceName eq '{service}'");
            if !region.is_empty() {
                filter += &format!(" and armRegionName eq '{}'", region.replace('\'', "''"));
            }
            first
                .query_pairs_mut()
                .append_pair("api-version", "2023-01-01-preview")
                .append_pair("$filter", &filter);
            let mut next = Some(first);
            while let Some(page) = next {
                let (file, answer) = fetcher.json(&page, None).await?;
                files.push(file);
                let link = answer.get("NextPageLink").and_then(Value::as_str).filter(|link| !link.is_empty());
                next = link.map(|link| next_page(&page, link)).transpose()?;
            }
        }
    }
    Ok(files)
}

//! AWS Price List: the index of regions, then each region's offers.

use std::path::PathBuf;

use serde_json::Value;

use super::fetch::{Fetcher, SyncError, url};
use super::{Wish, endpoint};

const ENDPOINT: &str = "https://pricing.us-east-1.amazonaws.com";
/// Machines and disks; then what a plan also pays for. Only the first must be there.
const OFFERS: [&str; 7] =
    ["AmazonEC2", "AWSELB", "AmazonVPC", "AWSDataTransfer", "AmazonEKS", "AmazonS3", "AmazonRDS"];

pub(super) async fn fetch(fetcher: &Fetcher, wish: &Wish) -> Result<Vec<PathBuf>, SyncError> {
    if wish.regions.is_empty() {
        let what = "name the regions of AWS with --region: the offer of each has some hundred megabytes";
        return Err(SyncError::Wish(what.into()));
    }
    let base = endpoint(wish, ENDPOINT);
    let mut files = Vec::new();
    for offer in OFFERS {
        let index = url(&format!("{base}/offers/v1.0/aws/{offer}/current/region_index.json"))?;
        let (_, index) = match fetcher.json(&index, None).await {
            Ok(index) => index,
            Err(SyncError::Server { .. }) if offer != OFFERS[0] => continue,
            Err(error) => return Err(error),
        };
        for region in &wish.regions {
            let path = index.pointer(&format!("/regions/{region}/currentVersionUrl")).and_then(Value::as_str);
            match path {
                Some(path) => files.push(fetcher.list(&url(&format!("{base}{path}"))?, None).await?),
                None if offer == OFFERS[0] => {
                    return Err(SyncError::Wish(format!("AWS has no offer for the region {region}")));
                }
                None => {}
            }
        }
    }
    let index = url(&format!("{base}/savingsPlan/v1.0/aws/AWSComputeSavingsPlan/current/region_index.json"))?;
    if let Ok((_, index)) = fetcher.json(&index, None).await {
        let regions = index.get("regions").and_then(Value::as_array).cloned().unwrap_or_default();
        for region in regions {
            let code = region.get("regionCode").and_then(Value::as_str).unwrap_or_default();
            let path = region.get("versionUrl").and_then(Value::as_str);
            if let Some(path) = path.filter(|_| wish.regions.iter().any(|wished| wished == code)) {
                files.push(fetcher.list(&url(&format!("{base}{path}"))?, None).await?);
            }
        }
    }
    Ok(files)
}

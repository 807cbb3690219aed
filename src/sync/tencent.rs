//! Tencent Cloud: sizes and prices of the machines of each region, by the hour and interruptible.

use std::path::PathBuf;

use super::fetch::{Fetcher, SyncError, url};
use super::sign::{KeyPair, TencentCall, with_query};
use super::{Wish, endpoint};
use crate::run_id;

const ENDPOINT: &str = "https://cvm.tencentcloudapi.com";
/// How a machine may be paid for.
const CHARGES: [&str; 2] = ["POSTPAID_BY_HOUR", "SPOTPAID"];

pub(super) async fn fetch(fetcher: &Fetcher, wish: &Wish) -> Result<Vec<PathBuf>, SyncError> {
    let pair = KeyPair::of(wish.credential.as_ref(), "Tencent Cloud")?;
    if wish.regions.is_empty() {
        return Err(SyncError::Wish("name the regions of Tencent Cloud with --region".into()));
    }
    let base = url(&format!("{}/", endpoint(wish, ENDPOINT)))?;
    let mut files = Vec::new();
    for region in &wish.regions {
        for charge in CHARGES {
            let filter = [("Filters.0.Name", "instance-charge-type"), ("Filters.0.Values.0", charge)];
            let mut address = with_query(&base, &filter);
            // The region is asked for in a header. A fragment is never sent, and keeps the files of regions apart.
            address.set_fragment(Some(region));
            let call = TencentCall {
                service: "cvm",
                action: "DescribeZoneInstanceConfigInfos",
                version: "2017-03-12",
                region,
            };
            let (file, answer) =
                fetcher.json(&address, Some(&|url| pair.tencent(url, &call, run_id::now()))).await?;
            // A refusal comes with the status of success.
            if let Some(refusal) = answer.pointer("/Response/Error/Message").and_then(|said| said.as_str()) {
                let host = address.host_str().unwrap_or_default().to_owned();
                return Err(SyncError::Server { host, message: refusal.to_owned() });
            }
            files.push(file);
        }
    }
    Ok(files)
}

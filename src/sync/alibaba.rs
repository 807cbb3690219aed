//! Alibaba Cloud: what is sold in each region, how large it is, and the price of each.

use std::collections::BTreeSet;
use std::path::PathBuf;

use reqwest::Url;
use serde_json::{Value, json};

use super::Wish;
use super::fetch::{Fetcher, SyncError, url};
use super::sign::{KeyPair, with_query};
use crate::run_id;

const VERSION: &str = "2014-05-26";

pub(super) async fn fetch(fetcher: &Fetcher, wish: &Wish) -> Result<Vec<PathBuf>, SyncError> {
    let pair = KeyPair::of(wish.credential.as_ref(), "Alibaba Cloud")?;
    if wish.regions.is_empty() {
        return Err(SyncError::Wish("name the regions of Alibaba Cloud with --region".into()));
    }
    let mut files = Vec::new();
    for region in &wish.regions {
        let base = match &wish.endpoint {
            Some(endpoint) => url(&format!("{}/", endpoint.trim_end_matches('/')))?,
            None => url(&format!("https://ecs.{region}.aliyuncs.com/"))?,
        };
        let asking = Asking { fetcher, pair: &pair, base, region };
        files.extend(asking.sizes().await?);
        let mut prices = Vec::new();
        for name in asking.sold().await? {
            let parameters =
                [("InstanceType", name.as_str()), ("PriceUnit", "Hour"), ("ResourceType", "instance")];
            let (_, response) = asking.call("DescribePrice", &parameters).await?;
            let request = json!({ "RegionId": region, "InstanceType": name });
            prices.push(json!({ "request": request, "response": response }));
        }
        let bytes = serde_json::to_vec(&prices).expect("it was JSON before");
        files.push(fetcher.keep(&format!("alibaba-{}.json", crate::files::fit_name(region)), &bytes)?);
    }
    Ok(files)
}

/// Calls of one region.
struct Asking<'a> {
    fetcher: &'a Fetcher,
    pair: &'a KeyPair<'a>,
    base: Url,
    region: &'a str,
}

impl Asking<'_> {
    async fn call(&self, action: &str, parameters: &[(&str, &str)]) -> Result<(PathBuf, Value), SyncError> {
        let mut all = parameters.to_vec();
        all.push(("RegionId", self.region));
        let mut address = with_query(&self.base, &all);
        // The call is named in a header. A fragment is never sent, and keeps the files of calls apart.
        address.set_fragment(Some(action));
        let proof = |url: &Url| self.pair.alibaba(url, action, VERSION, run_id::now());
        self.fetcher.json(&address, Some(&proof)).await
    }

    /// Pages of instance types and their sizes.
    async fn sizes(&self) -> Result<Vec<PathBuf>, SyncError> {
        let mut files = Vec::new();
        let mut token = String::new();
        loop {
            let mut parameters = vec![("MaxResults", "100")];
            if !token.is_empty() {
                parameters.push(("NextToken", &token));
            }
            let (file, answer) = self.call("DescribeInstanceTypes", &parameters).await?;
            files.push(file);
            token = answer.get("NextToken").and_then(Value::as_str).unwrap_or_default().to_owned();
            if token.is_empty() {
                return Ok(files);
            }
        }
    }

    /// The instance types that can be had in some zone.
    async fn sold(&self) -> Result<BTreeSet<String>, SyncError> {
        let (_, answer) =
            self.call("DescribeAvailableResource", &[("DestinationResource", "InstanceType")]).await?;
        let list = |value: &Value, path: &str| -> Vec<Value> {
            value.pointer(path).and_then(Value::as_array).cloned().unwrap_or_default()
        };
        let mut sold = BTreeSet::new();
        for zone in list(&answer, "/AvailableZones/AvailableZone") {
            for resource in list(&zone, "/AvailableResources/AvailableResource") {
                for supported in list(&resource, "/SupportedResources/SupportedResource") {
                    let is_there = supported.get("Status").and_then(Value::as_str) == Some("Available");
                    let name = supported.get("Value").and_then(Value::as_str).filter(|_| is_there);
                    sold.extend(name.map(str::to_owned));
                }
            }
        }
        Ok(sold)
    }
}

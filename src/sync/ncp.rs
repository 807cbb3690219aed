//! Naver Cloud: the list prices of servers, by region and page.

use std::path::PathBuf;

use serde_json::Value;

use super::fetch::{Fetcher, SyncError, url};
use super::sign::{KeyPair, with_query};
use super::{Wish, endpoint};
use crate::run_id;

const ENDPOINT: &str = "https://billingapi.apigw.ntruss.com";
/// The region that has every kind of server.
const USUAL_REGION: &str = "KR";
const PAGE: usize = 1000;

pub(super) async fn fetch(fetcher: &Fetcher, wish: &Wish) -> Result<Vec<PathBuf>, SyncError> {
    let pair = KeyPair::of(wish.credential.as_ref(), "Naver Cloud")?;
    let base = url(&format!("{}/billing/v1/product/getProductPriceList", endpoint(wish, ENDPOINT)))?;
    let usual = [USUAL_REGION.to_owned()];
    let regions = if wish.regions.is_empty() { &usual[..] } else { &wish.regions[..] };
    let mut files = Vec::new();
    for region in regions {
        for page in 1.. {
            let (number, size) = (page.to_string(), PAGE.to_string());
            let address = with_query(
                &base,
                &[
                    ("regionCode", region),
                    ("productItemKindCode", "VSVR"),
                    ("pageNo", &number),
                    ("pageSize", &size),
                    ("responseFormatType", "json"),
                ],
            );
            let (file, answer) = fetcher.json(&address, Some(&|url| pair.ncp(url, run_id::now()))).await?;
            files.push(file);
            let said = answer.get("getProductPriceListResponse").unwrap_or(&answer);
            let rows = said.get("productPriceList").and_then(Value::as_array).map_or(0, Vec::len);
            let total = said.get("totalRows").and_then(Value::as_u64).unwrap_or(0);
            if rows == 0 || page as u64 * PAGE as u64 >= total {
                break;
            }
        }
    }
    Ok(files)
}

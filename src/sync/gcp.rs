//! Google Cloud Billing Catalog: pages of SKUs of Compute Engine.

use std::path::PathBuf;

use reqwest::header::HeaderName;
use serde_json::Value;

use super::fetch::{Fetcher, SyncError, url};
use super::{Wish, endpoint};

const ENDPOINT: &str = "https://cloudbilling.googleapis.com";
/// Compute Engine.
const SERVICE: &str = "6F81-5844-456A";
/// A key in a header stands in no log of addresses.
const KEY: HeaderName = HeaderName::from_static("x-goog-api-key");

pub(super) async fn fetch(fetcher: &Fetcher, wish: &Wish) -> Result<Vec<PathBuf>, SyncError> {
    let Some(key) = &wish.credential else {
        return Err(SyncError::Wish("Google asks for an API key; name it with --credential env:NAME".into()));
    };
    let mut files = Vec::new();
    let mut token = String::new();
    loop {
        let mut page = url(&format!("{}/v1/services/{SERVICE}/skus", endpoint(wish, ENDPOINT)))?;
        page.query_pairs_mut().append_pair("pageSize", "5000");
        if !token.is_empty() {
            page.query_pairs_mut().append_pair("pageToken", &token);
        }
        let (file, answer) = fetcher.json(&page, Some(&|_| vec![(KEY, key.expose().to_owned())])).await?;
        files.push(file);
        token = answer.get("nextPageToken").and_then(Value::as_str).unwrap_or_default().to_owned();
        if token.is_empty() {
            return Ok(files);
        }
    }
}

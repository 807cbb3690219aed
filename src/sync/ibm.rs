//! IBM Cloud Global Catalog: pages of profiles, and the prices of each.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::fetch::{Fetcher, SyncError, next_page, url};
use super::{Wish, endpoint};

const ENDPOINT: &str = "https://globalcatalog.cloud.ibm.com";

pub(super) async fn fetch(fetcher: &Fetcher, wish: &Wish) -> Result<Vec<PathBuf>, SyncError> {
    let base = endpoint(wish, ENDPOINT);
    let mut entries = Vec::new();
    let mut next = Some(url(&format!("{base}/api/v1?q=is.instance&include=metadata.other&_limit=200"))?);
    while let Some(page) = next {
        let (_, answer) = fetcher.json(&page, None).await?;
        for profile in answer.get("resources").and_then(Value::as_array).into_iter().flatten() {
            let Some(id) = profile.get("id").and_then(Value::as_str) else { continue };
            let prices = url(&format!("{base}/api/v1/{id}/pricing/deployment"))?;
            // Groups of profiles have no price of their own.
            if let Ok((_, pricing)) = fetcher.json(&prices, None).await {
                entries.push(json!({ "profile": profile, "pricing": pricing }));
            }
        }
        let link = answer.get("next").and_then(Value::as_str).filter(|link| !link.is_empty());
        next = link.map(|link| next_page(&page, link)).transpose()?;
    }
    let bytes = serde_json::to_vec(&entries).expect("it was JSON before");
    Ok(vec![fetcher.keep("ibm-profiles.json", &bytes)?])
}

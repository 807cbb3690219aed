//! Oracle Cloud: one public list for all regions.

use std::path::PathBuf;

use super::fetch::{Fetcher, SyncError, url};
use super::{Wish, endpoint};

const ENDPOINT: &str = "https://apexapps.oracle.com/pls/apex/cetools";

pub(super) async fn fetch(fetcher: &Fetcher, wish: &Wish) -> Result<Vec<PathBuf>, SyncError> {
    let list = url(&format!("{}/api/v1/products/?currencyCode=USD", endpoint(wish, ENDPOINT)))?;
    Ok(vec![fetcher.list(&list, None).await?])
}

//! CB-Spider: sizes, zones and prices of one connection.

use std::path::PathBuf;

use reqwest::Url;
use serde_json::Value;

use super::fetch::{BEARER, Fetcher, SyncError, url};
use super::sign::base64;
use super::{Wish, endpoint};

pub(super) async fn fetch(fetcher: &Fetcher, wish: &Wish) -> Result<Vec<PathBuf>, SyncError> {
    let (Some(_), Some(connection)) = (&wish.endpoint, &wish.connection) else {
        let what = "CB-Spider needs --endpoint http://HOST:1024/spider and --connection NAME";
        return Err(SyncError::Wish(what.into()));
    };
    if wish.regions.is_empty() {
        return Err(SyncError::Wish(
            "name the regions whose prices CB-Spider is to tell with --region".into(),
        ));
    }
    let basic = wish.credential.as_ref().map(|credential| basic(credential.expose()));
    let proof = |_: &Url| basic.iter().map(|value| (BEARER, value.clone())).collect();
    let base = endpoint(wish, "");
    let ask = |path: &str| {
        let mut address = url(&format!("{base}/{path}"))?;
        address.query_pairs_mut().append_pair("ConnectionName", connection);
        Ok::<_, SyncError>(address)
    };
    let mut files = Vec::new();
    let mut cloud = None;
    for region in &wish.regions {
        let (file, answer) = fetcher.json(&ask(&format!("priceinfo/vm/{region}"))?, Some(&proof)).await?;
        cloud = cloud.or_else(|| answer.get("CloudName").and_then(Value::as_str).map(str::to_owned));
        files.push(file);
    }
    // These answers do not say which cloud they are of; the prices did.
    for path in ["vmspec", "regionzone"] {
        let (_, mut answer) = fetcher.json(&ask(path)?, Some(&proof)).await?;
        if let (Some(members), Some(cloud)) = (answer.as_object_mut(), &cloud) {
            members.insert("CloudName".into(), Value::from(cloud.as_str()));
        }
        let bytes = serde_json::to_vec(&answer).expect("it was JSON before");
        files.push(
            fetcher.keep(&format!("spider-{}-{path}.json", crate::files::fit_name(connection)), &bytes)?,
        );
    }
    Ok(files)
}

/// `user:password` as HTTP wants it (RFC 7617).
fn basic(credential: &str) -> String {
    format!("Basic {}", base64(credential.as_bytes()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn credentials_are_encoded_as_http_wants_them() {
        assert_eq!(super::basic("Aladdin:open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(super::basic("user:pas"), "Basic dXNlcjpwYXM=");
    }
}

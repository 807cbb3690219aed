//! Registering a cloud in a server: driver, credential, region and connection config, in the order that Spider wants.

use serde_json::{Value, json};

use super::api::Api;
use super::clouds::Cloud;
use super::shape::rows;
use crate::drivers::secret::Secret;
use crate::drivers::{DriverError, ErrorKind};

/// What is to be registered.
#[derive(Debug)]
pub struct Registration<'r> {
    /// The cloud, as Spider names it.
    pub cloud: &'r str,
    /// The name of the connection config; the others are named after it.
    pub connection: &'r str,
    /// The cloud's name of the region.
    pub region: &'r str,
    /// The cloud's name of the zone that is taken when none is asked for; some clouds want one, others take none.
    pub zone: Option<&'r str>,
    /// Parts of the credential, by Spider's names of them.
    pub credential: &'r [(String, Secret)],
}

/// Something that a connection config stands on, and whether it was there already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registered {
    /// `driver`, `credential`, `region` or `connectionconfig`.
    pub what: &'static str,
    /// Its name in the server.
    pub name: String,
    /// Whether it was there already; then it was left as it is.
    pub was_there: bool,
}

/// The names of a credential's parts on a cloud.
///
/// # Errors
/// If the server does not know the cloud, or cannot be asked.
pub async fn credential_parts(api: &Api, cloud: &str) -> Result<Vec<String>, DriverError> {
    let facts = api.read(&["cloudos", "metainfo", &spider_name(cloud)?]).await?;
    Ok(texts(&facts, "Credential"))
}

fn texts(facts: &Value, key: &str) -> Vec<String> {
    rows(facts, key).filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Registers what is not there yet; what bears one of the names already is left as it is.
///
/// # Errors
/// [`ErrorKind::Invalid`] when parts of the credential or the zone are missing, else what the server says. What was registered by then
/// stays, and the same call goes on from there.
pub async fn register(api: &Api, wanted: &Registration<'_>) -> Result<Vec<Registered>, DriverError> {
    let cloud = spider_name(wanted.cloud)?;
    let facts = api.read(&["cloudos", "metainfo", &cloud]).await?;
    let parts = texts(&facts, "Credential");
    // Spider wants exactly the keys that it names for a cloud, and says so only after the region was asked for.
    let has_zones = texts(&facts, "Region").iter().any(|key| key == "Zone");
    if has_zones != wanted.zone.is_some() {
        let what = if has_zones { "wants a zone with its region" } else { "takes no zone with its region" };
        return Err(ErrorKind::Invalid.because(format!("{cloud} {what}")));
    }
    let given = |part: &str| wanted.credential.iter().any(|(name, _)| name.eq_ignore_ascii_case(part));
    let missing: Vec<&str> = parts.iter().map(String::as_str).filter(|part| !given(part)).collect();
    if !missing.is_empty() {
        let what = format!("the credential of {cloud} also has {}", missing.join(", "));
        return Err(ErrorKind::Invalid.because(what));
    }
    let lower = cloud.to_lowercase();
    let driver = format!("{lower}-driver");
    let credential = format!("{}-credential", wanted.connection);
    let region = format!("{}-region", wanted.connection);
    let pairs: Vec<Value> = wanted
        .credential
        .iter()
        .map(|(name, value)| {
            let spelled = parts.iter().find(|part| part.eq_ignore_ascii_case(name)).unwrap_or(name);
            json!({"Key": spelled, "Value": value.expose()})
        })
        .collect();
    let mut place = vec![json!({"Key": "Region", "Value": wanted.region})];
    place.extend(wanted.zone.map(|zone| json!({"Key": "Zone", "Value": zone})));
    let all = [
        (
            "driver",
            driver.clone(),
            json!({
                "DriverName": driver, "ProviderName": cloud,
                // A server with its drivers built in wants a name here and opens no file.
                "DriverLibFileName": format!("{lower}-driver-v1.0.so"),
            }),
        ),
        (
            "credential",
            credential.clone(),
            json!({"CredentialName": credential, "ProviderName": cloud, "KeyValueInfoList": pairs}),
        ),
        (
            "region",
            region.clone(),
            json!({"RegionName": region, "ProviderName": cloud, "KeyValueInfoList": place}),
        ),
        (
            "connectionconfig",
            wanted.connection.to_owned(),
            json!({
                "ConfigName": wanted.connection, "ProviderName": cloud, "DriverName": driver,
                "CredentialName": credential, "RegionName": region,
            }),
        ),
    ];
    let mut registered = Vec::new();
    for (what, name, body) in all {
        let was_there = match api.read(&[what, &name]).await {
            Ok(_) => true,
            Err(DriverError { kind: ErrorKind::NotFound, .. }) => false,
            Err(error) => return Err(error),
        };
        if !was_there {
            api.register(what, body).await?;
        }
        registered.push(Registered { what, name, was_there });
    }
    Ok(registered)
}

fn spider_name(cloud: &str) -> Result<String, DriverError> {
    let known = Cloud::of(cloud).map(|cloud| cloud.spider.to_owned());
    known.ok_or_else(|| ErrorKind::Invalid.because(format!("\"{cloud}\" is none of Spider's clouds")))
}

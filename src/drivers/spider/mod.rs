//! CB-Spider: one REST API in front of twelve clouds, and a cloud of its own in memory for trials.
//!
//! Spider works through a connection config, which is one cloud, one region and one credential that Spider keeps. Every
//! call waits until the cloud is done, and nearly every failure is a sentence under status 500; [`api`] and `prose` deal
//! with that. `owner` says how a resource tells whose it is, `find` reads, `make` and `clear` write, `check` says
//! what would be refused, and `clouds` holds where clouds differ. [`setup`] registers a cloud in a fresh server.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use carafe_model::host::OsFamily;
use carafe_model::ids::{ProviderName, RegionName};
use serde_json::Value;
use tokio::sync::OnceCell;

use super::connections::{Setting, SettingKind, Settings};
use super::images::{Candidate, Named};
use super::rest::base_url;
use super::secret::Secret;
use super::{
    Ability, Access, Capabilities, Driver, DriverEntry, DriverError, ErrorKind, Kind, Observed, Outcome,
    Quota, Removal, Reply, Resource, Sale, Target,
};
use crate::run_id::RunId;

pub mod api;

mod check;
mod clear;
mod clouds;
mod facts;
mod find;
mod inventory;
mod make;
mod owner;
mod prose;
mod sales;
pub mod setup;
mod shape;

use api::{Api, Session};
use clouds::Cloud;
use facts::Facts;
use find::Found;

/// The driver `spider` in the list of drivers.
pub const ENTRY: DriverEntry = DriverEntry {
    name: "spider",
    summary: "CB-Spider 0.13: AWS, Azure, GCP, Alibaba, Tencent, IBM, Oracle, OpenStack, NCP, NHN, KT",
    settings: &[
        needed("endpoint", SettingKind::Text, "the server, for example \"http://127.0.0.1:1024\""),
        needed("connection", SettingKind::Text, "the connection config in the server; it is for one region"),
        Setting {
            identifies: false,
            ..needed(
                "cloud",
                SettingKind::Text,
                "the cloud of the connection config, as Spider names it, for example \"AWS\"",
            )
        },
        may("user", SettingKind::Text, "the user of the server; \"default\" without it"),
        may("password", SettingKind::Secret, "the password of the server; without it none is sent"),
        may(
            "keys",
            SettingKind::File,
            "the folder that private keys are written to; without it no key pair can be made, as Spider tells the key once",
        ),
        may(
            "windows_password",
            SettingKind::Secret,
            "the password of the user Administrator on Windows machines; without it none can be made",
        ),
        may(
            "images",
            SettingKind::Text,
            "images named by hand, for example \"ubuntu 22.04=ami-1, windows=ami-2\"",
        ),
    ],
    support: clouds::SUPPORT,
    open,
};

const fn may(name: &'static str, kind: SettingKind, summary: &'static str) -> Setting {
    Setting { name, kind, required: false, identifies: false, summary }
}

const fn needed(name: &'static str, kind: SettingKind, summary: &'static str) -> Setting {
    Setting { required: true, identifies: true, ..may(name, kind, summary) }
}

fn open(settings: &Settings) -> Result<Arc<dyn Driver>, DriverError> {
    let needed = |name| {
        settings
            .text(name)
            .ok_or_else(|| ErrorKind::Invalid.because(format!("the setting \"{name}\" is missing")))
    };
    let name = needed("cloud")?;
    let cloud = Cloud::of(name).ok_or_else(|| {
        let known: Vec<&str> = clouds::CLOUDS.iter().map(|cloud| cloud.spider).collect();
        ErrorKind::Invalid.because(format!("cloud \"{name}\" is none of Spider's: {}", known.join(", ")))
    })?;
    let windows_password = settings.secret("windows_password").cloned();
    let secrets: Vec<Secret> = windows_password.iter().cloned().collect();
    let api = api_of(needed("endpoint")?, settings.text("user"), settings.secret("password"), &secrets)?;
    Ok(Arc::new(Spider {
        session: Session { api, connection: needed("connection")?.to_owned() },
        cloud,
        capabilities: cloud.capabilities(),
        named: Named::parse(settings.text("images").unwrap_or_default())?,
        keys: settings.file("keys").cloned(),
        windows_password,
        facts: OnceCell::new(),
        images: OnceCell::new(),
    }))
}

/// The server at an address that a user wrote, with or without `/spider` at its end.
///
/// # Errors
/// If it is no web address, or if no client can be made.
pub fn api_of(
    endpoint: &str,
    user: Option<&str>,
    password: Option<&Secret>,
    secrets: &[Secret],
) -> Result<Api, DriverError> {
    let mut base = base_url("endpoint", endpoint)?;
    if base.path() == "/" {
        base.set_path("/spider/");
    }
    Api::new(base, user.unwrap_or("default"), password, secrets)
}

/// One connection config of one server.
struct Spider {
    session: Session,
    cloud: &'static Cloud,
    capabilities: Capabilities,
    named: Named,
    keys: Option<PathBuf>,
    windows_password: Option<Secret>,
    facts: OnceCell<Facts>,
    images: OnceCell<Vec<Candidate>>,
}

impl Spider {
    async fn ensure_it(&self, target: &Target) -> Result<Outcome, DriverError> {
        let facts = self.facts().await?;
        if let Some(found) = self.find(target).await? {
            return self.judge(target, found).await;
        }
        if self.capabilities.of(target.kind) == Some(Ability::Adopts) {
            let what = format!(
                "a {} cannot be made here; \"{}\" is taken once it is there",
                target.kind.words(),
                target.name()
            );
            return Err(ErrorKind::NotFound.because(what));
        }
        let needs = self.needs(target).await?;
        if let Some(refusal) = self.refusals(target, facts).await?.into_iter().next() {
            return Err(refusal);
        }
        match self.make(target, facts, &needs).await {
            Ok(found) => self.resource(target, &found).await.map(Outcome::Made),
            // Somebody was faster, perhaps this very call delivered twice.
            Err(error) if error.kind == ErrorKind::Conflict => match self.find(target).await? {
                Some(found) => self.judge(target, found).await,
                None => Err(error),
            },
            Err(error) => Err(error),
        }
    }

    /// What to say about a resource that bears the target's name already.
    async fn judge(&self, target: &Target, mut found: Found) -> Result<Outcome, DriverError> {
        let adopts = self.capabilities.of(target.kind) == Some(Ability::Adopts);
        let ours = found.owner.as_ref().is_some_and(|owner| owner.key == target.owner.key);
        if !(ours || adopts && found.owner.is_none()) {
            let whose = match &found.owner {
                Some(owner) => format!("belongs to another plan (run {})", owner.run),
                None => "was not made by Carafe".to_owned(),
            };
            let what =
                format!("the name \"{}\" is taken by a {} that {whose}", target.name(), target.kind.words());
            return Err(ErrorKind::Conflict.because(what));
        }
        if !found.registered && ours {
            self.register(target, &found).await?;
            let what = "CB-Spider took it up and does not show it";
            found = self.find(target).await?.ok_or_else(|| ErrorKind::Unknown.because(what))?;
        }
        let differences = self.differences(target, &found);
        if !differences.is_empty() {
            let what =
                format!("{} \"{}\" is there with other settings: ", target.kind.words(), target.name());
            return Err(ErrorKind::Conflict.because(what + &differences.join("; ")));
        }
        if ours {
            self.complete(target, &found).await?;
        }
        let same_run = found.owner.as_ref().is_some_and(|owner| owner.run == target.owner.run);
        let resource = self.resource(target, &found).await?;
        Ok(if ours && same_run { Outcome::AlreadyThere(resource) } else { Outcome::Adopted(resource) })
    }

    async fn observe_it(&self, target: &Target) -> Result<Option<Observed>, DriverError> {
        let Some(found) = self.find(target).await? else { return Ok(None) };
        let differences = self.differences(target, &found);
        Ok(Some(Observed { resource: self.resource(target, &found).await?, differences }))
    }

    async fn check_it(&self, target: &Target) -> Result<Vec<DriverError>, DriverError> {
        let facts = self.facts().await?;
        match self.find(target).await? {
            Some(_) => Ok(Vec::new()),
            None => self.refusals(target, facts).await,
        }
    }

    async fn remove_it(&self, target: &Target) -> Result<Removal, DriverError> {
        let Some(found) = self.find(target).await? else { return Ok(Removal::Absent) };
        let owner = found.owner.as_ref();
        if !owner.is_some_and(|owner| owner.key == target.owner.key && owner.run == target.owner.run) {
            return Ok(Removal::NotOurs);
        }
        self.clear(target.kind, target.name(), &found).await
    }

    async fn access_it(&self) -> Result<Access, DriverError> {
        let facts = self.facts().await?;
        // Registering tries no credential; the first reading of the cloud does.
        self.session.get(&["allvpc"]).await?;
        Ok(Access {
            account: Some(facts.credential.clone()),
            regions: Some(vec![RegionName(facts.region.clone())]),
            warnings: facts.warnings(self.cloud, self.keys.is_some()),
        })
    }

    async fn discard_it(&self, resource: &Resource) -> Result<Removal, DriverError> {
        let all = self.inventory(resource.kind).await?;
        let Some((now, found)) = all.into_iter().find(|(now, _)| now.name == resource.name) else {
            return Ok(Removal::Absent);
        };
        if now.owner != resource.owner {
            return Ok(Removal::NotOurs);
        }
        self.clear(resource.kind, &resource.name, &found).await
    }
}

impl Driver for Spider {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn access(&self) -> Reply<'_, Access> {
        Box::pin(self.access_it())
    }

    fn ensure<'a>(&'a self, target: &'a Target) -> Reply<'a, Outcome> {
        Box::pin(self.ensure_it(target))
    }

    fn observe<'a>(&'a self, target: &'a Target) -> Reply<'a, Option<Observed>> {
        Box::pin(self.observe_it(target))
    }

    fn remove<'a>(&'a self, target: &'a Target) -> Reply<'a, Removal> {
        Box::pin(self.remove_it(target))
    }

    fn list<'a>(
        &'a self,
        _: &'a ProviderName,
        region: &'a RegionName,
        run: Option<&'a RunId>,
    ) -> Reply<'a, Vec<Resource>> {
        Box::pin(async move {
            if self.facts().await?.region != region.as_str() {
                return Ok(Vec::new());
            }
            let mut listed = Vec::new();
            for kind in Kind::ALL {
                listed.extend(self.inventory(kind).await?.into_iter().map(|(resource, _)| resource));
            }
            listed.retain(|found| {
                found.owner.as_ref().is_some_and(|owner| run.is_none_or(|run| owner.run == *run))
            });
            listed.sort_by(|a, b| (a.kind, &a.name, &a.id).cmp(&(b.kind, &b.name, &b.id)));
            Ok(listed)
        })
    }

    fn check<'a>(&'a self, target: &'a Target) -> Reply<'a, Vec<DriverError>> {
        Box::pin(self.check_it(target))
    }

    // Spider names a cloud's quotas in that cloud's own words, and for five clouds only; none can be read as one of ours.
    fn quotas<'a>(&'a self, _: &'a ProviderName, _: &'a RegionName) -> Reply<'a, BTreeMap<Kind, Quota>> {
        Box::pin(std::future::ready(Ok(BTreeMap::new())))
    }

    fn sales<'a>(
        &'a self,
        _: &'a ProviderName,
        region: &'a RegionName,
        types: &'a [String],
    ) -> Reply<'a, BTreeMap<String, Sale>> {
        Box::pin(self.sales_in(region, types))
    }

    // Spider tells nothing about licences.
    fn licences<'a>(
        &'a self,
        _: &'a ProviderName,
        _: &'a RegionName,
    ) -> Reply<'a, BTreeMap<OsFamily, Quota>> {
        Box::pin(std::future::ready(Ok(BTreeMap::new())))
    }

    fn discard<'a>(
        &'a self,
        _: &'a ProviderName,
        _: &'a RegionName,
        resource: &'a Resource,
    ) -> Reply<'a, Removal> {
        Box::pin(self.discard_it(resource))
    }
}

/// The kinds that Spider keeps as resources of their own, and what their addresses are made of.
struct Path {
    kind: Kind,
    /// `POST /R`, `GET /R/{name}`, `GET /allRinfo`, `POST /regR`, `DELETE /cspR/{id}`; also the key of a list.
    path: &'static str,
    /// In `TagSupportResourceType`.
    tag: &'static str,
}

const PATHS: &[Path] = &[
    Path { kind: Kind::Network, path: "vpc", tag: "vpc" },
    Path { kind: Kind::SecurityGroup, path: "securitygroup", tag: "sg" },
    Path { kind: Kind::KeyPair, path: "keypair", tag: "keypair" },
    Path { kind: Kind::Machine, path: "vm", tag: "vm" },
    Path { kind: Kind::Disk, path: "disk", tag: "disk" },
    Path { kind: Kind::LoadBalancer, path: "nlb", tag: "nlb" },
    Path { kind: Kind::KubernetesCluster, path: "cluster", tag: "cluster" },
];

fn path_of(kind: Kind) -> Option<&'static Path> {
    PATHS.iter().find(|path| path.kind == kind)
}

/// The `NameId` of an `IID`.
fn name_id<'v>(info: &'v Value, key: &str) -> &'v str {
    info.get(key).map(|iid| shape::text(iid, "NameId")).unwrap_or_default()
}

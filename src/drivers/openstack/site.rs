//! One region of one OpenStack, and how its services are asked.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, Url};
use serde_json::Value;

use super::json::{rows, text};
use super::keystone::{DEADLINE, Token};
use super::{OpenStack, fault};
use crate::drivers::rest::{Request, base_url};
use crate::drivers::{DriverError, ErrorKind, Ownership, Reply, Status, Target};

/// How long after a failure a reading is tried again.
const AGAIN: [Duration; 2] = [Duration::from_millis(400), Duration::from_millis(1500)];
/// The newest version of Nova's API that is used. 2.47 tells the flavor of a server in words, 2.67 takes the class of a
/// root disk, 2.79 is what every supported release knows; 2.92 would no longer make keys and is not needed.
const NEWEST_NOVA: u64 = 79;
/// The oldest that is enough.
const OLDEST_NOVA: u64 = 47;
/// How many pages of a list are followed; what is longer was not meant.
const MOST_PAGES: usize = 10_000;

/// A service of the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Service {
    /// Nova.
    Compute,
    /// Neutron.
    Network,
    /// Cinder.
    Volume,
    /// Glance.
    Image,
    /// Octavia.
    Balancer,
    /// Placement, which counts what hosts have left.
    Placement,
}

impl Service {
    /// What the catalogue calls it, today's name first, and the version that has to be in its address.
    const fn known(self) -> (&'static [&'static str], Option<&'static str>) {
        match self {
            Service::Compute => (&["compute"], None),
            Service::Network => (&["network"], Some("v2.0")),
            Service::Volume => (&["volumev3", "block-storage", "block-store"], None),
            Service::Image => (&["image"], Some("v2")),
            Service::Balancer => (&["load-balancer"], Some("v2")),
            Service::Placement => (&["placement"], None),
        }
    }

    /// Its name in sentences.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Service::Compute => "Nova",
            Service::Network => "Neutron",
            Service::Volume => "Cinder",
            Service::Image => "Glance",
            Service::Balancer => "Octavia",
            Service::Placement => "Placement",
        }
    }
}

/// Something that was read.
#[derive(Clone, Debug)]
pub(super) struct Found {
    /// What OpenStack calls it.
    pub(super) id: String,
    /// Its name.
    pub(super) name: String,
    /// Whose it is.
    pub(super) owner: Option<Ownership>,
    /// What else its marks say.
    pub(super) more: BTreeMap<String, String>,
    /// Whether it can be used.
    pub(super) status: Status,
    /// Whether all parts of it are there.
    pub(super) complete: bool,
    /// Whether it is being removed.
    pub(super) leaving: bool,
    /// When it was made, so that a later text is a later moment.
    pub(super) created: String,
    /// What the service says about it.
    pub(super) info: Value,
}

impl Found {
    /// What a service says about something, with the marks in its description.
    pub(super) fn described(info: Value) -> Found {
        let marks = super::owner::of_words(text(&info, "description"));
        Found::marked(info, marks)
    }

    /// What a service says about something, with marks from elsewhere.
    pub(super) fn marked(info: Value, marks: super::owner::Marks) -> Found {
        Found {
            id: text(&info, "id").to_owned(),
            name: text(&info, "name").to_owned(),
            owner: marks.owner,
            more: marks.more,
            status: Status::Ready,
            complete: true,
            leaving: false,
            created: text(&info, "created_at").to_owned(),
            info,
        }
    }

    /// Whether it was made for the same step of the same plan.
    pub(super) fn is_for(&self, owner: &Ownership) -> bool {
        self.owner.as_ref().is_some_and(|found| found.key == owner.key)
    }
}

/// A region.
pub(super) struct Site<'a> {
    pub(super) cloud: &'a OpenStack,
    /// As the catalogue calls it.
    pub(super) region: String,
}

impl Site<'_> {
    /// The project that is worked in.
    pub(super) async fn project(&self) -> Result<String, DriverError> {
        Ok(self.cloud.keystone.token().await?.project.clone())
    }

    /// Whether the region has a service.
    pub(super) async fn has(&self, service: Service) -> Result<bool, DriverError> {
        let token = self.cloud.keystone.token().await?;
        Ok(token.endpoint(service.known().0, &self.cloud.interface, &self.region).is_some())
    }

    fn base(&self, service: Service, token: &Token) -> Result<Url, DriverError> {
        let (types, version) = service.known();
        let Some(endpoint) = token.endpoint(types, &self.cloud.interface, &self.region) else {
            let regions = token.regions();
            let what = if regions.contains(&self.region.as_str()) {
                format!("the catalogue of region {} has no {} ({})", self.region, service.words(), types[0])
            } else {
                format!(
                    "the catalogue has no region \"{}\", only {}; name the right one in the connection's \
                     \"region_name\" setting",
                    self.region,
                    regions.join(", ")
                )
            };
            return Err(ErrorKind::NotFound.because(what));
        };
        let mut base = base_url(&format!("the catalogue's address of {}", service.words()), endpoint)?;
        if let Some(version) = version {
            let major = version.split('.').next().unwrap_or(version);
            let has_version = base
                .path()
                .trim_end_matches('/')
                .rsplit('/')
                .next()
                .is_some_and(|end| end.starts_with(major));
            if !has_version {
                let mut path = base.path_segments_mut().expect("an http address has a path");
                path.pop_if_empty().push(version).push("");
            }
        }
        Ok(base)
    }

    /// Asks a service, with a new token when it does not accept the one there is, and again after a failure when nothing
    /// is changed by asking.
    async fn ask(
        &self,
        service: Service,
        method: Method,
        path: &[&str],
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Value, DriverError> {
        let mut waits = AGAIN.iter();
        let mut renewed = false;
        loop {
            let token = self.cloud.keystone.token().await?;
            let mut url = self.base(service, &token)?;
            if !path.is_empty() {
                url.path_segments_mut().expect("an http address has a path").pop_if_empty().extend(path);
            }
            if !query.is_empty() {
                url.query_pairs_mut().extend_pairs(query);
            }
            let mut request = token.sign(Request::new(method.clone(), url, DEADLINE))?;
            if let Some(version) = self.version(service, path).await? {
                let version = HeaderValue::from_str(&version).expect("digits and letters");
                request.headers.insert(HeaderName::from_static("openstack-api-version"), version);
            }
            if let Some(body) = body {
                request = request.json(body);
            }
            let result = match self.cloud.keystone.rest.send(request).await {
                Ok(answer) if answer.status == 401 && !renewed => {
                    renewed = true;
                    self.cloud.keystone.forget(&token).await;
                    continue;
                }
                Ok(answer) if answer.is_success() && answer.body.is_empty() => Ok(Value::Null),
                Ok(answer) if answer.is_success() => answer.json(),
                Ok(answer) => {
                    let (said, neutron) = fault::words(&answer.body);
                    let kind = fault::kind(&answer, &said, &neutron);
                    let said = self.cloud.keystone.rest.clean(&said);
                    Err(kind.because(format!("{} answers {}: {said}", service.words(), answer.status)))
                }
                Err(error) => Err(error),
            };
            let wait = waits.next().filter(|_| method == Method::GET);
            match (result, wait) {
                (Err(DriverError { kind: ErrorKind::Unknown, .. }), Some(wait)) => {
                    tokio::time::sleep(*wait).await;
                }
                (result, _) => return result,
            }
        }
    }

    /// The version of the API that a request asks for.
    async fn version(&self, service: Service, path: &[&str]) -> Result<Option<String>, DriverError> {
        match service {
            Service::Compute if !path.is_empty() => {
                Ok(Some(format!("compute 2.{}", self.nova_version().await?)))
            }
            // Since 1.17 it takes what is asked for as one query and tells what every host has.
            Service::Placement => Ok(Some("placement 1.17".to_owned())),
            Service::Compute | Service::Network | Service::Volume | Service::Image | Service::Balancer => {
                Ok(None)
            }
        }
    }

    /// The version of Nova's API that both sides know, as the number after `2.`.
    pub(super) fn nova_version(&self) -> Reply<'_, u64> {
        Box::pin(self.read_nova_version())
    }

    async fn read_nova_version(&self) -> Result<u64, DriverError> {
        if let Some(known) = self.cloud.cache().nova.get(&self.region) {
            return Ok(*known);
        }
        let told = self.get(Service::Compute, &[], &[]).await?;
        let newest = text(&told, "version/version").strip_prefix("2.").and_then(|minor| minor.parse().ok());
        let newest: u64 = newest.ok_or_else(|| {
            ErrorKind::Invalid.because("the catalogue's address of Nova is not one of its API 2.1")
        })?;
        if newest < OLDEST_NOVA {
            let what =
                format!("Nova knows its API up to 2.{newest}, and 2.{OLDEST_NOVA} (Pike) is needed at least");
            return Err(ErrorKind::Invalid.because(what));
        }
        self.cloud.cache().nova.insert(self.region.clone(), newest.min(NEWEST_NOVA));
        Ok(newest.min(NEWEST_NOVA))
    }

    /// Reads something.
    pub(super) async fn get(
        &self,
        service: Service,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Value, DriverError> {
        self.ask(service, Method::GET, path, query, None).await
    }

    /// Reads something that may not be there.
    pub(super) async fn look(&self, service: Service, path: &[&str]) -> Result<Option<Value>, DriverError> {
        match self.get(service, path, &[]).await {
            Ok(found) => Ok(Some(found)),
            Err(DriverError { kind: ErrorKind::NotFound, .. }) if self.has(service).await? => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Reads a whole list, page by page. `key` is the list's name in the answers.
    pub(super) async fn all(
        &self,
        service: Service,
        path: &[&str],
        query: &[(&str, &str)],
        key: &str,
    ) -> Result<Vec<Value>, DriverError> {
        let mut listed = Vec::new();
        let mut query: Vec<(String, String)> =
            query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        for _ in 0..MOST_PAGES {
            let asked: Vec<(&str, &str)> =
                query.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            let page = self.get(service, path, &asked).await?;
            listed.extend(rows(&page, key).cloned());
            // Only the query of the next page's address counts: a token goes where the catalogue says and nowhere else.
            let links = format!("{key}_links");
            let mut next = rows(&page, &links).filter(|link| text(link, "rel") == "next");
            let address = next.next().map_or_else(|| text(&page, "next"), |link| text(link, "href"));
            let Some((_, next)) = address.split_once('?') else { return Ok(listed) };
            let next = Url::parse(&format!("http://page/?{next}")).map_err(|_| {
                ErrorKind::Unknown.because(format!("{} gives no address of a next page", service.words()))
            })?;
            query = next.query_pairs().into_owned().collect();
        }
        Err(ErrorKind::Unknown.because(format!("a list of {} has no end", service.words())))
    }

    /// Changes something.
    pub(super) async fn change(
        &self,
        service: Service,
        method: Method,
        path: &[&str],
        body: &Value,
    ) -> Result<Value, DriverError> {
        self.ask(service, method, path, &[], Some(body)).await
    }

    /// Makes something.
    pub(super) async fn post(
        &self,
        service: Service,
        path: &[&str],
        body: &Value,
    ) -> Result<Value, DriverError> {
        self.change(service, Method::POST, path, body).await
    }

    /// Removes something; what is gone already counts as removed.
    pub(super) async fn delete(&self, service: Service, path: &[&str]) -> Result<(), DriverError> {
        self.delete_with(service, path, &[]).await
    }

    pub(super) async fn delete_with(
        &self,
        service: Service,
        path: &[&str],
        query: &[(&str, &str)],
    ) -> Result<(), DriverError> {
        match self.ask(service, Method::DELETE, path, query, None).await {
            Ok(_) | Err(DriverError { kind: ErrorKind::NotFound, .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Takes back a part when the rest was refused, so that a refusal leaves nothing. Says what is to be said.
    pub(super) async fn take_back(
        &self,
        service: Service,
        path: &[&str],
        refusal: DriverError,
    ) -> DriverError {
        if refusal.kind == ErrorKind::Unknown {
            return refusal;
        }
        match self.delete(service, path).await {
            Ok(()) => refusal,
            Err(error) => ErrorKind::Unknown.because(format!("{refusal}, and then: {error}")),
        }
    }

    /// What is there under the name of something that a target stands on: of the same run first, then of any run, then of
    /// a person.
    pub(super) async fn needed(
        &self,
        target: &Target,
        kind: crate::drivers::Kind,
        name: &str,
    ) -> Result<Found, DriverError> {
        let found = self.standing(target, kind, name).await?;
        found.ok_or_else(|| {
            ErrorKind::NotFound.because(format!(
                "{} \"{}\" needs {} \"{name}\", which does not exist in {}",
                target.kind.words(),
                target.name(),
                kind.words(),
                self.region
            ))
        })
    }

    /// The same, when it may not be there.
    pub(super) async fn standing(
        &self,
        target: &Target,
        kind: crate::drivers::Kind,
        name: &str,
    ) -> Result<Option<Found>, DriverError> {
        let mut found = self.candidates(kind, Some(name), Some(target)).await?;
        found.retain(|found| !found.leaving && found.complete);
        found.sort_by_key(|found| {
            let run = found.owner.as_ref().map(|owner| owner.run == target.owner.run);
            (std::cmp::Reverse(run), found.created.clone(), found.id.clone())
        });
        Ok(found.into_iter().next())
    }
}

/// How long a service may take to remove something before nobody waits any more.
const LONGEST_REMOVAL: Duration = Duration::from_secs(15 * 60);

/// Waits between looks at something that is being removed, longer each time.
pub(super) struct Patience {
    what: String,
    next: Duration,
    waited: Duration,
}

impl Patience {
    /// For something that is named in the message when it takes too long.
    pub(super) fn with(what: String) -> Patience {
        Patience { what, next: Duration::from_millis(200), waited: Duration::ZERO }
    }

    /// Waits for the next look.
    pub(super) async fn wait(&mut self) -> Result<(), DriverError> {
        if self.waited >= LONGEST_REMOVAL {
            let minutes = LONGEST_REMOVAL.as_secs() / 60;
            let what = format!("{} is still being removed after {minutes} minutes", self.what);
            return Err(ErrorKind::Unknown.because(what));
        }
        tokio::time::sleep(self.next).await;
        self.waited += self.next;
        self.next = (self.next * 2).min(Duration::from_secs(3));
        Ok(())
    }
}

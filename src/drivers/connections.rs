//! Which driver speaks to which provider: `connections.toml`, read with every mistake at once.
//!
//! ```toml
//! [[connection]]
//! name = "seoul"            # unique in the file
//! provider = "ncp"
//! region = "kr"             # optional; without it the connection serves every region of the provider
//! driver = "fake"           # one of DRIVERS; its own settings follow
//! state = "cloud.json"
//! token = "env:CLOUD_TOKEN" # secrets are named, never written down
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use carafe_model::constraints::{Service, Unavailable};
use carafe_model::finding::{Finding, Place};
use carafe_model::ids::{ProviderName, RegionName};

use super::fake::Fake;
use super::secret::{Secret, SecretRef};
use super::{Driver, DriverEntry, DriverError, Kind};

mod binding;

mod read;

pub use binding::Binding;
pub use read::read;

/// What is wrong with a connections file: code, summary, what to do.
pub const CODES: [(&str, &str, &str); 13] = [
    ("CON-001", "not TOML", "see docs/formats/connections.md for a whole example"),
    ("CON-002", "unknown key", "the message names the keys that are known, or the nearest of them"),
    ("CON-003", "wrong type", "see docs/formats/connections.md for a whole example"),
    ("CON-004", "value not allowed", "the message says what is allowed"),
    ("CON-005", "a needed key is missing", "add the key to the connection"),
    (
        "CON-006",
        "two connections say the same",
        "give each its own name, and each provider and region one connection",
    ),
    (
        "CON-007",
        "a secret is written down",
        "name where it is kept: \"env:NAME\", \"file:PATH\" or \"cmd:PROGRAM ARGUMENT\"",
    ),
    (
        "CON-008",
        "a secret cannot be had",
        "set the variable before the command, for example with `export`; or mend the file or command that is named",
    ),
    ("CON-009", "the driver cannot be opened", "mend what the message says about the connection's settings"),
    (
        "CON-010",
        "the cloud cannot be reached",
        "look at the endpoint, the network and whether the service runs, then try again",
    ),
    (
        "CON-011",
        "the credentials are not accepted",
        "mend the credentials that the connection names, then try again",
    ),
    ("CON-012", "the connection does not fit its cloud", "mend the setting that the message names"),
    (
        "CON-013",
        "something to know about the connection",
        "nothing needs to be done unless a plan asks for it",
    ),
];

/// A setting that a driver understands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its key in the file.
    pub name: &'static str,
    /// What kind of value it takes.
    pub kind: SettingKind,
    /// Whether a connection is useless without it.
    pub required: bool,
    /// Whether another value of it means another cloud.
    pub identifies: bool,
    /// What it means, in a line.
    pub summary: &'static str,
}

/// What kind of value a setting takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingKind {
    /// Any text.
    Text,
    /// The path of a file, relative to the folder of the connections file.
    File,
    /// A reference to a secret, such as `env:NAME`.
    Secret,
    /// A whole number from 0.
    Whole,
}

/// A connection as it was read: nothing is opened and no secret is fetched yet.
#[derive(Clone)]
pub struct Connection {
    /// Its name, unique in the file.
    pub name: String,
    /// The provider it serves.
    pub provider: ProviderName,
    /// The one region it serves; absent for all.
    pub region: Option<RegionName>,
    /// The driver that speaks for it.
    pub driver: &'static DriverEntry,
    /// How much may be asked of it at a time.
    pub limits: Limits,
    /// The driver's own settings.
    pub settings: BTreeMap<&'static str, RawSetting>,
    /// Where it stands in the file.
    pub place: Place,
}

/// How much may be asked of a region of a connection at a time; absent is unlimited.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Calls under way.
    pub at_once: Option<u32>,
    /// Calls begun in a second.
    pub per_second: Option<u32>,
    /// Calls under way about one kind of resource.
    pub kinds: BTreeMap<Kind, u32>,
}

/// A value as the file writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RawSetting {
    /// Any text.
    Text(String),
    /// A path, already joined to the folder of the connections file.
    File(PathBuf),
    /// Where a secret is kept.
    Secret(SecretRef),
    /// A whole number.
    Whole(u64),
}

/// The settings of one connection with its secrets fetched; what a driver is opened with.
#[derive(Debug, Default)]
pub struct Settings {
    texts: BTreeMap<&'static str, String>,
    files: BTreeMap<&'static str, PathBuf>,
    secrets: BTreeMap<&'static str, Secret>,
    wholes: BTreeMap<&'static str, u64>,
}

impl Settings {
    /// A text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.texts.get(name).map(String::as_str)
    }

    /// A path.
    pub fn file(&self, name: &str) -> Option<&PathBuf> {
        self.files.get(name)
    }

    /// A secret.
    pub fn secret(&self, name: &str) -> Option<&Secret> {
        self.secrets.get(name)
    }

    /// A whole number.
    pub fn whole(&self, name: &str) -> Option<u64> {
        self.wholes.get(name).copied()
    }
}

/// Opened drivers, by the provider and region they serve.
#[derive(Clone, Default)]
pub struct Connections {
    exact: BTreeMap<(ProviderName, Option<RegionName>), Serving>,
    rest: Option<Serving>,
    typed: String,
}

/// A driver that serves a place.
#[derive(Clone)]
struct Serving {
    driver: Arc<dyn Driver>,
    limits: Limits,
    /// Which cloud it is, in words that are equal only for the same one.
    cloud: String,
}

impl Serving {
    fn new(driver: Arc<dyn Driver>, limits: Limits, cloud: String) -> Serving {
        Serving { driver, limits, cloud }
    }
}

impl Connections {
    /// Every provider on the `fake` driver, which remembers what it holds in `state` if that is given.
    ///
    /// # Errors
    /// If the state file exists and cannot be read.
    pub fn simulated(state: Option<PathBuf>) -> Result<Connections, DriverError> {
        let fake = match state {
            Some(state) => Fake::open(state)?,
            None => Fake::new(),
        };
        let cloud = "the simulated cloud beside the journal".to_owned();
        let rest = Some(Serving::new(Arc::new(fake), Limits::default(), cloud));
        Ok(Connections { exact: BTreeMap::new(), rest, typed: "--simulate".to_owned() })
    }

    /// Every provider on one driver.
    pub fn with_driver(driver: Arc<dyn Driver>) -> Connections {
        Connections::with_limits(driver, Limits::default())
    }

    /// Every provider on one driver, with limits.
    pub fn with_limits(driver: Arc<dyn Driver>, limits: Limits) -> Connections {
        let rest = Some(Serving::new(driver, limits, "one for all".to_owned()));
        Connections { exact: BTreeMap::new(), rest, typed: String::new() }
    }

    /// The same connections, with what a user types to work on them.
    pub fn typed(self, typed: String) -> Connections {
        Connections { typed, ..self }
    }

    /// Fetches the secrets of all connections and opens their drivers; `environment` looks a variable up.
    ///
    /// # Errors
    /// Every connection that cannot be opened, as `CON-008` or `CON-009`.
    pub fn open(
        connections: &[Connection],
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Connections, Vec<Finding>> {
        let mut opened = Connections::default();
        let mut findings = Vec::new();
        for connection in connections {
            let missing = findings.len();
            let settings = fetch(connection, environment, &mut findings);
            if findings.len() > missing {
                continue;
            }
            match (connection.driver.open)(&settings) {
                Ok(driver) => {
                    let serves = (connection.provider.clone(), connection.region.clone());
                    let limits = connection.limits.clone();
                    opened.exact.insert(serves, Serving::new(driver, limits, cloud_of(connection)));
                }
                Err(error) => findings.push(
                    Finding::error("CON-009", format!("connection \"{}\": {error}", connection.name))
                        .at(connection.place.clone())
                        .help(CODES[8].2),
                ),
            }
        }
        if findings.is_empty() { Ok(opened) } else { Err(findings) }
    }

    /// The same connections with every driver put inside another, for example one that only reads.
    pub fn map(&self, wrap: impl Fn(Arc<dyn Driver>) -> Arc<dyn Driver>) -> Connections {
        let wrap = |serving: &Serving| Serving { driver: wrap(serving.driver.clone()), ..serving.clone() };
        Connections {
            exact: self.exact.iter().map(|(serves, serving)| (serves.clone(), wrap(serving))).collect(),
            rest: self.rest.as_ref().map(wrap),
            typed: self.typed.clone(),
        }
    }

    /// The driver for a region: the connection of that region, else of its provider.
    pub fn driver(&self, provider: &ProviderName, region: &RegionName) -> Option<&Arc<dyn Driver>> {
        self.serving(provider, region).map(|serving| &serving.driver)
    }

    /// What hosts may need beside machines and no connection of a provider can make or take over; providers without a
    /// connection are not told of.
    pub fn unavailable(&self) -> Vec<Unavailable> {
        let mut able: BTreeMap<&ProviderName, BTreeSet<Service>> = BTreeMap::new();
        for ((provider, _), serving) in &self.exact {
            let capabilities = serving.driver.capabilities();
            let of_provider = able.entry(provider).or_default();
            of_provider.extend(Service::ALL.into_iter().filter(|service| {
                let kind = match service {
                    Service::LoadBalancer => Kind::LoadBalancer,
                    Service::PublicAddress => Kind::PublicAddress,
                    Service::Kubernetes => Kind::KubernetesCluster,
                };
                capabilities.of(kind).is_some()
            }));
        }
        able.into_iter()
            .map(|(provider, able)| Unavailable {
                provider: provider.clone(),
                services: Service::ALL.into_iter().filter(|service| !able.contains(service)).collect(),
            })
            .filter(|entry| !entry.services.is_empty())
            .collect()
    }

    /// The providers that are served, as a whole or by region; `None` when every provider is.
    pub fn served(&self) -> Option<Vec<(ProviderName, Option<RegionName>)>> {
        match &self.rest {
            Some(_) => None,
            None => Some(self.exact.keys().cloned().collect()),
        }
    }

    /// How much may be asked of a region at a time.
    pub fn limits(&self, provider: &ProviderName, region: &RegionName) -> Limits {
        self.serving(provider, region).map(|serving| serving.limits.clone()).unwrap_or_default()
    }

    /// Which clouds answer for these places, as far as any does.
    pub fn binding<'a>(
        &self,
        places: impl IntoIterator<Item = (&'a ProviderName, &'a RegionName)>,
    ) -> Binding {
        let served = places.into_iter().filter_map(|(provider, region)| {
            let serving = self.serving(provider, region)?;
            Some((Binding::place(provider, region), serving.cloud.clone()))
        });
        Binding { typed: self.typed.clone(), places: served.collect() }
    }

    fn serving(&self, provider: &ProviderName, region: &RegionName) -> Option<&Serving> {
        self.exact
            .get(&(provider.clone(), Some(region.clone())))
            .or_else(|| self.exact.get(&(provider.clone(), None)))
            .or(self.rest.as_ref())
    }
}

/// Which cloud a connection is: its name, its driver, and the settings that tell one cloud from another.
fn cloud_of(connection: &Connection) -> String {
    let mut words = vec![format!("connection {}, driver {}", connection.name, connection.driver.name)];
    for setting in connection.driver.settings.iter().filter(|setting| setting.identifies) {
        let value = match connection.settings.get(setting.name) {
            Some(RawSetting::Text(text)) => text.clone(),
            Some(RawSetting::File(path)) => {
                std::path::absolute(path).unwrap_or_else(|_| path.clone()).display().to_string()
            }
            Some(RawSetting::Whole(whole)) => whole.to_string(),
            // Another credential may be the same account's; what the reference says is enough.
            Some(RawSetting::Secret(reference)) => reference.to_string(),
            None => continue,
        };
        words.push(format!("{} {value}", setting.name));
    }
    words.join(", ")
}

fn fetch(
    connection: &Connection,
    environment: &dyn Fn(&str) -> Option<String>,
    findings: &mut Vec<Finding>,
) -> Settings {
    let mut settings = Settings::default();
    for (name, value) in &connection.settings {
        match value {
            RawSetting::Text(text) => drop(settings.texts.insert(name, text.clone())),
            RawSetting::File(path) => drop(settings.files.insert(name, path.clone())),
            RawSetting::Whole(whole) => drop(settings.wholes.insert(name, *whole)),
            RawSetting::Secret(reference) => match reference.fetch(environment) {
                Ok(secret) => drop(settings.secrets.insert(name, secret)),
                Err(why) => findings.push(
                    Finding::error("CON-008", why)
                        .at(connection.place.clone().at(format!("{}.{name}", connection.name)))
                        .help(CODES[7].2),
                ),
            },
        }
    }
    settings
}

//! Nova's flavors and Glance's images: which of them a machine is made of.

use std::time::{Duration, Instant};

use carafe_model::host::Architecture;
use carafe_model::steps::ImageQuery;
use carafe_model::units::{Mib, Vcpus};
use serde_json::{Value, json};

use super::json::{text, whole};
use super::site::{Service, Site};
use crate::drivers::images::{Candidate, choose};
use crate::drivers::{DriverError, ErrorKind};

/// How long a list of flavors or images is believed.
const BELIEVED: Duration = Duration::from_secs(60);

/// How a flavor is found for an instance type that the cloud does not have under its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flavors {
    /// Not at all.
    ByName,
    /// The smallest that offers enough is taken.
    BySize,
    /// It is made, which takes the rights of an administrator as a rule.
    Create,
}

impl Flavors {
    pub(super) fn parse(text: &str) -> Result<Flavors, DriverError> {
        match text {
            "by-name" => Ok(Flavors::ByName),
            "by-size" => Ok(Flavors::BySize),
            "create" => Ok(Flavors::Create),
            _ => Err(ErrorKind::Invalid
                .because(format!("flavors = \"{text}\" is none of by-name, by-size and create"))),
        }
    }

    /// Whether a machine may have a flavor of another name than its instance type.
    pub(super) const fn by_size(self) -> bool {
        match self {
            Flavors::BySize => true,
            Flavors::ByName | Flavors::Create => false,
        }
    }
}

/// A flavor, as Nova calls an instance type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MachineType {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) vcpus: u64,
    pub(super) memory_mib: u64,
    /// Its root disk in GiB; 0 when it brings none.
    pub(super) disk: u64,
}

impl MachineType {
    fn offers(&self, vcpus: Vcpus, memory: Mib) -> bool {
        self.vcpus >= u64::from(vcpus.0) && self.memory_mib >= memory.0
    }
}

/// An image that a machine boots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Image {
    pub(super) id: String,
    /// The smallest disk it fits on.
    pub(super) least_gib: u64,
}

/// What was listed, and when.
pub(super) struct Listed<T> {
    at: Instant,
    pub(super) all: T,
}

impl<T: Clone> Listed<T> {
    fn fresh(listed: Option<&Listed<T>>) -> Option<T> {
        listed.filter(|listed| listed.at.elapsed() < BELIEVED).map(|listed| listed.all.clone())
    }
}

impl Site<'_> {
    pub(super) async fn flavors(&self) -> Result<Vec<MachineType>, DriverError> {
        if let Some(all) = Listed::fresh(self.cloud.cache().flavors.get(&self.region)) {
            return Ok(all);
        }
        let listed = self.all(Service::Compute, &["flavors", "detail"], &[], "flavors").await?;
        let usable = listed.iter().filter(|flavor| flavor["OS-FLV-DISABLED:disabled"] != true);
        let all: Vec<MachineType> = usable.map(flavor).collect();
        let kept = Listed { at: Instant::now(), all: all.clone() };
        self.cloud.cache().flavors.insert(self.region.clone(), kept);
        Ok(all)
    }

    /// The flavor of an instance type that offers at least that much; `make` allows to create one where the connection
    /// does.
    pub(super) async fn flavor(
        &self,
        name: &str,
        vcpus: Vcpus,
        memory: Mib,
        make: bool,
    ) -> Result<MachineType, DriverError> {
        let flavors = self.flavors().await?;
        if let Some(found) = flavors.iter().find(|flavor| flavor.name == name) {
            return match found.offers(vcpus, memory) {
                true => Ok(found.clone()),
                false => Err(ErrorKind::Invalid.because(format!(
                    "flavor {name} has {} vCPUs and {} MiB here, and {} and {} are wanted",
                    found.vcpus, found.memory_mib, vcpus.0, memory.0
                ))),
            };
        }
        let named = MachineType {
            id: String::new(),
            name: name.to_owned(),
            vcpus: u64::from(vcpus.0),
            memory_mib: memory.0,
            disk: 0,
        };
        match self.cloud.flavors {
            Flavors::Create if make => self.make_flavor(&named).await,
            Flavors::Create => Ok(named),
            Flavors::BySize => {
                let fitting = flavors.iter().filter(|flavor| flavor.offers(vcpus, memory));
                let smallest = fitting.min_by_key(|f| (f.vcpus, f.memory_mib, f.disk, f.name.clone()));
                smallest.cloned().ok_or_else(|| {
                    ErrorKind::NoCapacity.because(format!(
                        "there is no flavor {name}, and none has {} vCPUs and {} MiB",
                        vcpus.0, memory.0
                    ))
                })
            }
            Flavors::ByName => {
                let mut names: Vec<&str> = flavors.iter().map(|flavor| flavor.name.as_str()).collect();
                names.sort_unstable();
                let few = names.len().min(12);
                Err(ErrorKind::NoCapacity.because(format!(
                    "there is no flavor {name} in {}, only {}{}; with flavors = \"by-size\" the connection takes one \
                     that is large enough",
                    self.region,
                    names[..few].join(", "),
                    if names.len() > few { " and others" } else { "" }
                )))
            }
        }
    }

    /// Makes a flavor for everybody. It is no part of a run: other machines may be of it, so it stays.
    async fn make_flavor(&self, wanted: &MachineType) -> Result<MachineType, DriverError> {
        let body = json!({"flavor": {
            "name": wanted.name, "vcpus": wanted.vcpus, "ram": wanted.memory_mib, "disk": wanted.disk,
        }});
        let made = self.post(Service::Compute, &["flavors"], &body).await;
        self.cloud.cache().flavors.remove(&self.region);
        match made {
            Ok(answer) => Ok(flavor(&answer["flavor"])),
            // Another call was faster.
            Err(error) if error.kind == ErrorKind::Conflict => {
                let flavors = self.flavors().await?;
                flavors.into_iter().find(|flavor| flavor.name == wanted.name).ok_or(error)
            }
            Err(DriverError { kind: ErrorKind::Denied, message }) => Err(ErrorKind::Denied
                .because(format!("flavor {} is missing and may not be made: {message}", wanted.name))),
            Err(error) => Err(error),
        }
    }

    /// The image that boots what is asked for.
    pub(super) async fn image(&self, query: &ImageQuery) -> Result<Image, DriverError> {
        let listed = self.images().await?;
        let image = match self.cloud.named.of(query) {
            Some(named) => {
                let is = |image: &&Value| text(image, "id") == named || text(image, "name") == named;
                let newest = listed.iter().filter(is).max_by_key(|image| text(image, "created_at"));
                newest.ok_or_else(|| {
                    let what = format!(
                        "there is no image \"{named}\", which the connection's \"images\" setting names"
                    );
                    ErrorKind::NotFound.because(what)
                })?
            }
            None => {
                let candidates: Vec<Candidate> = listed.iter().map(candidate).collect();
                let chosen = choose(query, &candidates)?;
                let is = |image: &&Value| text(image, "id") == chosen.id;
                listed.iter().find(is).expect("a candidate is one of the list")
            }
        };
        let bytes = whole(image, "virtual_size").or(whole(image, "size")).unwrap_or_default();
        let least = whole(image, "min_disk").unwrap_or_default().max(bytes.div_ceil(1 << 30));
        Ok(Image { id: text(image, "id").to_owned(), least_gib: least })
    }

    async fn images(&self) -> Result<Vec<Value>, DriverError> {
        if let Some(all) = Listed::fresh(self.cloud.cache().images.get(&self.region)) {
            return Ok(all);
        }
        let query = [("status", "active"), ("limit", "500")];
        let all = self.all(Service::Image, &["images"], &query, "images").await?;
        let kept = Listed { at: Instant::now(), all: all.clone() };
        self.cloud.cache().images.insert(self.region.clone(), kept);
        Ok(all)
    }
}

fn flavor(info: &Value) -> MachineType {
    MachineType {
        id: text(info, "id").to_owned(),
        name: text(info, "name").to_owned(),
        vcpus: whole(info, "vcpus").unwrap_or_default(),
        memory_mib: whole(info, "ram").unwrap_or_default(),
        disk: whole(info, "disk").unwrap_or_default(),
    }
}

fn candidate(image: &Value) -> Candidate {
    let words = ["os_distro", "os_version", "name"].map(|key| text(image, key));
    Candidate {
        id: text(image, "id").to_owned(),
        name: words.join(" ").trim().to_owned(),
        architecture: match text(image, "architecture") {
            "" => None,
            "x86_64" | "amd64" => Some(Architecture::X86_64),
            "aarch64" | "arm64" => Some(Architecture::Arm64),
            _ => Some(Architecture::Other),
        },
        created: text(image, "created_at").to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::openstack::servers::root_volume;
    use carafe_model::units::Gib;

    #[test]
    fn a_machine_boots_from_a_volume_when_its_flavor_brings_too_little() {
        let flavor =
            |disk| MachineType { id: String::new(), name: "m".into(), vcpus: 1, memory_mib: 1024, disk };
        assert_eq!(root_volume(&flavor(20), Some(Gib(20)), None, 8), None);
        assert_eq!(root_volume(&flavor(20), None, None, 8), None);
        assert_eq!(root_volume(&flavor(20), Some(Gib(40)), None, 8), Some(40));
        assert_eq!(root_volume(&flavor(0), None, None, 8), Some(8));
        assert_eq!(root_volume(&flavor(80), Some(Gib(40)), Some("fast"), 8), Some(40));
    }
}

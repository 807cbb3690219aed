//! What would be refused, as far as reading tells.

use carafe_model::host::{Architecture, OsFamily};
use carafe_model::steps::{Action, ImageQuery};
use carafe_model::units::{Gib, Mib, Vcpus};
use serde_json::Value;

use super::Spider;
use super::clouds::Clusters;
use super::facts::{DiskClass, Facts};
use super::find::is_sayable;
use super::shape::{rows, text, whole};
use crate::drivers::cidr::Cidr;
use crate::drivers::images::{Candidate, choose};
use crate::drivers::{Ability, DriverError, ErrorKind, Kind, Target};

/// The longest name that leaves room for the rest of a tag.
const LONGEST_NAME: usize = 128;

impl Spider {
    /// Everything against a target that is not there yet, apart from what it stands on not being there.
    pub(super) async fn refusals(
        &self,
        target: &Target,
        facts: &Facts,
    ) -> Result<Vec<DriverError>, DriverError> {
        let mut told = Vec::new();
        let mut refuse = |kind: ErrorKind, what: String| told.push(kind.because(what));
        if facts.region != target.region.as_str() {
            let connection = &self.session.connection;
            let what = format!(
                "connection config \"{connection}\" is for region {}, not {}",
                facts.region, target.region
            );
            refuse(ErrorKind::Invalid, what);
        }
        match self.capabilities.of(target.kind) {
            Some(Ability::Makes) if !facts.lacks(target.kind) => {}
            Some(Ability::Adopts) => {}
            _ => refuse(
                ErrorKind::Invalid,
                format!("{} has no {} in CB-Spider", target.provider, target.kind.words()),
            ),
        }
        let name = target.name();
        let is_good = |c: char| c.is_ascii_alphanumeric() || ['-', '_', '.'].contains(&c);
        if name.is_empty() || name.len() > LONGEST_NAME || !name.chars().all(is_good) {
            let what =
                format!("a name has from 1 to {LONGEST_NAME} letters, digits, dashes, dots and underscores");
            refuse(ErrorKind::Invalid, what);
        }
        match &target.action {
            Action::Network { cidr, .. } if Cidr::parse(cidr).is_none() => {
                refuse(ErrorKind::Invalid, format!("\"{cidr}\" is not a block of IPv4 addresses"));
            }
            Action::Subnet { network, cidr, zone, .. } => {
                told.extend(self.address_refusal(target, network, cidr).await?);
                if let Some(zone) = zone.as_deref().filter(|_| self.cloud.zones) {
                    told.extend(self.zone_refusal(facts, zone).await?);
                }
            }
            Action::SecurityGroup { rules, .. } => {
                for rule in rules.iter().filter(|rule| !is_sayable(rule)) {
                    let what =
                        format!("CB-Spider has no rule for protocol {} from {}", rule.protocol, rule.source);
                    refuse(ErrorKind::Invalid, what);
                }
            }
            Action::KeyPair { .. } if self.keys.is_none() => {
                let what = "CB-Spider tells a private key once, and the connection names no folder to keep it in (keys)";
                refuse(ErrorKind::Invalid, what.to_owned());
            }
            Action::Machine { instance_type, vcpus, memory_mib, image, .. } => {
                told.extend(self.type_refusal(instance_type, Some((*vcpus, *memory_mib))).await?);
                if image.family == OsFamily::Windows && self.windows_password.is_none() {
                    let what = "a Windows machine wants a password, and the connection names none (windows_password)";
                    told.push(ErrorKind::Invalid.because(what));
                }
                told.extend(self.image(image).await.err().map_or(Ok(None), passed_on)?);
            }
            Action::Disk { class, size_gib, .. } => {
                told.extend(
                    disk_refusal(&facts.disks, class.as_deref(), *size_gib)
                        .map(|what| ErrorKind::Invalid.because(what)),
                );
            }
            Action::LoadBalancer { port, member_port, health_check, .. } => {
                if self.cloud.spider == "GCP" && port != member_port {
                    let what = format!(
                        "GCP's load balancers listen on the members' port, and {port} is not {member_port}"
                    );
                    refuse(ErrorKind::Invalid, what);
                }
                let times =
                    health_check.as_ref().map(|check| (check.timeout_seconds, check.interval_seconds));
                if let Some((Some(timeout), Some(interval))) = times
                    && self.cloud.spider == "IBM"
                    && timeout >= interval
                {
                    let what = format!(
                        "IBM's health checks time out before they repeat, and {timeout} s is not below {interval} s"
                    );
                    refuse(ErrorKind::Invalid, what);
                }
                if times.is_some_and(|(timeout, _)| timeout.is_some()) && self.cloud.spider == "AZURE" {
                    refuse(ErrorKind::Invalid, "Azure's health checks take no time-out".to_owned());
                }
                told.extend(self.members_refusal(target).await?);
            }
            Action::KubernetesCluster { subnets, instance_type, nodes, .. } => {
                if *nodes == 0 && self.cloud.clusters == Clusters::WithNodes {
                    refuse(ErrorKind::Invalid, "a cluster needs at least one node here".to_owned());
                }
                if self.cloud.spider == "AWS" && subnets.len() < 2 {
                    refuse(ErrorKind::Invalid, "AWS wants subnets in two zones for a cluster".to_owned());
                }
                told.extend(self.type_refusal(instance_type, None).await?);
            }
            Action::Network { .. }
            | Action::KeyPair { .. }
            | Action::Attachment { .. }
            | Action::PublicAddress { .. }
            | Action::Manual { .. }
            | Action::Hook { .. }
            | Action::Check { .. }
            | Action::Approval { .. } => {}
        }
        Ok(told)
    }

    async fn address_refusal(
        &self,
        target: &Target,
        network: &str,
        cidr: &str,
    ) -> Result<Option<DriverError>, DriverError> {
        let Some(block) = Cidr::parse(cidr) else {
            let what = format!("\"{cidr}\" is not a block of IPv4 addresses");
            return Ok(Some(ErrorKind::Invalid.because(what)));
        };
        let place = (target.provider.as_str(), target.region.as_str());
        let Some(around) = self.named(place, Kind::Network, network).await? else { return Ok(None) };
        if Cidr::parse(text(&around.info, "IPv4_CIDR")).is_some_and(|around| !around.contains(block)) {
            return Ok(Some(
                ErrorKind::Invalid.because(format!("{cidr} is not inside network \"{network}\"")),
            ));
        }
        let clash = self.subnets(place, &around.info).find(|(_, sibling)| {
            Cidr::parse(text(&sibling.info, "IPv4_CIDR")).is_some_and(|other| other.overlaps(block))
        });
        Ok(clash.map(|(name, _)| ErrorKind::Conflict.because(format!("{cidr} overlaps subnet \"{name}\""))))
    }

    async fn zone_refusal(&self, facts: &Facts, zone: &str) -> Result<Option<DriverError>, DriverError> {
        let region = self.session.get(&["regionzone", &facts.region]).await?;
        let zones: Vec<(&str, &str)> =
            rows(&region, "ZoneList").map(|zone| (text(zone, "Name"), text(zone, "Status"))).collect();
        Ok(match zones.iter().find(|(name, _)| *name == zone) {
            Some((_, "Unavailable")) => {
                Some(ErrorKind::NoCapacity.because(format!("zone {zone} is not available")))
            }
            Some(_) => None,
            None => {
                let names: Vec<&str> = zones.iter().map(|(name, _)| *name).collect();
                let what = format!("{} has no zone {zone}, only {}", facts.region, names.join(", "));
                Some(ErrorKind::NotFound.because(what))
            }
        })
    }

    /// Why an instance type cannot be had; `least` is what it must offer.
    async fn type_refusal(
        &self,
        name: &str,
        least: Option<(Vcpus, Mib)>,
    ) -> Result<Option<DriverError>, DriverError> {
        let spec = match self.session.get(&["vmspec", name]).await {
            Ok(spec) => spec,
            Err(DriverError { kind: ErrorKind::NotFound, .. }) => {
                return Ok(Some(ErrorKind::NoCapacity.because(format!("{name} is not for sale here"))));
            }
            Err(error) => return Err(error),
        };
        let Some((vcpus, memory)) = least else { return Ok(None) };
        let small = |is: Option<u64>, wanted: u64| is.is_some_and(|is| is < wanted);
        let (cpu, mib) = (whole(&spec, "VCpu.Count"), whole(&spec, "MemSizeMiB"));
        Ok((small(cpu, u64::from(vcpus.0)) || small(mib, memory.0)).then(|| {
            let has = format!("{} vCPUs and {} MiB", cpu.unwrap_or_default(), mib.unwrap_or_default());
            ErrorKind::Invalid
                .because(format!("{name} has {has} here, and {} and {} are wanted", vcpus.0, memory.0))
        }))
    }

    /// The image that boots what is asked for, as Spider names it.
    pub(super) async fn image(&self, query: &ImageQuery) -> Result<String, DriverError> {
        if let Some(named) = self.named.of(query) {
            return Ok(named.to_owned());
        }
        let images = self.images.get_or_try_init(|| self.read_images()).await?;
        choose(query, images).map(|image| image.id.clone())
    }

    async fn read_images(&self) -> Result<Vec<Candidate>, DriverError> {
        let listed = self.session.get(&["vmimage"]).await?;
        Ok(rows(&listed, "image")
            .filter(|image| text(image, "ImageStatus") != "Unavailable")
            .map(candidate)
            .collect())
    }

    /// Why members cannot be balanced, on the clouds whose balancers reach one subnet only.
    async fn members_refusal(&self, target: &Target) -> Result<Option<DriverError>, DriverError> {
        let Some((subnet, members)) = super::inventory::balanced(&target.action) else { return Ok(None) };
        if !["KT", "KTCLASSIC"].contains(&self.cloud.spider) {
            return Ok(None);
        }
        let place = (target.provider.as_str(), target.region.as_str());
        for member in members {
            if let Some(found) = self.subnet_of(place, member).await?
                && found != subnet
            {
                let what = format!(
                    "the load balancer reaches subnet \"{subnet}\" only, and \"{member}\" is in \"{found}\""
                );
                return Ok(Some(ErrorKind::Invalid.because(what)));
            }
        }
        Ok(None)
    }
}

/// A refusal is told with the others; what could not be read ends the check.
fn passed_on(error: DriverError) -> Result<Option<DriverError>, DriverError> {
    match error.kind {
        ErrorKind::NotFound => Ok(Some(error)),
        _ => Err(error),
    }
}

/// What Spider tells of an image, in the words that images are chosen by.
fn candidate(image: &Value) -> Candidate {
    let name = |key| text(image, key);
    let words = [name("OSDistribution"), name("Name")].join(" ");
    let windows =
        name("OSPlatform").eq_ignore_ascii_case("windows") && !words.to_lowercase().contains("windows");
    // A date is all that tells a newer image from an older one; a name that is a number has eight digits by chance.
    let parts = name("OSDistribution").split(|c: char| !c.is_ascii_digit());
    let dates = parts.filter(|part| part.len() == 8 && part.starts_with("20"));
    let created = dates.max().unwrap_or_default().to_owned();
    let id = Some(text(image, "IId.SystemId")).filter(|id| !id.is_empty()).unwrap_or(name("Name"));
    Candidate {
        id: id.to_owned(),
        created,
        architecture: match name("OSArchitecture") {
            "x86_64" => Some(Architecture::X86_64),
            "arm64" => Some(Architecture::Arm64),
            "" | "NA" => None,
            _ => Some(Architecture::Other),
        },
        name: if windows { format!("windows {words}") } else { words },
    }
}

/// Why a data disk of that class and size cannot be had.
fn disk_refusal(known: &[DiskClass], class: Option<&str>, size: Gib) -> Option<String> {
    let Some(class) = class else {
        // Without a class the cloud takes the first it has.
        return known
            .first()
            .and_then(|first| size_refusal(&first.name, first.smallest, first.largest, size));
    };
    let of_class = known.iter().find(|known| known.name == class);
    match of_class {
        Some(known) => size_refusal(&known.name, known.smallest, known.largest, size),
        None if known.is_empty() => None,
        None => {
            let names: Vec<&str> = known.iter().map(|known| known.name.as_str()).collect();
            Some(format!("there is no class {class} of disks here, only {}", names.join(", ")))
        }
    }
}

fn size_refusal(class: &str, smallest: u64, largest: u64, size: Gib) -> Option<String> {
    (size.0 < smallest || size.0 > largest)
        .then(|| format!("a disk of class {class} has from {smallest} to {largest} GB here, not {}", size.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_image_is_told_in_the_words_that_images_are_chosen_by() {
        let told = candidate(&json!({
            "IId": {"NameId": "ami-1", "SystemId": "ami-1"}, "Name": "ami-1", "OSArchitecture": "x86_64",
            "OSPlatform": "Linux/UNIX", "OSDistribution": "ubuntu/images/ubuntu-jammy-22.04-amd64-server-20260801",
        }));
        assert_eq!((told.id.as_str(), told.created.as_str()), ("ami-1", "20260801"));
        assert_eq!(told.architecture, Some(Architecture::X86_64));
        let other = candidate(&json!({
            "IId": null, "Name": "20858382-b69c", "OSArchitecture": "NA", "OSPlatform": "Windows",
            "OSDistribution": "server-2022",
        }));
        assert_eq!((other.id.as_str(), other.created.as_str()), ("20858382-b69c", ""));
        assert_eq!((other.architecture, other.name.starts_with("windows ")), (None, true));
    }

    #[test]
    fn a_disk_too_small_for_its_cloud_is_told_before_it_is_asked_for() {
        let class = |name: &str, smallest| DiskClass { name: name.to_owned(), smallest, largest: 16_380 };
        let known = [class("SSD", 100), class("HDD", 10)];
        assert_eq!(disk_refusal(&known, Some("SSD"), Gib(100)), None);
        assert_eq!(disk_refusal(&known, Some("HDD"), Gib(50)), None);
        assert_eq!(disk_refusal(&[], Some("any"), Gib(1)), None);
        for (class, size, told) in [
            (Some("SSD"), 50, "a disk of class SSD has from 100 to 16380 GB here, not 50"),
            (None, 50, "a disk of class SSD has from 100 to 16380 GB here, not 50"),
            (Some("fast"), 50, "there is no class fast of disks here, only SSD, HDD"),
        ] {
            assert_eq!(disk_refusal(&known, class, Gib(size)).as_deref(), Some(told));
        }
    }
}

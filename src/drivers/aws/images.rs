//! Which image boots a machine: those of the systems' makers, by the accounts that publish them.

use carafe_inventory::xml::Element;
use carafe_model::host::{Architecture, OsFamily};
use carafe_model::steps::ImageQuery;

use super::client::Query;
use super::site::Site;
use super::xml::{rows, text, whole};
use crate::drivers::images::{Candidate, choose, system};
use crate::drivers::{DriverError, ErrorKind};

/// Who publishes images of a system.
struct Maker {
    /// The system, as [`system`] names it.
    system: &'static str,
    /// The account that publishes them, from the maker's own pages.
    account: &'static str,
    /// Which of its images boot a plain server.
    names: &'static [&'static str],
}

const MAKERS: &[Maker] = &[
    Maker { system: "ubuntu", account: "099720109477", names: &["ubuntu/images/hvm-ssd*/ubuntu-*-server-*"] },
    Maker { system: "debian", account: "136693071363", names: &["debian-*"] },
    Maker { system: "rocky", account: "792107900819", names: &["Rocky-*"] },
    Maker { system: "almalinux", account: "764336703387", names: &["AlmaLinux OS *"] },
    Maker { system: "rhel", account: "309956199498", names: &["RHEL-*_HVM*Hourly2*"] },
    Maker { system: "centos", account: "125523088429", names: &["CentOS *"] },
    Maker { system: "oracle", account: "131827586825", names: &["OL*-HVM-*"] },
    Maker { system: "sles", account: "013907871322", names: &["suse-sles-*-hvm-ssd-*"] },
    Maker { system: "opensuse", account: "679593333241", names: &["openSUSE-Leap-*"] },
    Maker { system: "amazon", account: "amazon", names: &["al2023-ami-2023*", "amzn2-ami-hvm-*"] },
    Maker { system: "fedora", account: "125523088429", names: &["Fedora-Cloud-Base-*"] },
    Maker { system: "windows", account: "amazon", names: &["Windows_Server-*-English-Full-Base-*"] },
];

/// An image that boots a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Image {
    /// What EC2 calls it.
    pub(super) id: String,
    /// What it calls the disk that it boots from.
    pub(super) root_device: String,
    /// How large that disk is at least.
    pub(super) least_gib: u64,
    /// Its instruction set, in EC2's words.
    pub(super) architecture: String,
}

impl Image {
    fn of(info: &Element) -> Image {
        let root = text(info, "rootDeviceName").to_owned();
        let disk = rows(info, "blockDeviceMapping").find(|disk| text(disk, "deviceName") == root);
        Image {
            id: text(info, "imageId").to_owned(),
            least_gib: disk.and_then(|disk| whole(disk, "ebs/volumeSize")).unwrap_or(0),
            architecture: text(info, "architecture").to_owned(),
            root_device: root,
        }
    }
}

/// EC2's word for an instruction set.
pub(super) const fn architecture(architecture: Architecture) -> &'static str {
    match architecture {
        Architecture::X86_64 => "x86_64",
        Architecture::Arm64 => "arm64",
        Architecture::Other => "other",
    }
}

/// The part of an image's name that tells system and version: the rest tells how the image is made, and its numbers, as in
/// `RHEL-9.4.0_HVM-20260701-x86_64-0-Hourly2-GP3`, are of no version.
fn without_make(name: &str) -> &str {
    const ENDS: [&str; 8] = ["_HVM", "-HVM", "-hvm", "x86_64", "amd64", "arm64", "aarch64", "-kernel"];
    let name = name.rsplit('/').next().unwrap_or(name);
    let end = ENDS.iter().filter_map(|end| name.find(end)).min().unwrap_or(name.len());
    name[..end].trim_end_matches(['-', '_', ' ', '.'])
}

/// System and version in words. The account tells the system, and not every name does, as in `OL9.4-x86_64-HVM-2026-07-01`.
fn named(system: &str, name: &str) -> String {
    format!("{system} linux {}", without_make(name)).replace("windows linux", "windows")
}

impl Site<'_> {
    /// The image for what is asked.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`] with what there is instead.
    pub(super) async fn image(&self, query: &ImageQuery) -> Result<Image, DriverError> {
        if let Some(named) = self.cloud.named.of(query) {
            return self.image_by_hand(named).await;
        }
        let of_family = match query.family {
            OsFamily::Rhel => Some("rhel"),
            OsFamily::Sles => Some("sles"),
            OsFamily::Windows => Some("windows"),
            OsFamily::Linux | OsFamily::Other => None,
        };
        let wanted = system(&query.name).or(of_family);
        let listed = match MAKERS.iter().find(|maker| Some(maker.system) == wanted) {
            Some(maker) => self.images_of(maker, query.architecture).await?,
            None => Vec::new(),
        };
        let candidates: Vec<Candidate> = listed
            .iter()
            .map(|info| Candidate {
                id: text(info, "imageId").to_owned(),
                name: named(wanted.unwrap_or_default(), text(info, "name")),
                architecture: Some(query.architecture),
                created: text(info, "creationDate").to_owned(),
            })
            .collect();
        let chosen = choose(query, &candidates)?;
        let info = listed.iter().find(|info| text(info, "imageId") == chosen.id);
        Ok(Image::of(info.expect("the choice is one of them")))
    }

    async fn image_by_hand(&self, named: &str) -> Result<Image, DriverError> {
        let by = if named.starts_with("ami-") { "image-id" } else { "name" };
        let query = Query::new().filter(by, [named]).filter("state", ["available"]);
        let mut listed = self.all("DescribeImages", &query, "imagesSet").await?;
        listed.sort_by(|a, b| text(b, "creationDate").cmp(text(a, "creationDate")));
        listed.first().map(Image::of).ok_or_else(|| {
            let what = format!(
                "there is no image \"{named}\" in {}, which the connection's \"images\" setting names",
                self.region
            );
            ErrorKind::NotFound.because(what)
        })
    }

    async fn images_of(&self, maker: &Maker, wanted: Architecture) -> Result<Vec<Element>, DriverError> {
        let key = (self.region.clone(), maker.system, architecture(wanted));
        if let Some(known) = self.cloud.cache().images.get(&key) {
            return Ok(known.clone());
        }
        let query = Query::new()
            .list("Owner", [maker.account])
            .filter("name", maker.names.iter().copied())
            .filter("architecture", [architecture(wanted)])
            .filter("virtualization-type", ["hvm"])
            .filter("state", ["available"]);
        let listed = self.all("DescribeImages", &query, "imagesSet").await?;
        self.cloud.cache().images.insert(key, listed.clone());
        Ok(listed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_up_to_where_it_tells_how_the_image_is_made() {
        for (name, part) in [
            ("ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20260801", "ubuntu-noble-24.04"),
            ("RHEL-9.4.0_HVM-20260701-x86_64-0-Hourly2-GP3", "RHEL-9.4.0"),
            ("Rocky-9-EC2-Base-9.4-20260601.0.x86_64", "Rocky-9-EC2-Base-9.4-20260601.0"),
            ("suse-sles-15-sp5-v20260101-hvm-ssd-x86_64", "suse-sles-15-sp5-v20260101"),
            ("al2023-ami-2023.5.20260701.0-kernel-6.1-x86_64", "al2023-ami-2023.5.20260701.0"),
            (
                "Windows_Server-2022-English-Full-Base-2026.08.01",
                "Windows_Server-2022-English-Full-Base-2026.08.01",
            ),
        ] {
            assert_eq!(without_make(name), part);
        }
    }

    #[test]
    fn every_maker_is_of_a_system_that_images_are_chosen_for() {
        for maker in MAKERS {
            assert_eq!(system(&named(maker.system, "OL9.4-x86_64-HVM-2026-07-01")), Some(maker.system));
        }
    }
}

//! Which of a cloud's images boots what the source host ran.
//!
//! Clouds name images in their own ways; a driver turns each into a [`Candidate`], and the choice is the same for all.
//! Nothing is guessed: the system, its version and the instruction set have to agree, or a person names the image in the
//! connection's `images` setting.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use carafe_model::host::{Architecture, OsFamily};
use carafe_model::steps::ImageQuery;

use super::{DriverError, ErrorKind};

/// An image that a cloud offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// What the cloud calls it when a machine is made.
    pub id: String,
    /// System and version in words, for example `ubuntu/images/ubuntu-jammy-22.04-amd64-server-20260801`.
    pub name: String,
    /// Its instruction set; absent when the cloud does not say.
    pub architecture: Option<Architecture>,
    /// When it was made, so that a later text is a later image; empty when the cloud does not say.
    pub created: String,
}

/// Images that a person named: by system (`windows`, `linux`, `rhel`, `sles`) or by name and version (`ubuntu 22.04`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named(BTreeMap<String, String>);

impl Named {
    /// Reads `"ubuntu 22.04=IMAGE, windows=IMAGE"`.
    ///
    /// # Errors
    /// [`ErrorKind::Invalid`] with the part that is no pair.
    pub fn parse(text: &str) -> Result<Named, DriverError> {
        let mut named = BTreeMap::new();
        for part in text.split(',').map(str::trim).filter(|part| !part.is_empty()) {
            match part.split_once('=').map(|(system, image)| (system.trim(), image.trim())) {
                Some((system, image)) if !system.is_empty() && !image.is_empty() => {
                    named.insert(system.to_lowercase(), image.to_owned());
                }
                _ => {
                    let what = format!(
                        "\"{part}\" in images is not a system and an image, as in \"ubuntu 22.04=IMAGE\""
                    );
                    return Err(ErrorKind::Invalid.because(what));
                }
            }
        }
        Ok(Named(named))
    }

    /// The image a person named for what is asked, the most exact name first.
    pub fn of(&self, query: &ImageQuery) -> Option<&str> {
        let found = |key: &str| self.0.get(key).map(String::as_str);
        let exact = system(&query.name).and_then(|system| {
            let version = version(query);
            let versions = std::iter::successors(version.as_deref(), |v| v.rsplit_once('.').map(|(v, _)| v));
            versions
                .map(|version| format!("{system} {version}"))
                .find_map(|key| found(&key))
                .or_else(|| found(system))
        });
        exact.or_else(|| found(family(query.family)))
    }
}

const fn family(family: OsFamily) -> &'static str {
    match family {
        OsFamily::Linux => "linux",
        OsFamily::Rhel => "rhel",
        OsFamily::Sles => "sles",
        OsFamily::Windows => "windows",
        OsFamily::Other => "other",
    }
}

/// Systems by the words that name them; the first that fits counts.
const SYSTEMS: &[(&str, &[&str])] = &[
    ("ubuntu", &["ubuntu"]),
    ("debian", &["debian"]),
    ("rocky", &["rocky"]),
    ("almalinux", &["almalinux", "alma"]),
    ("rhel", &["rhel", "red hat", "redhat"]),
    ("centos", &["centos"]),
    ("oracle", &["oracle linux", "oraclelinux", "oracle-linux"]),
    ("sles", &["sles", "suse linux enterprise"]),
    ("opensuse", &["opensuse"]),
    ("amazon", &["amazon linux", "amzn", "al2023"]),
    ("fedora", &["fedora"]),
    ("cirros", &["cirros"]),
    ("windows", &["windows"]),
];

/// Names that a release bears instead of its number.
const CODE_NAMES: &[(&str, &str)] = &[
    ("noble", "24.04"),
    ("jammy", "22.04"),
    ("focal", "20.04"),
    ("bionic", "18.04"),
    ("trixie", "13"),
    ("bookworm", "12"),
    ("bullseye", "11"),
];

/// The system that a text names, in the one spelling of [`Named`].
pub fn system(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    SYSTEMS.iter().find(|(_, words)| words.iter().any(|word| text.contains(word))).map(|(system, _)| *system)
}

/// The version that is asked for: as the query says, else the first number in its name.
fn version(query: &ImageQuery) -> Option<String> {
    let from_name = || numbers(&query.name).into_iter().next();
    query.version.as_deref().and_then(|text| numbers(text).into_iter().next()).or_else(from_name)
}

/// Numbers with dots, for example `22.04` and `20260801`.
fn numbers(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| !c.is_ascii_digit() && c != '.').map(|part| part.trim_matches('.'));
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Whether an image of this name is of that version: `22.04` fits `22.04.3` and the other way round, `9` fits `9.4`.
fn fits(candidate: &str, wanted: &str) -> bool {
    let lower = candidate.to_lowercase();
    let begins = |long: &str, short: &str| {
        long == short || long.strip_prefix(short).is_some_and(|rest| rest.starts_with('.'))
    };
    let by_code_name =
        CODE_NAMES.iter().filter(|(name, _)| lower.contains(name)).map(|(_, number)| (*number).to_owned());
    numbers(&lower)
        .into_iter()
        .chain(by_code_name)
        .any(|number| begins(&number, wanted) || begins(wanted, &number))
}

/// The newest image of the system, version and instruction set that are asked for.
///
/// # Errors
/// [`ErrorKind::NotFound`], with what there is instead and how to name an image by hand.
pub fn choose<'c>(query: &ImageQuery, candidates: &'c [Candidate]) -> Result<&'c Candidate, DriverError> {
    let asked = if query.name.is_empty() { family(query.family) } else { &query.name };
    let wanted_system = system(&query.name).or(match query.family {
        OsFamily::Rhel => Some("rhel"),
        OsFamily::Sles => Some("sles"),
        OsFamily::Windows => Some("windows"),
        OsFamily::Linux | OsFamily::Other => None,
    });
    let by_hand = "name one in the connection's \"images\" setting";
    let Some(wanted_system) = wanted_system else {
        let what = format!(
            "no image can be chosen for \"{asked}\", because its name tells no known system; {by_hand}"
        );
        return Err(ErrorKind::NotFound.because(what));
    };
    let of_system: Vec<&Candidate> =
        candidates.iter().filter(|candidate| system(&candidate.name) == Some(wanted_system)).collect();
    let version = version(query);
    let fitting = of_system.iter().filter(|candidate| {
        candidate.architecture.is_none_or(|architecture| architecture == query.architecture)
            && version.as_deref().is_none_or(|version| fits(&candidate.name, version))
    });
    let newest =
        fitting.min_by_key(|candidate| (Reverse(&candidate.created), &candidate.name, &candidate.id));
    newest.copied().ok_or_else(|| {
        let mut others: Vec<&str> = of_system.iter().map(|candidate| candidate.name.as_str()).collect();
        others.sort_unstable();
        others.dedup();
        let others = match others.len() {
            0 => format!("none of {} images is one of {wanted_system}", candidates.len()),
            _ => format!("of {wanted_system} there is {}", others[..others.len().min(5)].join(", ")),
        };
        let architecture = match query.architecture {
            Architecture::X86_64 => "x86_64",
            Architecture::Arm64 => "arm64",
            Architecture::Other => "its instruction set",
        };
        ErrorKind::NotFound
            .because(format!("there is no image of \"{asked}\" for {architecture}: {others}; {by_hand}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(name: &str) -> ImageQuery {
        let family = if name.contains("Windows") { OsFamily::Windows } else { OsFamily::Linux };
        ImageQuery { family, name: name.into(), version: None, architecture: Architecture::X86_64 }
    }

    fn image(name: &str, architecture: Architecture, created: &str) -> Candidate {
        let id = format!("{name}@{created}");
        Candidate { id, name: name.into(), architecture: Some(architecture), created: created.into() }
    }

    #[test]
    fn the_newest_image_of_system_version_and_architecture_is_chosen() {
        let images = [
            image("ubuntu-jammy-22.04-amd64-server", Architecture::X86_64, "2026-01"),
            image("ubuntu-jammy-22.04-amd64-server", Architecture::X86_64, "2026-07"),
            image("ubuntu-jammy-22.04-arm64-server", Architecture::Arm64, "2026-08"),
            image("ubuntu-noble-amd64-server", Architecture::X86_64, "2026-08"),
            image("Rocky-9.4-x86_64", Architecture::X86_64, "2025-01"),
            image("Windows_Server-2019-English-Full", Architecture::X86_64, "2026-02"),
        ];
        let chosen = |name: &str| choose(&query(name), &images).map(|image| image.id.as_str());
        assert_eq!(chosen("Ubuntu 22.04.3 LTS"), Ok("ubuntu-jammy-22.04-amd64-server@2026-07"));
        assert_eq!(chosen("Ubuntu 24.04 LTS"), Ok("ubuntu-noble-amd64-server@2026-08"));
        assert_eq!(chosen("Rocky Linux 9"), Ok("Rocky-9.4-x86_64@2025-01"));
        assert_eq!(
            chosen("Microsoft Windows Server 2019 Standard"),
            Ok("Windows_Server-2019-English-Full@2026-02")
        );
        for (name, part) in [
            ("Ubuntu 14.04", "of ubuntu there is ubuntu-jammy"),
            ("Debian GNU/Linux 12", "none of 6 images is one of debian"),
            ("", "tells no known system"),
        ] {
            let refused = choose(&query(name), &images).expect_err("there is none");
            assert_eq!(refused.kind, ErrorKind::NotFound);
            assert!(refused.message.contains(part), "{name}: {}", refused.message);
        }
    }

    #[test]
    fn an_image_named_by_hand_is_found_by_the_most_exact_name() {
        let named = Named::parse("linux=any, ubuntu=u, Ubuntu 22.04=u22, windows=w").expect("pairs");
        let of = |name: &str| named.of(&query(name));
        assert_eq!(of("Ubuntu 22.04.3 LTS"), Some("u22"));
        assert_eq!(of("Ubuntu 20.04"), Some("u"));
        assert_eq!(of("Rocky Linux 9.4"), Some("any"));
        assert_eq!(of("Windows Server 2022"), Some("w"));
        assert_eq!(Named::default().of(&query("Ubuntu 22.04")), None);
        assert_eq!(Named::parse("ubuntu").expect_err("no pair").kind, ErrorKind::Invalid);
    }
}

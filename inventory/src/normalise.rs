//! One spelling for each thing that sources spell in many ways: architectures, operating systems, addresses, ports.

use std::net::IpAddr;

use carafe_model::host::{Action, Architecture, Direction, Firmware, Media, Nic, Os, OsFamily, Power};

use crate::text::known;

/// Reads an instruction set.
pub fn architecture(text: &str) -> Architecture {
    match text.trim().to_ascii_lowercase().as_str() {
        "x86_64" | "x86-64" | "amd64" | "x64" | "em64t" => Architecture::X86_64,
        "aarch64" | "arm64" | "armv8" | "armv8l" => Architecture::Arm64,
        _ => Architecture::Other,
    }
}

/// Reads an operating system from the fields of `/etc/os-release`.
pub fn os_release(id: &str, id_like: &str, pretty_name: &str, version: Option<&str>) -> Os {
    let family = match id.trim().to_ascii_lowercase().as_str() {
        "rhel" | "redhat" => OsFamily::Rhel,
        "sles" | "sled" | "sles_sap" => OsFamily::Sles,
        "windows" => OsFamily::Windows,
        "" => os_family(pretty_name),
        // A distribution made from a licensed one, such as Rocky Linux, is not licensed itself.
        _ if !id_like.trim().is_empty() => OsFamily::Linux,
        id => match os_family(pretty_name) {
            OsFamily::Other => os_family(id),
            family => family,
        },
    };
    let name = known(pretty_name).or(known(id)).unwrap_or("unknown").to_owned();
    Os { family, version: version.and_then(known).map(str::to_owned).or_else(|| version_in(&name)), name }
}

/// Reads an operating system from one line of text, as hypervisors show it.
pub fn os(text: &str) -> Os {
    let name = text.trim().to_owned();
    Os { family: os_family(&name), version: version_in(&name), name }
}

fn os_family(text: &str) -> OsFamily {
    const LINUXES: [&str; 18] = [
        "linux", "ubuntu", "debian", "centos", "rocky", "alma", "fedora", "photon", "coreos", "opensuse",
        "asianux", "amazon", "alpine", "gentoo", "mint", "flatcar", "kali", "raspbian",
    ];
    let text = text.to_ascii_lowercase();
    let has = |word: &str| text.contains(word);
    if has("windows") {
        OsFamily::Windows
    } else if has("red hat") || has("rhel") {
        OsFamily::Rhel
    } else if has("suse linux enterprise") || has("sles") {
        OsFamily::Sles
    } else if LINUXES.iter().any(|name| has(name)) {
        OsFamily::Linux
    } else {
        OsFamily::Other
    }
}

/// The first word that starts with a digit: `8` in `Red Hat Enterprise Linux 8 (64-bit)`.
fn version_in(name: &str) -> Option<String> {
    name.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit())).map(str::to_owned)
}

/// What a disk is made of; `None` for words that do not say.
pub fn media(text: &str) -> Option<Media> {
    match text.trim().to_ascii_lowercase().as_str() {
        "ssd" | "nvme" | "flash" => Some(Media::Ssd),
        "hdd" | "rotational" | "sata" | "sas" => Some(Media::Hdd),
        _ => None,
    }
}

/// A hardware address in lower case with colons; `None` for anything else and for all zeros.
pub fn mac(text: &str) -> Option<String> {
    let digits: String = text
        .trim()
        .chars()
        .filter(|c| !matches!(c, ':' | '-' | '.'))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let is_mac = digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    if !is_mac || digits.bytes().all(|b| b == b'0') {
        return None;
    }
    let pairs: Vec<&str> = (0..6).map(|at| &digits[at * 2..at * 2 + 2]).collect();
    Some(pairs.join(":"))
}

/// An identifier in the one form in which identifiers of several sources can be compared: hexadecimal digits alone.
/// `None` for what is not a UUID or a machine id.
pub fn identity(text: &str) -> Option<String> {
    let digits: String = text
        .trim()
        .chars()
        .filter(|c| !matches!(c, '-' | '{' | '}'))
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let is_uuid = digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let says_something = digits.bytes().any(|b| b != b'0') && digits.bytes().any(|b| b != b'f');
    (is_uuid && says_something).then_some(digits)
}

/// The same SMBIOS UUID with its first three groups in the other byte order: tools disagree on it.
pub fn swapped_identity(digits: &str) -> Option<String> {
    if digits.len() != 32 || !digits.is_ascii() {
        return None;
    }
    let swap = |range: std::ops::Range<usize>| -> String {
        range.step_by(2).rev().map(|at| &digits[at..at + 2]).collect()
    };
    Some(format!("{}{}{}{}", swap(0..8), swap(8..12), swap(12..16), &digits[16..]))
}

/// Whether a text is an IP address, with or without a prefix length.
pub fn is_address(text: &str) -> bool {
    let (address, prefix) = match text.split_once('/') {
        Some((address, prefix)) => (address, Some(prefix)),
        None => (text, None),
    };
    let Ok(address) = address.parse::<IpAddr>() else { return false };
    let most = if address.is_ipv4() { 32 } else { 128 };
    prefix.is_none_or(|prefix| prefix.len() <= 3 && prefix.parse::<u8>().is_ok_and(|length| length <= most))
}

/// The address of `10.0.0.1/24` without its prefix length.
pub fn bare_address(text: &str) -> Option<IpAddr> {
    text.split('/').next().and_then(|address| address.trim().parse().ok())
}

/// The addresses of a list with any usual separator that mean something beyond the host itself.
pub fn addresses(text: &str) -> Vec<String> {
    let parts = text.split([',', ';', ' ', '|', '\n']).map(str::trim);
    let mut found: Vec<String> = Vec::new();
    for part in parts.filter(|part| is_address(part) && bare_address(part).is_some_and(is_reachable)) {
        if !found.iter().any(|known| known == part) {
            found.push(part.to_owned());
        }
    }
    found
}

/// Interfaces out of a list of addresses and one of hardware addresses, where nothing says which belong together: the
/// first interface has all addresses.
pub fn nics(ips: &str, macs: &str) -> Vec<Nic> {
    let addresses = addresses(ips);
    let macs: Vec<String> = macs.split([',', ';', ' ', '|']).filter_map(mac).collect();
    let mut nics: Vec<Nic> = macs
        .into_iter()
        .enumerate()
        .map(|(at, mac)| Nic { name: format!("nic {}", at + 1), mac: Some(mac), ..Nic::default() })
        .collect();
    if nics.is_empty() && !addresses.is_empty() {
        nics.push(Nic { name: "nic 1".to_owned(), ..Nic::default() });
    }
    if let Some(first) = nics.first_mut() {
        first.addresses = addresses;
    }
    nics
}

/// How a machine boots.
pub fn firmware(text: &str) -> Option<Firmware> {
    match text.trim().to_ascii_lowercase().as_str() {
        "bios" | "legacy" | "legacy-bios" => Some(Firmware::Bios),
        "efi" | "uefi" | "uefi-preferred" => Some(Firmware::Uefi),
        _ => None,
    }
}

/// Whether a machine runs, by the last word of what clouds and hypervisors say.
pub fn power(text: &str) -> Option<Power> {
    let text = text.trim().to_ascii_lowercase();
    match text.rsplit([' ', '/']).next().unwrap_or_default() {
        "poweredon" | "on" | "running" | "active" | "started" | "up" => Some(Power::On),
        "poweredoff" | "off" | "stopped" | "deallocated" | "terminated" | "shutoff" | "shelved"
        | "shelved_offloaded" | "shut" | "down" | "stopping" => Some(Power::Off),
        "suspended" | "paused" | "saved" => Some(Power::Suspended),
        _ => None,
    }
}

/// Whether an address means something beyond its own host and wire.
pub fn is_reachable(address: IpAddr) -> bool {
    let on_own_wire = match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    !(address.is_loopback() || address.is_unspecified() || on_own_wire)
}

/// Whether an interface of this name belongs to the host's own loopback, containers or virtual bridges.
pub fn is_internal_interface(name: &str) -> bool {
    const PREFIXES: [&str; 13] = [
        "docker",
        "veth",
        "cali",
        "cni",
        "flannel",
        "virbr",
        "vnet",
        "kube-",
        "nodelocaldns",
        "tunl",
        "vxlan.",
        "cilium",
        "podman",
    ];
    let bridge_of_docker = name
        .strip_prefix("br-")
        .is_some_and(|id| id.len() == 12 && id.bytes().all(|b| b.is_ascii_hexdigit()));
    name == "lo"
        || bridge_of_docker
        || name.starts_with("Loopback")
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

/// A network in CIDR notation, or `*` for every one; a lone address gets its full prefix length.
pub fn network(text: Option<&str>) -> Option<String> {
    let Some(text) = text.and_then(known) else { return Some("*".to_owned()) };
    if matches!(text.to_ascii_lowercase().as_str(), "*" | "any" | "anywhere" | "0.0.0.0/0" | "default") {
        return Some("*".to_owned());
    }
    if !is_address(text) {
        return None;
    }
    Some(match (text.contains('/'), text.contains(':')) {
        (true, _) => text.to_owned(),
        (false, true) => format!("{text}/128"),
        (false, false) => format!("{text}/32"),
    })
}

/// Ports as `80,443` or `1024-65535`, or `*` for all of them; `a:b` ranges are understood.
pub fn ports(text: Option<&str>) -> Option<String> {
    let Some(text) = text.and_then(known) else { return Some("*".to_owned()) };
    if matches!(text.to_ascii_lowercase().as_str(), "*" | "any" | "all" | "0" | "0-65535" | "1-65535") {
        return Some("*".to_owned());
    }
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect::<String>().replace(':', "-");
    are_ports(&text).then_some(text)
}

/// Whether a text is `*` or a list of ports and ranges.
pub fn are_ports(text: &str) -> bool {
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
    text == "*"
        || text.split(',').all(|part| match part.split_once('-') {
            Some((from, to)) => matches!((port(from), port(to)), (Some(from), Some(to)) if from <= to),
            None => port(part).is_some(),
        })
}

/// A protocol of a firewall rule: `tcp`, `udp`, `icmp`, `icmpv6`, `*`, or the source's own word.
pub fn protocol(text: Option<&str>) -> String {
    match text.and_then(known).map(str::to_ascii_lowercase).as_deref() {
        None | Some("*" | "any" | "all" | "0") => "*".to_owned(),
        Some("6") => "tcp".to_owned(),
        Some("17") => "udp".to_owned(),
        Some("1") => "icmp".to_owned(),
        Some("58" | "ipv6-icmp") => "icmpv6".to_owned(),
        Some(other) => other.to_owned(),
    }
}

/// Which way a rule looks.
pub fn direction(text: &str) -> Option<Direction> {
    match text.trim().to_ascii_lowercase().as_str() {
        "inbound" | "in" | "ingress" | "input" => Some(Direction::Inbound),
        "outbound" | "out" | "egress" | "output" => Some(Direction::Outbound),
        _ => None,
    }
}

/// What a rule does.
pub fn action(text: &str) -> Option<Action> {
    match text.trim().to_ascii_lowercase().as_str() {
        "allow" | "accept" | "permit" => Some(Action::Allow),
        "deny" | "drop" | "reject" | "block" => Some(Action::Deny),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operating_systems_fall_into_families_by_how_they_are_charged() {
        use OsFamily::{Linux, Other, Rhel, Sles, Windows};
        for (text, family, version) in [
            ("Microsoft Windows Server 2019 (64-bit)", Windows, Some("2019")),
            ("Red Hat Enterprise Linux 8 (64-bit)", Rhel, Some("8")),
            ("SUSE Linux Enterprise 15 (64-bit)", Sles, Some("15")),
            ("openSUSE Leap 15.5", Linux, Some("15.5")),
            ("CentOS 7 (64-bit)", Linux, Some("7")),
            ("VMware Photon OS (64-bit)", Linux, None),
            ("Oracle Solaris 11 (64-bit)", Other, Some("11")),
        ] {
            let found = os(text);
            assert_eq!((found.family, found.version.as_deref()), (family, version), "{text}");
        }
        for (id, like, pretty, family) in [
            ("ubuntu", "debian", "Ubuntu 22.04.3 LTS", Linux),
            ("rocky", "rhel centos fedora", "Rocky Linux 9.3 (Blue Onyx)", Linux),
            ("rhel", "fedora", "Red Hat Enterprise Linux 9.3 (Plow)", Rhel),
            ("debian", "", "Debian GNU/Linux 12 (bookworm)", Linux),
            ("", "", "Microsoft Windows Server 2022 Standard", Windows),
            ("freebsd", "", "FreeBSD 14.0", Other),
        ] {
            assert_eq!(os_release(id, like, pretty, None).family, family, "{pretty}");
        }
    }

    #[test]
    fn addresses_ports_and_networks_take_one_form() {
        assert_eq!(mac("02-00-5E-00-00-0A").as_deref(), Some("02:00:5e:00:00:0a"));
        assert_eq!(mac("00:00:00:00:00:00"), None);
        assert_eq!(network(Some("10.0.0.5")).as_deref(), Some("10.0.0.5/32"));
        assert_eq!(network(Some("0.0.0.0/0")).as_deref(), Some("*"));
        assert_eq!(network(Some("10.0.0.0/40")), None);
        assert_eq!(ports(Some("80, 443")).as_deref(), Some("80,443"));
        assert_eq!(ports(Some("1024:65535")).as_deref(), Some("1024-65535"));
        assert_eq!(ports(Some("90-80")), None);
        assert_eq!(ports(None).as_deref(), Some("*"));
        for (text, fits) in [("10.0.0.1", true), ("10.0.0.1/24", true), ("::1/129", false), ("10.0.0", false)]
        {
            assert_eq!(is_address(text), fits, "{text}");
        }
    }

    #[test]
    fn a_uuid_is_the_same_in_either_byte_order() {
        let one = identity("{00112233-4455-6677-8899-AABBCCDDEEFF}").expect("a UUID");
        assert_eq!(swapped_identity(&one).as_deref(), Some("33221100554477668899aabbccddeeff"));
        assert_eq!(identity("vm-123"), None);
        assert_eq!(identity("00000000-0000-0000-0000-000000000000"), None);
    }
}

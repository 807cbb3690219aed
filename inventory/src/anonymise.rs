//! An estate without names: what identifies people, machines and networks is replaced, the same thing always by the same.
//!
//! What a plan costs follows from sizes, systems, use and traffic, which all stay. Hosts keep their order, so that the plan
//! of the replaced estate is that of the original, to the cent. Rules of a policy that match by name or label need the new
//! ones; the map tells them.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use carafe_model::estate::{App, CurrentCost, Endpoint, Estate, Flow, KubernetesCluster, LoadBalancer};
use carafe_model::host::{Disk, FirewallRule, Host, Nic, Os, Route};
use carafe_model::ids::{AppId, ClusterId, HostId, LoadBalancerId};
use serde::{Deserialize, Serialize};

use crate::flows::INTERNET;
use crate::shapes;

/// What was replaced by what, for the one who may know: by kind, then original and replacement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Map {
    kinds: BTreeMap<String, BTreeMap<String, String>>,
}

impl Map {
    /// The replacement of a text, made up at first sight: the kind and a number.
    fn replace(&mut self, kind: &str, text: &str) -> String {
        self.replace_with(kind, text, |number| format!("{kind}-{number:04}"))
    }

    fn replace_with(&mut self, kind: &str, text: &str, make: impl FnOnce(usize) -> String) -> String {
        let known = self.kinds.entry(kind.to_owned()).or_default();
        if let Some(new) = known.get(text) {
            return new.clone();
        }
        let new = make(known.len() + 1);
        known.insert(text.to_owned(), new.clone());
        new
    }

    /// The replacement of an address: networks of 256 addresses keep together, private ones stay private.
    fn address(&mut self, address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V4(v4) if v4.is_unspecified() || v4.is_loopback() || v4.is_broadcast() => address,
            IpAddr::V4(v4) => {
                let [one, two, three, last] = v4.octets();
                let text = format!("{one}.{two}.{three}.0/24");
                let is_private = v4.is_private() || (one == 100 && (64..128).contains(&two));
                let net = self.replace_with("network-address", &text, |number| {
                    let (high, low) = (number / 256 % 256, number % 256);
                    // 198.18.0.0/15 is set apart for measurements and belongs to nobody.
                    if is_private { format!("10.{high}.{low}.0/24") } else { format!("198.18.{low}.0/24") }
                });
                let base: Option<Ipv4Addr> = net.split('/').next().and_then(|text| text.parse().ok());
                let [a, b, c, _] = base.unwrap_or(Ipv4Addr::new(10, 0, 0, 0)).octets();
                IpAddr::V4(Ipv4Addr::new(a, b, c, last))
            }
            IpAddr::V6(v6) if v6.is_unspecified() || v6.is_loopback() => address,
            // The lower half may be made from a hardware address, so nothing of it stays.
            IpAddr::V6(v6) => {
                let new = self.replace_with("address-6", &v6.to_string(), |number| {
                    let [.., high, low] = u64::try_from(number).unwrap_or(u64::MAX).to_be_bytes();
                    Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, u16::from_be_bytes([high, low])).to_string()
                });
                new.parse().unwrap_or(address)
            }
        }
    }

    /// An address with or without a prefix length, or a word such as `*` that names no address.
    fn network(&mut self, text: &str) -> String {
        const WIDE: [&str; 4] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "0.0.0.0/0"];
        if WIDE.contains(&text) {
            return text.to_owned();
        }
        let (address, prefix) =
            text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        match (address.parse::<IpAddr>(), prefix) {
            (Ok(address), Some(prefix)) => format!("{}/{prefix}", self.address(address)),
            (Ok(address), None) => self.address(address).to_string(),
            (Err(_), _) => text.to_owned(),
        }
    }
}

/// Replaces what identifies. Values of labels named in `keep` stay, so that rules of a policy that match on them still do.
pub fn anonymise(estate: Estate, keep: &[&str], map: &mut Map) -> Estate {
    let Estate { carafe, name: _, sources: _, today, mut hosts, flows, apps, load_balancers, clusters } =
        estate;
    hosts.sort_by(|one, other| one.id.cmp(&other.id));
    // Ids are given first and in order, whatever refers to them.
    for host in &hosts {
        map.replace("host", host.id.as_str());
    }
    for app in &apps {
        map.replace("app", app.id.as_str());
    }
    let hosts: Vec<Host> = hosts.into_iter().map(|host| replaced_host(host, keep, map)).collect();
    let apps = apps
        .into_iter()
        .map(|App { id, name: _ }| {
            let id = AppId(map.replace("app", id.as_str()));
            App { name: id.0.clone(), id }
        })
        .collect();
    let flows = flows
        .into_iter()
        .map(|flow| Flow { from: endpoint(flow.from, map), to: endpoint(flow.to, map), ..flow })
        .collect();
    let load_balancers = load_balancers
        .into_iter()
        .map(|balancer| LoadBalancer {
            id: LoadBalancerId(map.replace("load-balancer", balancer.id.as_str())),
            members: host_ids(balancer.members, map),
            software: None,
            ..balancer
        })
        .collect();
    let clusters = clusters
        .into_iter()
        .map(|cluster| KubernetesCluster {
            id: ClusterId(map.replace("cluster", cluster.id.as_str())),
            control_plane: host_ids(cluster.control_plane, map),
            workers: host_ids(cluster.workers, map),
            pod_cidr: cluster.pod_cidr.map(|cidr| map.network(&cidr)),
            service_cidr: cluster.service_cidr.map(|cidr| map.network(&cidr)),
            version: cluster.version,
        })
        .collect();
    let today = today.map(|cost| CurrentCost { source: "as the estate's owner says".to_owned(), ..cost });
    Estate {
        carafe,
        name: "anonymised estate".to_owned(),
        sources: Vec::new(),
        today,
        hosts,
        flows,
        apps,
        load_balancers,
        clusters,
    }
}

fn host_ids(ids: Vec<HostId>, map: &mut Map) -> Vec<HostId> {
    ids.into_iter().map(|id| HostId(map.replace("host", id.as_str()))).collect()
}

fn endpoint(endpoint: Endpoint, map: &mut Map) -> Endpoint {
    match endpoint {
        Endpoint::Host(id) => Endpoint::Host(HostId(map.replace("host", id.as_str()))),
        Endpoint::External(name) if name == INTERNET => Endpoint::External(name),
        Endpoint::External(name) => Endpoint::External(map.replace("external", &name)),
    }
}

/// Takes the host apart field by field, so that a field added later is decided on here before anything builds.
fn replaced_host(host: Host, keep: &[&str], map: &mut Map) -> Host {
    let Host {
        id,
        name: _,
        machine_id,
        app,
        labels,
        architecture,
        vcpus,
        cpu_model,
        memory_mib,
        os,
        firmware,
        power,
        disks,
        nics,
        firewall,
        routes,
        gpu,
        usage,
        // Paths, images and programs of the site say who it is, and decide no price.
        inside: _,
        public_address,
        stays_because,
        monthly_cost,
    } = host;
    let id = HostId(map.replace("host", id.as_str()));
    let labels = labels
        .into_iter()
        .map(|(key, value)| {
            let stays = keep.contains(&key.as_str()) || key == shapes::LABEL;
            let value = if stays { value } else { map.replace("value", &value) };
            (key, value)
        })
        .collect();
    Host {
        name: id.0.clone(),
        id,
        machine_id: machine_id.map(|text| map.replace("machine", &text)),
        app: app.map(|app| AppId(map.replace("app", app.as_str()))),
        labels,
        architecture,
        vcpus,
        cpu_model,
        memory_mib,
        // A system's name is a product's; what people add to it is not.
        os: os.map(|os| Os { name: os_name(&os), ..os }),
        firmware,
        power,
        disks: replaced_disks(disks),
        nics: nics.into_iter().enumerate().map(|(at, nic)| replaced_nic(at, nic, map)).collect(),
        firewall: firewall.into_iter().map(|rule| replaced_rule(rule, map)).collect(),
        routes: routes.into_iter().map(|route| replaced_route(route, map)).collect(),
        gpu,
        usage,
        inside: None,
        public_address,
        stays_because: stays_because.map(|_| "its owner has a reason".to_owned()),
        monthly_cost,
    }
}

/// The product and its version, of what may be a name of the site's own image.
fn os_name(os: &Os) -> String {
    use carafe_model::host::OsFamily::{Linux, Other, Rhel, Sles, Windows};
    const LINUXES: [&str; 12] = [
        "Ubuntu",
        "Debian",
        "CentOS",
        "Rocky",
        "Alma",
        "Fedora",
        "Oracle Linux",
        "Amazon Linux",
        "Alpine",
        "openSUSE",
        "Photon",
        "Flatcar",
    ];
    let lower = os.name.to_lowercase();
    let product = match os.family {
        Linux => LINUXES.into_iter().find(|name| lower.contains(&name.to_lowercase())).unwrap_or("Linux"),
        Rhel => "Red Hat Enterprise Linux",
        Sles => "SUSE Linux Enterprise Server",
        Windows if lower.contains("server") => "Windows Server",
        Windows => "Windows",
        Other => "other system",
    };
    let version = os.version.as_deref().filter(|version| {
        version.len() <= 16
            && version.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | 'R' | 'r'))
    });
    format!("{product} {}", version.unwrap_or_default()).trim().to_owned()
}

fn replaced_disks(disks: Vec<Disk>) -> Vec<Disk> {
    let numbered = disks.into_iter().enumerate();
    numbered.map(|(at, disk)| Disk { name: format!("disk {}", at + 1), ..disk }).collect()
}

fn replaced_nic(at: usize, nic: Nic, map: &mut Map) -> Nic {
    let Nic { name: _, mac, addresses, network } = nic;
    Nic {
        name: format!("nic {}", at + 1),
        mac: mac.map(|mac| {
            map.replace_with("mac", &mac, |number| {
                let [.., one, two, three] = u64::try_from(number).unwrap_or(u64::MAX).to_be_bytes();
                format!("02:00:00:{one:02x}:{two:02x}:{three:02x}")
            })
        }),
        addresses: addresses.iter().map(|address| map.network(address)).collect(),
        network: network.map(|network| map.replace("network", &network)),
    }
}

fn replaced_rule(rule: FirewallRule, map: &mut Map) -> FirewallRule {
    FirewallRule { source: map.network(&rule.source), destination: map.network(&rule.destination), ..rule }
}

fn replaced_route(route: Route, map: &mut Map) -> Route {
    let Route { destination, gateway, interface: _, metric } = route;
    Route {
        destination: map.network(&destination),
        gateway: gateway.map(|gateway| map.network(&gateway)),
        interface: None,
        metric,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_identifies_stays_and_the_same_is_replaced_by_the_same() {
        let mut estate = Estate::empty("Bank of Somewhere");
        for (id, address) in [("vault-db", "10.20.30.40/24"), ("vault-app", "10.20.30.41/24")] {
            let mut host = Host::named(id);
            host.app = Some("vault".into());
            host.machine_id = Some(format!("vault-machine-{id}"));
            host.labels.insert("tier".into(), "vault-tier".into());
            host.labels.insert("owner".into(), "vault-owner".into());
            host.stays_because = Some("vault contract".into());
            host.os = Some(Os {
                family: carafe_model::host::OsFamily::Rhel,
                name: "RHEL vault image".into(),
                version: Some("8.6".into()),
            });
            host.disks = vec![Disk { name: "/vault/data".into(), ..Disk::default() }];
            host.nics = vec![Nic {
                name: "vault0".into(),
                mac: Some("00:50:56:aa:bb:cc".into()),
                addresses: vec![address.into(), "2001:db8::1".into()],
                network: Some("vault-net".into()),
            }];
            estate.hosts.push(host);
        }
        estate.apps = vec![App { id: "vault".into(), name: "The Vault".into() }];
        estate.flows = vec![Flow {
            from: Endpoint::Host("vault-app".into()),
            to: Endpoint::External("vault partner".into()),
            protocol: None,
            port: None,
            gib_month: None,
            gib_month_back: None,
            max_rtt_ms: None,
        }];
        let mut map = Map::default();
        let once = anonymise(estate.clone(), &["tier"], &mut map);
        let text = format!("{once:?}").to_lowercase();
        for secret in [
            "vault-db",
            "vault-app",
            "vault-owner",
            "vault-net",
            "vault0",
            "/vault",
            "contract",
            "partner",
            "image",
            "somewhere",
            "10.20.30",
            "2001:db8",
            "00:50:56",
        ] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        assert_eq!(once.hosts[0].labels["tier"], "vault-tier", "as asked");
        assert_eq!(
            once.hosts[0].nics[0].addresses[0], "10.0.1.41/24",
            "machines of one network stay neighbours"
        );
        assert_eq!(once.hosts[1].nics[0].addresses[0], "10.0.1.40/24");
        assert_eq!(once.hosts[0].app, Some("app-0001".into()));
        assert_eq!(
            once.hosts[0].os.as_ref().map(|os| os.name.as_str()),
            Some("Red Hat Enterprise Linux 8.6")
        );
        assert_eq!(
            anonymise(estate, &["tier"], &mut map),
            once,
            "with the map of before it comes out the same"
        );
    }
}

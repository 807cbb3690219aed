//! Hosts of an estate by whatever measurements and logs call them.

use std::collections::BTreeMap;
use std::net::IpAddr;

use carafe_model::estate::Estate;
use carafe_model::ids::HostId;

use crate::normalise::bare_address;
use crate::text::host_id;

/// Hosts by address and by name. What two hosts share means neither.
pub struct Names {
    addresses: BTreeMap<IpAddr, Option<HostId>>,
    names: BTreeMap<String, Option<HostId>>,
}

impl Names {
    /// Of all hosts: by their addresses, ids, names, names without domain, and machine ids.
    pub fn of(estate: &Estate) -> Names {
        let mut found = Names { addresses: BTreeMap::new(), names: BTreeMap::new() };
        for host in &estate.hosts {
            for address in
                host.nics.iter().flat_map(|nic| &nic.addresses).filter_map(|text| bare_address(text))
            {
                let entry = found.addresses.entry(address).or_insert_with(|| Some(host.id.clone()));
                if entry.as_ref() != Some(&host.id) {
                    *entry = None;
                }
            }
            let short = host.name.split('.').next().unwrap_or_default();
            for name in [host.name.as_str(), short, host.machine_id.as_deref().unwrap_or_default()] {
                let entry = found.names.entry(host_id(name)).or_insert_with(|| Some(host.id.clone()));
                if entry.as_ref() != Some(&host.id) {
                    *entry = None;
                }
            }
        }
        // An id is never shared, so it goes before names.
        for host in &estate.hosts {
            found.names.insert(host_id(host.id.as_str()), Some(host.id.clone()));
        }
        found
    }

    /// The host that has an address.
    pub fn by_address(&self, address: IpAddr) -> Option<&HostId> {
        self.addresses.get(&address)?.as_ref()
    }

    /// The host of a name, with or without its domain.
    pub fn by_name(&self, name: &str) -> Option<&HostId> {
        let named = |name: &str| self.names.get(&host_id(name))?.as_ref();
        named(name).or_else(|| named(name.split('.').next().unwrap_or_default()))
    }

    /// The host of a name or address, with or without a port behind it.
    pub fn find(&self, text: &str) -> Option<&HostId> {
        let text = text.trim();
        let bare = text.rsplit_once(':').filter(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        let bare = bare.map_or(text, |(name, _)| name).trim_matches(['[', ']']);
        let address = |text: &str| text.parse().ok().and_then(|address| self.by_address(address));
        address(text).or_else(|| address(bare)).or_else(|| self.by_name(text)).or_else(|| self.by_name(bare))
    }
}

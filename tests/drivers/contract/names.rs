//! Resources of the suite, small and with short names: some clouds take no more than thirty characters.

use super::*;

pub fn network(name: &str) -> Action {
    Action::Network { name: name.into(), cidr: "10.40.0.0/16".into() }
}

pub fn subnet(name: &str, network: &str, cidr: &str) -> Action {
    Action::Subnet { name: name.into(), network: network.into(), cidr: cidr.into(), zone: None }
}

pub fn key_pair(name: &str) -> Action {
    Action::KeyPair { name: name.into() }
}

pub fn group(name: &str, network: &str, ports: &[(u16, u16)]) -> Action {
    let rule = |&(from, to): &(u16, u16)| AllowRule {
        protocol: "tcp".into(),
        from_port: Some(from),
        to_port: Some(to),
        source: "10.40.0.0/16".into(),
    };
    let rules = ports.iter().map(rule).collect();
    Action::SecurityGroup { name: name.into(), network: network.into(), rules }
}

pub fn disk(name: &str) -> Action {
    Action::Disk { name: name.into(), class: None, size_gib: Gib(100), zone: None }
}

impl Suite<'_> {
    /// A machine on `cf-sub`, `cf-sg` and `cf-key`.
    pub fn machine(&self, name: &str) -> Action {
        let (instance_type, vcpus, memory_mib) = self.world.instance_type();
        Action::Machine {
            name: name.into(),
            instance_type: instance_type.into(),
            vcpus,
            memory_mib,
            image: self.world.image(),
            subnet: "cf-sub".into(),
            security_groups: vec!["cf-sg".into()],
            key_pair: "cf-key".into(),
            root_disk_gib: None,
            root_disk_class: None,
        }
    }

    /// A machine that no cloud can make, for two reasons.
    pub fn impossible_machine(&self) -> Action {
        let Action::Machine { name, vcpus, memory_mib, subnet, security_groups, key_pair, .. } =
            self.machine("cf-none")
        else {
            unreachable!("a machine")
        };
        Action::Machine {
            name,
            instance_type: "no-such-type".into(),
            vcpus,
            memory_mib,
            image: ImageQuery {
                family: OsFamily::Rhel,
                name: "Red Hat Enterprise Linux 3".into(),
                version: None,
                architecture: Architecture::X86_64,
            },
            subnet,
            security_groups,
            key_pair,
            root_disk_gib: None,
            root_disk_class: None,
        }
    }
}

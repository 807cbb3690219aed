//! What importers yield: hosts in which everything is optional and every value keeps its place, and what refers to them.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::estate::{App, CurrentCost, Flow, KubernetesCluster, LoadBalancer, Source};
use carafe_model::finding::Place;
use carafe_model::host::{
    Architecture, Disk, FirewallRule, Firmware, Gpu, Host, Nic, Os, Power, Route, Usage,
};
use carafe_model::ids::{AppId, HostId};
use carafe_model::inside::Inside;
use carafe_model::units::{Mib, Money, Vcpus};

use crate::text::{host_id, one_line};

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it was read.
    pub place: Place,
}

impl<T> At<T> {
    /// A value at a place.
    pub fn new(value: T, place: Place) -> At<T> {
        At { value, place }
    }

    /// The same place with another value.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> At<U> {
        At { value: change(self.value), place: self.place }
    }
}

/// All that one file says.
#[derive(Clone, Debug, Default)]
pub struct RawEstate {
    /// Sources the file itself names, when it is an estate.
    pub sources: Vec<Source>,
    /// What running it costs today.
    pub today: Option<At<CurrentCost>>,
    /// Hosts.
    pub hosts: Vec<RawHost>,
    /// Traffic; hosts are named by their [`RawHost::key`].
    pub flows: Vec<At<Flow>>,
    /// Apps.
    pub apps: Vec<At<App>>,
    /// Load balancers.
    pub load_balancers: Vec<At<RawLoadBalancer>>,
    /// Clusters; hosts are named by their [`RawHost::key`].
    pub clusters: Vec<At<KubernetesCluster>>,
}

impl RawEstate {
    /// Lists the apps that hosts name and that are not listed yet. What stands in a host is the name; its id follows.
    pub fn name_apps(&mut self) {
        let mut known: BTreeSet<AppId> = self.apps.iter().map(|app| app.value.id.clone()).collect();
        for host in &mut self.hosts {
            if let Some(app) = &mut host.app {
                let name = one_line(app.value.as_str());
                app.value = AppId(host_id(&name));
                if known.insert(app.value.clone()) {
                    self.apps.push(At::new(App { id: app.value.clone(), name }, app.place.clone()));
                }
            }
        }
    }
}

/// A load balancer whose members are not looked up yet.
#[derive(Clone, Debug)]
pub struct RawLoadBalancer {
    /// All but the members.
    pub known: LoadBalancer,
    /// The members as the source names them.
    pub members: Vec<At<MemberRef>>,
}

/// How a source names a member of a load balancer.
#[derive(Clone, Debug)]
pub enum MemberRef {
    /// By the [`RawHost::key`] of its file.
    Key(HostId),
    /// By an address it listens on and a name that need not be the host's.
    Address {
        /// IP address, where one is given.
        ip: Option<String>,
        /// Name of the server, where one is given.
        name: Option<String>,
    },
}

/// A host as one file tells it.
#[derive(Clone, Debug, Default)]
pub struct RawHost {
    /// What the same file calls the host elsewhere; unique in the file.
    pub key: String,
    /// Where the host stands.
    pub place: Place,
    /// The id it has in an estate already written.
    pub id: Option<HostId>,
    /// The name people use.
    pub name: Option<At<String>>,
    /// The source's own identifier.
    pub machine_id: Option<At<String>>,
    /// Further identifiers of the same machine, such as its SMBIOS UUID: only to find it in other files.
    pub identities: Vec<String>,
    /// The app it belongs to.
    pub app: Option<At<AppId>>,
    /// Free labels.
    pub labels: BTreeMap<String, At<String>>,
    /// Instruction set.
    pub architecture: Option<At<Architecture>>,
    /// Hardware threads.
    pub vcpus: Option<At<Vcpus>>,
    /// The processor's marketing name.
    pub cpu_model: Option<At<String>>,
    /// Memory.
    pub memory: Option<At<Mib>>,
    /// Operating system.
    pub os: Option<At<Os>>,
    /// How it boots.
    pub firmware: Option<At<Firmware>>,
    /// Whether it runs.
    pub power: Option<At<Power>>,
    /// Disks, the boot disk first.
    pub disks: Option<At<Vec<Disk>>>,
    /// Network interfaces.
    pub nics: Option<At<Vec<Nic>>>,
    /// Firewall rules in order.
    pub firewall: Option<At<Vec<FirewallRule>>>,
    /// Routing table.
    pub routes: Option<At<Vec<Route>>>,
    /// Accelerators.
    pub gpu: Option<At<Gpu>>,
    /// Measured use.
    pub usage: Option<At<Usage>>,
    /// What was found inside the running machine.
    pub inside: Option<At<Inside>>,
    /// Whether it needs a public address.
    pub public_address: Option<At<bool>>,
    /// Why it cannot move.
    pub stays_because: Option<At<String>>,
    /// What it costs a month today.
    pub monthly_cost: Option<At<Money>>,
}

impl RawHost {
    /// A host of which only its key and its place are known.
    pub fn new(key: impl Into<String>, place: Place) -> RawHost {
        RawHost { key: key.into(), place, ..RawHost::default() }
    }

    /// Every hardware address, lower case.
    pub fn macs(&self) -> impl Iterator<Item = &str> {
        self.nics.iter().flat_map(|nics| &nics.value).filter_map(|nic| nic.mac.as_deref())
    }

    /// The host of the model, under an id and a name that fit.
    pub fn into_host(self, id: HostId, name: String) -> Host {
        fn bare<T>(value: Option<At<T>>) -> Option<T> {
            value.map(|at| at.value)
        }
        Host {
            id,
            name,
            machine_id: bare(self.machine_id),
            app: bare(self.app),
            labels: self.labels.into_iter().map(|(key, at)| (key, at.value)).collect(),
            architecture: bare(self.architecture),
            vcpus: bare(self.vcpus),
            cpu_model: bare(self.cpu_model),
            memory_mib: bare(self.memory),
            os: bare(self.os),
            firmware: bare(self.firmware),
            power: bare(self.power),
            disks: bare(self.disks).unwrap_or_default(),
            nics: bare(self.nics).unwrap_or_default(),
            firewall: bare(self.firewall).unwrap_or_default(),
            routes: bare(self.routes).unwrap_or_default(),
            gpu: bare(self.gpu),
            usage: bare(self.usage),
            inside: bare(self.inside),
            public_address: bare(self.public_address).unwrap_or_default(),
            stays_because: bare(self.stays_because),
            monthly_cost: bare(self.monthly_cost),
        }
    }
}

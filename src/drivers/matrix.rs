//! What each driver does on each cloud, and how anybody knows: the table in docs/drivers.md is made from this.

use super::DriverEntry;

/// Something that a driver does on a cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// Reads prices of instance types.
    Price,
    /// Reads regions and zones.
    RegionZone,
    /// Looks images up.
    Image,
    /// Looks instance types up.
    Spec,
    /// Networks and subnets.
    Network,
    /// Security groups with their rules.
    SecurityGroup,
    /// Key pairs.
    KeyPair,
    /// Machines.
    Machine,
    /// Disks and their attachment to machines.
    Disk,
    /// Public addresses.
    PublicAddress,
    /// Images made from a machine.
    UserImage,
    /// Load balancers with members and a health check.
    LoadBalancer,
    /// Managed Kubernetes clusters with their nodes.
    Kubernetes,
    /// Tags that say who made a resource.
    Tags,
}

impl Feature {
    /// Every feature, in the order of the table.
    pub const ALL: [Feature; 14] = [
        Feature::Price,
        Feature::RegionZone,
        Feature::Image,
        Feature::Spec,
        Feature::Network,
        Feature::SecurityGroup,
        Feature::KeyPair,
        Feature::Machine,
        Feature::Disk,
        Feature::PublicAddress,
        Feature::UserImage,
        Feature::LoadBalancer,
        Feature::Kubernetes,
        Feature::Tags,
    ];

    /// The head of its column.
    pub const fn words(self) -> &'static str {
        match self {
            Feature::Price => "price",
            Feature::RegionZone => "region, zone",
            Feature::Image => "image",
            Feature::Spec => "instance type",
            Feature::Network => "network, subnet",
            Feature::SecurityGroup => "security group",
            Feature::KeyPair => "key pair",
            Feature::Machine => "machine",
            Feature::Disk => "disk",
            Feature::PublicAddress => "public address",
            Feature::UserImage => "machine image",
            Feature::LoadBalancer => "load balancer",
            Feature::Kubernetes => "Kubernetes",
            Feature::Tags => "tags",
        }
    }
}

/// How it is known that a driver does something, strongest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// Seen on the real service.
    RealService,
    /// Seen on a program that stands in for the service.
    Emulator,
    /// Seen on exchanges recorded from the service.
    Recorded,
    /// Only the service's documentation says so.
    Documented,
}

impl Proof {
    /// Every proof, strongest first.
    pub const ALL: [Proof; 4] = [Proof::RealService, Proof::Emulator, Proof::Recorded, Proof::Documented];

    /// What a cell of the table says.
    pub const fn words(self) -> &'static str {
        match self {
            Proof::RealService => "real",
            Proof::Emulator => "emulator",
            Proof::Recorded => "recorded",
            Proof::Documented => "documented",
        }
    }
}

/// What a driver does on one cloud.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Support {
    /// The provider, as plans name it.
    pub provider: &'static str,
    /// What it does there, and how that is known; what is absent it does not do.
    pub features: &'static [(Feature, Proof)],
}

impl Support {
    /// How it is known that the driver does something here; `None` when it does not.
    pub fn proof(&self, feature: Feature) -> Option<Proof> {
        self.features.iter().find(|(found, _)| *found == feature).map(|(_, proof)| *proof)
    }
}

/// The table of clouds and drivers, in Markdown, sorted by cloud.
pub fn markdown(drivers: &[DriverEntry]) -> String {
    let mut rows: Vec<(&str, &str, &Support)> = drivers
        .iter()
        .flat_map(|driver| driver.support.iter().map(|support| (support.provider, driver.name, support)))
        .collect();
    rows.sort_by_key(|(provider, driver, _)| (*provider, *driver));
    let mut table = String::from("| cloud | driver |");
    for feature in Feature::ALL {
        table.push_str(&format!(" {} |", feature.words()));
    }
    table.push_str("\n|---|---|");
    table.push_str(&"---|".repeat(Feature::ALL.len()));
    table.push('\n');
    for (provider, driver, support) in rows {
        table.push_str(&format!("| {provider} | {driver} |"));
        for feature in Feature::ALL {
            table.push_str(&format!(" {} |", support.proof(feature).map_or("–", Proof::words)));
        }
        table.push('\n');
    }
    table
}

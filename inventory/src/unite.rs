//! Two accounts of one host: what is missing is filled in, what differs is told with both values and who won.

use carafe_model::finding::Finding;
use carafe_model::host::{
    Architecture, Disk, FirewallRule, Firmware, Gpu, Nic, Os, OsFamily, Power, Route, Usage,
};
use carafe_model::ids::AppId;
use carafe_model::units::{Gib, Mib, Money, Vcpus};

use crate::precedence::Ranks;
use crate::raw::{At, RawHost};
use crate::text::{clip, host_id};

/// Adds to `mine` what `theirs` knows. Where both know, the ranks of their files decide; a difference is `INV-1103`.
pub fn hosts(mine: &mut RawHost, theirs: RawHost, ranks: &Ranks<'_>, id: &str, findings: &mut Vec<Finding>) {
    let mut both = Both { id, ranks, findings };
    both.field("name", "name", &mut mine.name, theirs.name);
    // Machine ids of two formats have nothing in common, so that they differ says nothing.
    mine.machine_id = mine.machine_id.take().or(theirs.machine_id);
    mine.identities.extend(theirs.identities);
    // Two looks into one machine are two moments, not a contradiction.
    mine.inside = match (mine.inside.take(), theirs.inside) {
        (Some(mine), Some(theirs)) if !ranks.later_wins("inside", &mine.place, &theirs.place) => Some(mine),
        (mine, theirs) => theirs.or(mine),
    };
    both.field("app", "app", &mut mine.app, theirs.app);
    for (key, value) in theirs.labels {
        let mut own = mine.labels.remove(&key);
        both.field("labels", &format!("label {}", clip(&key)), &mut own, Some(value));
        mine.labels.extend(own.map(|own| (key, own)));
    }
    both.field("architecture", "architecture", &mut mine.architecture, theirs.architecture);
    both.field("vcpus", "hardware threads", &mut mine.vcpus, theirs.vcpus);
    both.field("cpu_model", "processor model", &mut mine.cpu_model, theirs.cpu_model);
    both.field("memory_mib", "memory", &mut mine.memory, theirs.memory);
    both.field("os", "operating system", &mut mine.os, theirs.os);
    both.field("firmware", "firmware", &mut mine.firmware, theirs.firmware);
    both.field("power", "power state", &mut mine.power, theirs.power);
    both.field("disks", "disks", &mut mine.disks, theirs.disks);
    both.field("nics", "network interfaces", &mut mine.nics, theirs.nics);
    both.field("firewall", "firewall rules", &mut mine.firewall, theirs.firewall);
    both.field("routes", "routes", &mut mine.routes, theirs.routes);
    both.field("gpu", "accelerators", &mut mine.gpu, theirs.gpu);
    both.field("usage", "measured use", &mut mine.usage, theirs.usage);
    both.field("public_address", "public address", &mut mine.public_address, theirs.public_address);
    both.field("stays_because", "reason to stay", &mut mine.stays_because, theirs.stays_because);
    both.field("monthly_cost", "monthly cost", &mut mine.monthly_cost, theirs.monthly_cost);
}

struct Both<'a> {
    id: &'a str,
    ranks: &'a Ranks<'a>,
    findings: &'a mut Vec<Finding>,
}

impl Both<'_> {
    /// `field` is what the estate calls it, `what` what people do.
    fn field<T: Said>(&mut self, field: &str, what: &str, mine: &mut Option<At<T>>, theirs: Option<At<T>>) {
        let Some(theirs) = theirs else { return };
        let Some(have) = mine else {
            *mine = Some(theirs);
            return;
        };
        let theirs_win = self.ranks.later_wins(field, &have.place, &theirs.place);
        if !have.value.same(&theirs.value) {
            let (kept, dropped) = if theirs_win { (&theirs, &*have) } else { (&*have, &theirs) };
            self.findings.push(
                Finding::warning(
                    "INV-1103",
                    format!(
                        "two sources differ on {what}: {}, or {}",
                        kept.value.said(),
                        dropped.value.said()
                    ),
                )
                .at(theirs.place.clone())
                .host(clip(self.id))
                .help(format!("the first is kept, from {}; the other is at {}", kept.place, dropped.place)),
            );
        }
        if theirs_win {
            *have = theirs;
        }
    }
}

/// A value that can be told in a message and compared for what it means.
trait Said: PartialEq {
    fn said(&self) -> String;

    fn same(&self, other: &Self) -> bool {
        self == other
    }
}

impl Said for String {
    fn said(&self) -> String {
        format!("\"{}\"", clip(self))
    }

    /// Names and words that differ in letter case or punctuation alone mean the same.
    fn same(&self, other: &String) -> bool {
        self == other || host_id(self) == host_id(other)
    }
}

impl Said for AppId {
    fn said(&self) -> String {
        format!("\"{}\"", clip(self.as_str()))
    }
}

impl Said for Architecture {
    fn said(&self) -> String {
        match self {
            Architecture::X86_64 => "x86_64",
            Architecture::Arm64 => "arm64",
            Architecture::Other => "another one",
        }
        .to_owned()
    }
}

impl Said for Vcpus {
    fn said(&self) -> String {
        self.0.to_string()
    }
}

impl Said for Mib {
    fn said(&self) -> String {
        format!("{} MiB", self.0)
    }
}

impl Said for Money {
    fn said(&self) -> String {
        self.to_string()
    }
}

impl Said for Os {
    fn said(&self) -> String {
        format!("\"{}\"", clip(&self.name))
    }

    /// A hypervisor knows the system roughly and an agent exactly, so only families contradict each other.
    fn same(&self, other: &Os) -> bool {
        self.family == other.family || self.family == OsFamily::Other || other.family == OsFamily::Other
    }
}

impl Said for Firmware {
    fn said(&self) -> String {
        match self {
            Firmware::Bios => "BIOS",
            Firmware::Uefi => "UEFI",
        }
        .to_owned()
    }
}

impl Said for Power {
    fn said(&self) -> String {
        match self {
            Power::On => "on",
            Power::Off => "off",
            Power::Suspended => "suspended",
        }
        .to_owned()
    }
}

impl Said for Vec<Disk> {
    fn said(&self) -> String {
        let size = |disk: &Disk| disk.size_gib.map_or_else(|| "?".to_owned(), |Gib(size)| size.to_string());
        let sizes: Vec<String> = self.iter().take(8).map(size).collect();
        format!("{} of {} GiB", self.len(), sizes.join(", "))
    }

    /// Sources name disks differently; what counts is how many there are and how large.
    fn same(&self, other: &Vec<Disk>) -> bool {
        let sizes = |disks: &[Disk]| {
            let mut sizes: Vec<Option<Gib>> = disks.iter().map(|disk| disk.size_gib).collect();
            sizes.sort();
            sizes
        };
        sizes(self) == sizes(other)
    }
}

impl Said for Vec<Nic> {
    fn said(&self) -> String {
        let macs: Vec<&str> = self.iter().take(4).filter_map(|nic| nic.mac.as_deref()).collect();
        format!("{} ({})", self.len(), macs.join(", "))
    }

    /// Sources name interfaces differently; what counts is their hardware addresses.
    fn same(&self, other: &Vec<Nic>) -> bool {
        let macs = |nics: &[Nic]| {
            let mut macs: Vec<String> = nics.iter().filter_map(|nic| nic.mac.clone()).collect();
            macs.sort();
            macs
        };
        let (mine, theirs) = (macs(self), macs(other));
        mine.is_empty() || theirs.is_empty() || mine == theirs
    }
}

impl Said for Vec<FirewallRule> {
    fn said(&self) -> String {
        format!("{} rules", self.len())
    }
}

impl Said for Vec<Route> {
    fn said(&self) -> String {
        format!("{} routes", self.len())
    }
}

impl Said for Gpu {
    fn said(&self) -> String {
        format!("{} {}", self.count, clip(self.model.as_deref().unwrap_or_default()))
    }
}

impl Said for Usage {
    fn said(&self) -> String {
        format!("{} hours, {} % of them measured", self.window_hours, self.coverage_percent)
    }
}

impl Said for bool {
    fn said(&self) -> String {
        if *self { "yes" } else { "no" }.to_owned()
    }
}

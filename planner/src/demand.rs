//! How large a machine a host needs: what it has, or what it was measured to use.

use carafe_model::catalog::Term;
use carafe_model::finding::Finding;
use carafe_model::host::{Architecture, Distribution, Host, Media, OsFamily};
use carafe_model::language::{Said, Sentence};
use carafe_model::plan::Demand;
use carafe_model::policy::{HostPolicy, Licence, Licences, Policy, SizingStrategy};
use carafe_model::units::{Gib, Mib, Quantity, Vcpus};

use crate::assumed;
use crate::credits;

/// Everything that decides which offers a host may have, apart from where they are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shape {
    /// Least hardware threads.
    pub vcpus: Vcpus,
    /// Least memory.
    pub memory: Mib,
    /// What an offer must be apart from large enough.
    pub class: Class,
}

/// What an offer must be apart from large enough.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class {
    /// Instruction set.
    pub architecture: Architecture,
    /// Accelerators: how many, and the model where the host's is known.
    pub gpu: Option<(u32, String)>,
    /// Whether processor time may be rationed.
    pub burstable: bool,
    /// Terms that may be used, in the order in which ties are decided.
    pub terms: Vec<Term>,
    /// The system whose licence is paid with the machine.
    pub licence: Option<OsFamily>,
    /// What it uses of processors all day, in thousandths of a hardware thread; zero where that was not measured. Rounded
    /// up to a coarse scale, so that hosts that are alike share their candidates.
    pub sustained_milli: u32,
    /// Network throughput it needs, in Mbit/s, rounded up likewise; zero where it was not measured.
    pub network_mbps: u32,
    /// Instance types that may be used, as `provider/type`; any when absent.
    pub offers: Option<Vec<String>>,
}

/// A disk a host needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskNeed {
    /// Its name on the host.
    pub name: String,
    /// What it must be made of.
    pub media: Media,
    /// Its size, or what is counted with when that is unknown.
    pub size: Gib,
    /// Whether the size is known.
    pub is_known: bool,
}

/// What one host needs.
#[derive(Clone, Debug)]
pub struct Need {
    /// Of its machine.
    pub shape: Shape,
    /// What the plan says about it.
    pub demand: Demand,
    /// Of disks, the boot disk first.
    pub disks: Vec<DiskNeed>,
}

/// Finds what a host needs; findings are about this host.
///
/// # Errors
/// Sentences that say why that cannot be known.
pub fn need(
    host: &Host,
    rules: &HostPolicy<'_>,
    policy: &Policy,
    findings: &mut Vec<Finding>,
) -> Result<Need, Vec<Sentence>> {
    let source_vcpus = rules.vcpus.or(host.vcpus).filter(|vcpus| vcpus.0 > 0);
    let source_memory = rules.memory_mib.or(host.memory_mib).filter(|memory| memory.0 > 0);
    let mut unknown: Vec<Sentence> = Vec::new();
    if source_vcpus.is_none() {
        unknown.push(Said::new("unplaced.vcpus-unknown").into());
    }
    if source_memory.is_none() {
        unknown.push(Said::new("unplaced.memory-unknown").into());
    }
    let (Some(source_vcpus), Some(source_memory)) = (source_vcpus, source_memory) else {
        unknown.push(Said::new("unplaced.add-both").into());
        return Err(unknown);
    };
    let (vcpus, memory, basis) = size(host, source_vcpus, source_memory, policy, findings);
    let family = host.os.as_ref().map(|os| os.family);
    let mut terms = usable_terms(rules.terms, policy.pricing.horizon_months);
    if !rules.interruptible {
        terms.retain(|term| *term != Term::Spot);
    }
    let mut class = Class {
        // VMware and most exports do not tell; what they run on is x86-64.
        architecture: host.architecture.unwrap_or(Architecture::X86_64),
        gpu: host
            .gpu
            .as_ref()
            .filter(|gpu| gpu.count > 0)
            .map(|gpu| (gpu.count, gpu.model.clone().unwrap_or_default())),
        burstable: rules.burstable,
        terms,
        licence: family.filter(|family| pays_licence(*family, &policy.licences)),
        sustained_milli: 0,
        network_mbps: 0,
        offers: rules.offers.map(<[String]>::to_vec),
    };
    let measured = basis == "measured";
    if let Some(usage) = host.usage.as_ref().filter(|_| measured) {
        if let Some(cpu) = &usage.cpu_percent {
            class.sustained_milli = credits::sustained_milli(cpu, usage.window_hours, source_vcpus, policy);
        }
        if let Some(network) = &usage.network_mbps {
            let used = percentile(network, policy.sizing.percentile);
            class.network_mbps = network_step(used, policy.sizing.headroom.network);
        }
    }
    let disks = host.disks.iter().enumerate().map(|(place, disk)| {
        let size = match (disk.size_gib.filter(|size| size.0 > 0), disk.used_gib) {
            // An image of the boot disk is written as it is; only data can be copied to a smaller disk.
            (Some(size), Some(used)) if measured && place > 0 => {
                Some(Gib(scaled(used.0, policy.sizing.headroom.disk).max(10).min(size.0)))
            }
            (size, _) => size,
        };
        DiskNeed {
            name: disk.name.clone(),
            // Solid state unless the source says that it spins: the slower kind would be a hidden downgrade.
            media: disk.media.unwrap_or(Media::Ssd),
            size: size.unwrap_or(Gib(assumed::DISK_GIB.likely as u64)),
            is_known: size.is_some(),
        }
    });
    let mut disks: Vec<DiskNeed> = disks.collect();
    if disks.is_empty() {
        // Whatever runs boots from something.
        let likely = Gib(assumed::DISK_GIB.likely as u64);
        disks.push(DiskNeed { name: "boot".to_owned(), media: Media::Ssd, size: likely, is_known: false });
    }
    if disks.iter().any(|disk| !disk.is_known) {
        findings.push(
            Finding::warning("PLN-0201", Said::new("finding.disk-size"))
                .host(host.id.as_str())
                .help(Said::new("help.disk-size")),
        );
    }
    Ok(Need {
        shape: Shape { vcpus, memory, class },
        demand: Demand { source_vcpus, source_memory_mib: source_memory, vcpus, memory_mib: memory, basis },
        disks,
    })
}

/// The terms that end within the horizon: a longer one would be paid for months nobody plans for.
pub fn usable_terms(terms: &[Term], horizon_months: u32) -> Vec<Term> {
    Term::ALL.into_iter().filter(|term| terms.contains(term) && term.months() <= horizon_months).collect()
}

/// Whether the plan pays for a system's licence.
pub fn pays_licence(family: OsFamily, licences: &Licences) -> bool {
    let choice = match family {
        OsFamily::Windows => licences.windows,
        OsFamily::Rhel => licences.rhel,
        OsFamily::Sles => licences.sles,
        OsFamily::Linux | OsFamily::Other => return false,
    };
    choice == Licence::Included
}

fn size(
    host: &Host,
    vcpus: Vcpus,
    memory: Mib,
    policy: &Policy,
    findings: &mut Vec<Finding>,
) -> (Vcpus, Mib, Sentence) {
    if policy.sizing.strategy == SizingStrategy::AsIs {
        return (vcpus, memory, Said::new("basis.as-is").into());
    }
    let mut fall_back = |why: &str| {
        findings.push(
            Finding::warning("PLN-0202", Said::new("finding.sized-as-is").with("why", Said::new(why)))
                .host(host.id.as_str())
                .help(Said::new("help.sized-as-is")),
        );
        (vcpus, memory, Said::new("basis.fell-back").with("why", Said::new(why)).into())
    };
    let Some(usage) = &host.usage else { return fall_back("basis.nothing-measured") };
    if usage.coverage_percent < assumed::LEAST_COVERAGE_PERCENT {
        return fall_back("basis.little-measured");
    }
    let (Some(cpu), Some(used)) = (&usage.cpu_percent, &usage.memory_mib) else {
        return fall_back("basis.part-measured");
    };
    let headroom = &policy.sizing.headroom;
    let percent = percentile(cpu, policy.sizing.percentile);
    let memory_used = percentile(used, policy.sizing.percentile);
    let whole = 100_000_000;
    if cpu.max.0 > whole || i128::from(used.max.0) > i128::from(memory.0) * 1_000_000 {
        return fall_back("more was measured in use than it has");
    }
    // A host that does nothing is switched off, or its meter is: neither says what it needs.
    if percent.0 <= 0 || memory_used.0 <= 0 {
        return fall_back("the measured use is zero");
    }
    // Percent × threads × factor: 10^2 for percent, 10^6 for each decimal.
    let busy = i128::from(percent.0) * i128::from(vcpus.0) * i128::from(headroom.cpu.0);
    let threads = u32::try_from(div_up(busy, 100_000_000_000_000)).unwrap_or(u32::MAX).max(1);
    let mib =
        |quantity: Quantity| u64::try_from(div_up(i128::from(quantity.0), 1_000_000)).unwrap_or(u64::MAX);
    // The most that was ever in use is a floor: what does not fit into memory is killed, not slowed down.
    let needed = scaled(mib(memory_used), headroom.memory).max(mib(used.max));
    let least = match host.os.as_ref().map(|os| os.family) {
        Some(OsFamily::Windows) => assumed::LEAST_MEMORY_WINDOWS_MIB,
        _ => assumed::LEAST_MEMORY_MIB,
    };
    (Vcpus(threads), Mib(needed.max(least)), Said::new("basis.measured").into())
}

/// Throughput that machines are sold with, in Mbit/s. A need between two of them takes the larger anyway.
const NETWORK_STEPS: [u32; 17] = [
    500, 750, 1_000, 1_500, 2_000, 3_000, 4_000, 5_000, 6_000, 8_000, 10_000, 12_500, 15_000, 20_000, 25_000,
    50_000, 100_000,
];

/// A throughput times head-room, rounded up to one that is sold; more than any is kept as it is, so that nothing fits.
fn network_step(used: Quantity, headroom: Quantity) -> u32 {
    let exact = div_up(i128::from(used.0) * i128::from(headroom.0), 1_000_000_000_000);
    let mbps = u32::try_from(exact.max(0)).unwrap_or(u32::MAX);
    if mbps == 0 { 0 } else { NETWORK_STEPS.into_iter().find(|step| *step >= mbps).unwrap_or(mbps) }
}

/// The percentile of a distribution that is kept at or above the asked one.
pub fn percentile(distribution: &Distribution, percentile: u32) -> Quantity {
    match percentile {
        ..=50 => distribution.p50,
        51..=90 => distribution.p90,
        91..=95 => distribution.p95,
        96..=99 => distribution.p99,
        100.. => distribution.max,
    }
}

fn scaled(amount: u64, factor: Quantity) -> u64 {
    let product = div_up(i128::from(amount) * i128::from(factor.0), 1_000_000);
    u64::try_from(product).unwrap_or(u64::MAX)
}

fn div_up(numerator: i128, divisor: i128) -> i128 {
    numerator.div_euclid(divisor) + i128::from(numerator.rem_euclid(divisor) != 0)
}

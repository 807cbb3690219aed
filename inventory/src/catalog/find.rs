//! Looks for the cheapest machines over all clouds, and says what is doubtful about a catalog.

use std::collections::BTreeMap;

use carafe_model::catalog::{InstanceType, Offer, Snapshot, Term};
use carafe_model::host::Architecture;
use carafe_model::idx::Idx;
use carafe_model::units::{Mib, Rate, Vcpus};
use serde::Serialize;

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// At least so many hardware threads.
    pub vcpus: Vcpus,
    /// At least so much memory.
    pub memory: Mib,
    /// In one of these countries; anywhere when empty.
    pub countries: Vec<String>,
    /// Of one of these providers; of any when empty.
    pub providers: Vec<String>,
    /// With this instruction set.
    pub architecture: Architecture,
    /// With at least so many accelerators.
    pub gpus: u32,
    /// Paid like this.
    pub term: Term,
    /// With Windows; only by the hour.
    pub windows: bool,
    /// So many at most.
    pub limit: usize,
}

/// A machine that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Found {
    /// `provider/region`.
    pub region: String,
    /// The country of the region; empty when unknown.
    pub country: String,
    /// The provider's name of the machine.
    pub name: String,
    /// Its hardware threads.
    pub vcpus: u32,
    /// Its memory.
    pub memory_mib: u64,
    /// Price of an hour.
    pub hour: Rate,
    /// The date of the price.
    pub as_of: String,
    /// Where the price is from.
    pub source: String,
    /// Why it may be wrong; empty when nothing speaks against it.
    pub doubt: String,
}

/// The cheapest machines that fit, cheapest first; doubtful ones behind all others, whatever they cost.
pub fn find(snapshot: &Snapshot, wanted: &Wanted) -> Vec<Found> {
    let offers = &snapshot.offers;
    let fits: Vec<bool> = snapshot.instance_types.iter().map(|kind| is_enough(kind, wanted)).collect();
    let is_here: Vec<bool> = snapshot
        .regions
        .iter()
        .map(|region| {
            let provider = snapshot.providers[region.provider].name.as_str();
            let named = |list: &[String], name: &str| list.is_empty() || list.iter().any(|item| item == name);
            named(&wanted.providers, provider) && named(&wanted.countries, &region.country)
        })
        .collect();
    let usual = Usual::of(snapshot);
    let mut best: Vec<(bool, Rate, usize)> = Vec::new();
    for row in 0..offers.len() {
        if !is_here[offers.region[row].usize()] || !fits[offers.instance_type[row].usize()] {
            continue;
        }
        let offer = Idx::<Offer>::from_usize(row);
        let rate = match wanted.windows {
            true => offers.windows_rate(offer),
            false => offers.rate(offer, wanted.term),
        };
        if let Some(rate) = rate {
            best.push((usual.doubt(snapshot, row).is_some(), rate, row));
        }
    }
    best.sort_unstable();
    best.truncate(wanted.limit);
    best.into_iter().map(|(_, rate, row)| found(snapshot, &usual, rate, row)).collect()
}

fn is_enough(kind: &InstanceType, wanted: &Wanted) -> bool {
    kind.vcpus >= wanted.vcpus
        && kind.memory >= wanted.memory
        && kind.architecture == wanted.architecture
        && kind.gpus.unwrap_or(0) >= wanted.gpus
}

fn found(snapshot: &Snapshot, usual: &Usual, hour: Rate, row: usize) -> Found {
    let offers = &snapshot.offers;
    let kind = &snapshot.instance_types[offers.instance_type[row]];
    let source = &snapshot.sources[offers.source[row]];
    Found {
        region: snapshot.region_path(offers.region[row]),
        country: snapshot.regions[offers.region[row]].country.clone(),
        name: kind.name.clone(),
        vcpus: kind.vcpus.0,
        memory_mib: kind.memory.0,
        hour,
        as_of: source.as_of.clone(),
        source: source.name.clone(),
        doubt: usual.doubt(snapshot, row).map(Doubt::words).unwrap_or_default().to_owned(),
    }
}

/// Why a price may be wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Doubt {
    /// The same machine costs at least twice as much in most regions.
    FarBelowOtherRegions,
    /// A thread costs less than a fifth of what the provider's threads usually do.
    CheapThread,
    /// A thread costs more than five times of what the provider's threads usually do.
    DearThread,
}

impl Doubt {
    const ALL: [Doubt; 3] = [Doubt::FarBelowOtherRegions, Doubt::CheapThread, Doubt::DearThread];

    const fn words(self) -> &'static str {
        match self {
            Doubt::FarBelowOtherRegions => "less than half of what it costs in other regions",
            Doubt::CheapThread => "far cheaper for each vCPU than this provider is",
            Doubt::DearThread => "far dearer for each vCPU than this provider is",
        }
    }
}

/// Regions in which a machine must be sold for its prices to say what is usual.
const ENOUGH_REGIONS: usize = 4;
/// How far a thread may be from the middle of its provider's before its price is looked at.
const FAR: i64 = 5;

/// What things usually cost.
struct Usual {
    /// By instance type: the median over regions, where there are enough.
    by_type: Vec<Option<Rate>>,
    /// By provider: the median price of a thread of machines without accelerators.
    by_thread: Vec<Option<i64>>,
}

impl Usual {
    fn of(snapshot: &Snapshot) -> Usual {
        let offers = &snapshot.offers;
        let mut of_type: Vec<Vec<i64>> = vec![Vec::new(); snapshot.instance_types.len()];
        let mut of_thread: Vec<Vec<i64>> = vec![Vec::new(); snapshot.providers.len()];
        for row in 0..offers.len() {
            let at = offers.instance_type[row];
            let (kind, rate) = (&snapshot.instance_types[at], offers.on_demand[row].0);
            of_type[at.usize()].push(rate);
            if kind.gpus.unwrap_or(0) == 0 {
                of_thread[kind.provider.usize()].push(rate / i64::from(kind.vcpus.0.max(1)));
            }
        }
        let median = |rates: &mut Vec<i64>| {
            let middle = rates.len().checked_sub(1)? / 2;
            Some(*rates.select_nth_unstable(middle).1)
        };
        let by_type = of_type
            .iter_mut()
            .map(|rates| if rates.len() >= ENOUGH_REGIONS { median(rates).map(Rate) } else { None });
        Usual { by_type: by_type.collect(), by_thread: of_thread.iter_mut().map(median).collect() }
    }

    fn doubt(&self, snapshot: &Snapshot, row: usize) -> Option<Doubt> {
        let offers = &snapshot.offers;
        let at = offers.instance_type[row];
        let (kind, rate) = (&snapshot.instance_types[at], offers.on_demand[row].0);
        if self.by_type[at.usize()].is_some_and(|usual| rate < (usual.0 + 1) / 2) {
            return Some(Doubt::FarBelowOtherRegions);
        }
        // Accelerators, shared processors and machines of much memory cost what they cost.
        let is_plain = kind.gpus.unwrap_or(0) == 0 && kind.burstable != Some(true);
        let thread = rate / i64::from(kind.vcpus.0.max(1));
        let usual = self.by_thread[kind.provider.usize()].filter(|_| is_plain)?;
        let gib_a_thread = kind.memory.0 / 1024 / u64::from(kind.vcpus.0.max(1));
        if thread < usual / FAR {
            return Some(Doubt::CheapThread);
        }
        (thread > usual.saturating_mul(FAR) && gib_a_thread <= 8).then_some(Doubt::DearThread)
    }
}

/// What is doubtful, stale or missing in a catalog, by provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Quality {
    /// The provider.
    pub provider: String,
    /// Offers with a price.
    pub offers: usize,
    /// Instance types that have no price anywhere, so are never chosen.
    pub unpriced: usize,
    /// Offers whose price is older than asked for.
    pub stale: usize,
    /// Offers whose price is doubtful, by reason.
    pub doubtful: BTreeMap<&'static str, usize>,
    /// A few of them: `region/type: reason`.
    pub examples: Vec<String>,
    /// Offers whose source qualifies its figure, by what it says.
    pub qualified: BTreeMap<String, usize>,
}

/// How many doubtful offers are named.
const EXAMPLES: usize = 5;

/// Judges a catalog. Prices from before `stale_before` (a date) are stale.
pub fn quality(snapshot: &Snapshot, stale_before: &str) -> Vec<Quality> {
    let offers = &snapshot.offers;
    let usual = Usual::of(snapshot);
    let mut all: Vec<Quality> = snapshot
        .providers
        .iter()
        .map(|provider| Quality { provider: provider.name.to_string(), ..Quality::default() })
        .collect();
    let mut is_priced = vec![false; snapshot.instance_types.len()];
    for row in 0..offers.len() {
        let region = offers.region[row];
        let of = &mut all[snapshot.regions[region].provider.usize()];
        let source = &snapshot.sources[offers.source[row]];
        is_priced[offers.instance_type[row].usize()] = true;
        of.offers += 1;
        of.stale += usize::from(source.as_of.as_str() < stale_before);
        if !source.quality.is_empty() {
            *of.qualified.entry(source.quality.clone()).or_default() += 1;
        }
        if let Some(doubt) = usual.doubt(snapshot, row) {
            *of.doubtful.entry(doubt.words()).or_default() += 1;
            if of.examples.len() < EXAMPLES {
                let name = &snapshot.instance_types[offers.instance_type[row]].name;
                of.examples.push(format!("{}/{name}: {}", snapshot.region_path(region), doubt.words()));
            }
        }
    }
    for (kind, _) in snapshot.instance_types.iter().zip(is_priced).filter(|(_, is_priced)| !is_priced) {
        all[kind.provider.usize()].unpriced += 1;
    }
    debug_assert!(all.iter().all(|of| of.doubtful.len() <= Doubt::ALL.len()), "reasons are listed");
    all
}

//! What no snapshot lets in, whatever the format: each rule once, for all importers.

use std::collections::BTreeMap;

use carafe_model::catalog::{InstanceType, LicencePrice, Provider, TransferTier};
use carafe_model::finding::Severity;
use carafe_model::host::{Architecture, OsFamily};
use carafe_model::idx::Idx;
use carafe_model::units::{Mib, Rate, Vcpus};

use super::findings::{Findings, clip};
use super::listing::{Machine, Quote, Sale, tier};

/// A machine of two threads and 4 GiB for a cent is a mark that something is announced, not a price. Below that size
/// there are real ones: a `t4g.nano` has two threads, half a GiB, and costs less.
const PLACEHOLDER: Rate = Rate(10_000_000);
const PLACEHOLDER_VCPUS: Vcpus = Vcpus(2);
const PLACEHOLDER_MEMORY: Mib = Mib::from_gib(4);

/// Whether a price is one that marks something announced but not yet sold. The mark is a cent of a dollar, so it is
/// looked for in the price as it is written, whatever the currency: nothing larger than that is for sale for less.
pub(super) fn is_placeholder(rate: Rate, vcpus: Vcpus, memory: Mib) -> bool {
    rate <= PLACEHOLDER && vcpus >= PLACEHOLDER_VCPUS && memory >= PLACEHOLDER_MEMORY
}

/// A machine whose size is known.
pub(super) fn instance_type(provider: &str, name: &str, machine: &Machine) -> Option<InstanceType> {
    let vcpus = machine.vcpus.filter(|count| *count > 0)?;
    let memory = machine.memory.filter(|memory| memory.0 > 0)?;
    Some(InstanceType {
        provider: Idx::new(0),
        name: name.to_owned(),
        family: match machine.family.is_empty() {
            true => family(provider, name).to_owned(),
            false => machine.family.clone(),
        },
        architecture: machine.architecture.unwrap_or(Architecture::Other),
        vcpus: Vcpus(vcpus),
        memory,
        gpus: machine.gpus,
        gpu_model: machine.gpu_model.clone(),
        burstable: machine.burstable,
        baseline_milli: None,
        network_mbps: machine.network_mbps,
    })
}

/// The family as it stands in a provider's names of machines: `m5` of `m5.large`, `n2` of `n2-standard-4`.
fn family<'a>(provider: &str, name: &'a str) -> &'a str {
    match provider {
        "aws" => name.split('.').next().unwrap_or_default(),
        "alibaba" | "tencent" => name.rsplit_once('.').map_or("", |(family, _)| family),
        "gcp" | "ibm" => name.split('-').next().unwrap_or_default(),
        _ => "",
    }
}

/// What may be sold of a machine.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub on_demand: Quote,
    pub terms: [Rate; 5],
    pub windows: Option<Quote>,
    pub with_system: [Option<Quote>; 2],
}

/// Judges what a list says of a machine in a region.
pub(super) fn sale(
    machine: &InstanceType,
    sale: Sale,
    file: &str,
    findings: &mut Findings,
) -> Option<Judged> {
    let name = clip(&machine.name);
    let mut tell = |code, severity, summary| findings.tally(code, severity, summary, file, &name);
    if sale.is_withheld {
        tell(
            "CAT-1110",
            Severity::Info,
            "prices of machines that are not sold in their region were left out",
        );
        return None;
    }
    let Some(on_demand) = sale.on_demand else {
        tell("CAT-1111", Severity::Info, "machines without an on-demand price stay unpriced");
        return None;
    };
    if on_demand.0.0 < 0 {
        tell("CAT-1103", Severity::Error, "negative prices are not used");
        return None;
    }
    if on_demand.0.0 == 0 {
        tell("CAT-1102", Severity::Warning, "prices of zero are not used, so these machines stay unpriced");
        return None;
    }
    if is_placeholder(on_demand.0, machine.vcpus, machine.memory) {
        tell("CAT-1104", Severity::Warning, "placeholder prices of machines not yet sold are not used");
        return None;
    }
    let terms = sale.terms.map(|quote| match quote {
        Some((rate, _)) if rate.0 > 0 && rate < on_demand.0 => rate,
        Some(_) => {
            tell("CAT-1107", Severity::Warning, "spot or commitment prices not below on-demand are not used");
            Rate(0)
        }
        None => Rate(0),
    });
    let mut above = |quote: Option<Quote>| {
        let quote = quote.filter(|(rate, _)| rate.0 != 0)?;
        if quote.0 < on_demand.0 {
            tell("CAT-1123", Severity::Warning, "prices with a system below those without are not used");
        }
        (quote.0 >= on_demand.0).then_some(quote)
    };
    let windows = above(sale.windows);
    let with_system = sale.with_system.map(above);
    Some(Judged { on_demand, terms, windows, with_system })
}

/// Whether a price of storage is one.
pub(super) fn is_price(rate: Rate, file: &str, name: &str, findings: &mut Findings) -> bool {
    if rate.0 <= 0 {
        findings.tally("CAT-1102", Severity::Warning, "prices of zero are not used", file, &clip(name));
    }
    rate.0 > 0
}

/// Tiers in order; without one from zero there is no price for the first GiB, so there is none at all.
pub(super) fn tiers(tiers: BTreeMap<u64, Rate>, file: &str, findings: &mut Findings) -> Vec<TransferTier> {
    if !tiers.contains_key(&0) {
        let summary = "tiers of traffic that do not begin at zero were left out";
        findings.tally("CAT-2102", Severity::Warning, summary, file, "");
        return Vec::new();
    }
    let dearest_paid = tiers.values().copied().filter(|rate| rate.0 > 0);
    if dearest_paid.clone().zip(dearest_paid.skip(1)).any(|(lower, upper)| upper > lower) {
        let summary = "tiers of traffic that are dearer than the one below; used as written";
        findings.tally("CAT-1403", Severity::Info, summary, file, "");
    }
    tiers.into_iter().map(|(from, rate)| tier(from, rate)).collect()
}

/// What systems cost beside the machine, learnt from machines that are sold with and without.
#[derive(Debug, Default)]
pub(super) struct Surcharges {
    /// By provider, system and size: the dearest that was seen, which is never too cheap.
    seen: BTreeMap<(Idx<Provider>, OsFamily, Vcpus), Quote>,
}

impl Surcharges {
    /// Looks at one machine in one region.
    pub fn learn(&mut self, machine: &InstanceType, sale: &Judged, systems: [OsFamily; 2]) {
        for (quote, os) in sale.with_system.iter().zip(systems) {
            let Some((rate, source)) = quote else { continue };
            let surcharge = (*rate - sale.on_demand.0, *source);
            let known = self.seen.entry((machine.provider, os, machine.vcpus)).or_insert(surcharge);
            *known = surcharge.max(*known);
        }
    }

    /// A licence for each size that was seen; it holds up to the next larger one.
    pub fn licences(self) -> Vec<LicencePrice> {
        let next: Vec<_> = self.seen.keys().copied().skip(1).map(Some).chain([None]).collect();
        let licence =
            |(((provider, os, vcpus), (rate, source)), next): ((_, Quote), Option<(_, _, Vcpus)>)| {
                let upper =
                    next.filter(|next| (next.0, next.1) == (provider, os)).map(|next| Vcpus(next.2.0 - 1));
                LicencePrice {
                    provider,
                    os,
                    vcpus_from: vcpus,
                    vcpus_to: upper,
                    vcpu_hour: Rate(0),
                    machine_hour: rate,
                    source,
                }
            };
        self.seen.into_iter().zip(next).map(licence).collect()
    }
}

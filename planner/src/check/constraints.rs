//! Judges what a policy demands of where hosts are, alone and together. Everything is looked up and measured again here:
//! nothing of this file knows how the planner decides.

use std::collections::{BTreeMap, BTreeSet};

use carafe_model::constraints::{FlowRule, Level, Quota, Service};
use carafe_model::estate::Endpoint;
use carafe_model::plan::Placement;

use super::Judge;

/// A point on the globe, in degrees north and east.
type Point = (f64, f64);

impl Judge<'_> {
    pub(super) fn demands_of_hosts(&mut self) {
        for placement in &self.plan.placements {
            let Some(host) = self.hosts.get(&placement.host).copied() else { continue };
            let rules = self.policy.for_host(host);
            let name = &placement.host;
            let path = format!("{}/{}", placement.provider, placement.region);
            for demanded in rules.certifications.into_iter().flatten() {
                let holds = self.catalog.certifications.iter().any(|held| {
                    let region = &self.catalog.regions[held.region];
                    held.name == *demanded
                        && region.name == placement.region
                        && self.catalog.providers[region.provider].name == placement.provider
                });
                if !holds {
                    self.say(format!("{name} goes to {path}, which is not known to hold {demanded}"));
                }
            }
            let sold = format!("{}/{}", placement.provider, placement.offer);
            if rules.offers.is_some_and(|allowed| !allowed.contains(&sold)) {
                self.say(format!("{name} becomes {sold}, which the policy does not allow"));
            }
            let zone = placement.zone.as_ref().map(|zone| format!("{path}/{zone}"));
            if rules.zones.is_some_and(|allowed| zone.as_ref().is_none_or(|zone| !allowed.contains(zone))) {
                self.say(format!("{name} is not in a zone that the policy allows"));
            }
            if let Some(zone) = &placement.zone {
                let exists = self.catalog.regions.iter().any(|region| {
                    region.name == placement.region
                        && self.catalog.providers[region.provider].name == placement.provider
                        && region.zones.contains(zone)
                });
                if !exists {
                    self.say(format!("{name} goes to zone {zone}, which {path} does not have"));
                }
            }
        }
    }

    pub(super) fn demands_of_groups(&mut self) {
        for (place, group) in self.policy.groups.iter().enumerate() {
            let members: Vec<&Placement> = self
                .plan
                .placements
                .iter()
                .filter(|p| self.hosts.get(&p.host).is_some_and(|host| group.matches.fits(host)))
                .collect();
            let mut wrong = Vec::new();
            if let Some(level) = group.same {
                let places: BTreeSet<Option<String>> =
                    members.iter().map(|placement| place_at(placement, level)).collect();
                if places.len() > 1 || members.len() > 1 && places.contains(&None) {
                    wrong.push(format!("the hosts of group[{place}] are not in one {}", level.name()));
                }
            }
            if let Some(level) = group.apart {
                let mut counts: BTreeMap<Option<String>, u32> = BTreeMap::new();
                for placement in &members {
                    *counts.entry(place_at(placement, level)).or_default() += 1;
                }
                let unknown = members.len() > 1 && counts.contains_key(&None);
                if unknown || counts.values().any(|count| *count > group.at_most) {
                    wrong.push(format!("too many hosts of group[{place}] share a {}", level.name()));
                }
            }
            for what in wrong {
                self.say(what);
            }
        }
    }

    pub(super) fn round_trips(&mut self) {
        let home: BTreeMap<&str, &Placement> =
            self.plan.placements.iter().map(|placement| (placement.host.as_str(), placement)).collect();
        let mut wrong = Vec::new();
        for flow in &self.estate.flows {
            let ends = [&flow.from, &flow.to];
            let hosts = ends.map(|end| match end {
                Endpoint::Host(id) => self.hosts.get(id).copied(),
                Endpoint::External(_) => None,
            });
            let meets = |rule: &FlowRule, a: usize, b: usize| {
                rule.from.fits(ends[a], hosts[a]) && rule.to.fits(ends[b], hosts[b])
            };
            let rules = self.policy.flow_rules.iter();
            let ours = rules.filter(|rule| meets(rule, 0, 1) || meets(rule, 1, 0));
            let Some(budget) = ours.map(|rule| rule.max_rtt_ms).chain(flow.max_rtt_ms).min() else {
                continue;
            };
            let places = ends.map(|end| match end {
                Endpoint::Host(id) => home.get(id.as_str()).copied(),
                Endpoint::External(_) => None,
            });
            let took = match places {
                [Some(a), Some(b)] => self.between(a, b),
                [Some(here), None] => self.to_point(here, ends[1], hosts[1]),
                [None, Some(here)] => self.to_point(here, ends[0], hosts[0]),
                [None, None] => continue,
            };
            // An end whose location nobody gave cannot be judged; the plan says so in a finding.
            if took.is_some_and(|millis| millis > budget.to_f64() + 0.001) {
                wrong.push(format!(
                    "the flow between {} and {} takes longer than {budget} ms",
                    name(&flow.from),
                    name(&flow.to)
                ));
            }
        }
        for what in wrong {
            self.say(what);
        }
    }

    /// Milliseconds there and back between two placements: measured where it was, else by distance.
    fn between(&self, a: &Placement, b: &Placement) -> Option<f64> {
        let find = |placement: &Placement| {
            self.catalog.regions.iter_enumerated().find(|(_, region)| {
                region.name == placement.region
                    && self.catalog.providers[region.provider].name == placement.provider
            })
        };
        let ((a, from), (b, to)) = (find(a)?, find(b)?);
        let measured = self
            .catalog
            .latencies
            .iter()
            .filter(|row| !row.suspect && ((row.from, row.to) == (a, b) || (row.from, row.to) == (b, a)))
            .map(|row| f64::from(row.rtt_micros) / 1_000.0);
        let slowest =
            measured.fold(None, |slowest: Option<f64>, now| Some(slowest.map_or(now, |s| s.max(now))));
        if slowest.is_some() || a == b {
            return slowest.or(Some(2.0));
        }
        let point =
            |(latitude, longitude): (i32, i32)| (f64::from(latitude) / 1e6, f64::from(longitude) / 1e6);
        match (from.coordinates, to.coordinates) {
            (Some(from), Some(to)) => Some(by_distance(point(from), point(to))),
            // Nothing is known, so nothing can be promised.
            _ => Some(f64::INFINITY),
        }
    }

    fn to_point(
        &self,
        here: &Placement,
        end: &Endpoint,
        host: Option<&carafe_model::host::Host>,
    ) -> Option<f64> {
        let place = self.policy.locations.iter().rfind(|location| location.matches.fits(end, host))?;
        let region = self.catalog.regions.iter().find(|region| {
            region.name == here.region && self.catalog.providers[region.provider].name == here.provider
        })?;
        let Some((latitude, longitude)) = region.coordinates else { return Some(f64::INFINITY) };
        let there = (place.latitude.to_f64(), place.longitude.to_f64());
        Some(by_distance((f64::from(latitude) / 1e6, f64::from(longitude) / 1e6), there))
    }

    /// Nobody goes where what it needs cannot be made.
    pub(super) fn capabilities(&mut self) {
        let mut wrong = Vec::new();
        for placement in &self.plan.placements {
            let Some(host) = self.hosts.get(&placement.host) else { continue };
            let lacks = |service: Service| {
                let mut entries = self.policy.unavailable.iter();
                entries.any(|entry| entry.provider == placement.provider && entry.services.contains(&service))
            };
            let is_balanced = self.estate.load_balancers.iter().any(|lb| lb.members.contains(&host.id));
            let is_clustered = self.estate.clusters.iter().any(|cluster| cluster.workers.contains(&host.id));
            if is_balanced && lacks(Service::LoadBalancer)
                || is_clustered && lacks(Service::Kubernetes)
                || host.public_address && lacks(Service::PublicAddress)
            {
                wrong.push(format!("{} goes where something that it needs cannot be made", host.id));
            }
        }
        for what in wrong {
            self.say(what);
        }
    }

    pub(super) fn quotas(&mut self) {
        let mut wrong = Vec::new();
        for (place, quota) in self.policy.quotas.iter().enumerate() {
            let counted: Vec<&Placement> =
                self.plan.placements.iter().filter(|placement| self.counts(quota, placement)).collect();
            let vcpus: u64 = counted.iter().map(|placement| u64::from(placement.vcpus.0)).sum();
            if quota.max_vcpus.is_some_and(|most| vcpus > u64::from(most.0))
                || quota.max_hosts.is_some_and(|most| counted.len() > most as usize)
            {
                wrong.push(format!("quota[{place}] is exceeded"));
            }
        }
        for what in wrong {
            self.say(what);
        }
    }

    fn counts(&self, quota: &Quota, placement: &Placement) -> bool {
        let family = || {
            self.catalog.instance_types.iter().find(|sold| {
                sold.name == placement.offer
                    && self.catalog.providers[sold.provider].name == placement.provider
            })
        };
        quota.region.as_ref().is_none_or(|r| *r == format!("{}/{}", placement.provider, placement.region))
            && quota.provider.as_ref().is_none_or(|provider| *provider == placement.provider)
            && quota.family.as_ref().is_none_or(|name| family().is_some_and(|sold| sold.family == *name))
    }

    pub(super) fn money_cap(&mut self) {
        if let Some(most) = self.policy.targets.max_monthly
            && self.plan.totals.monthly > most
            && !self.plan.findings.iter().any(|finding| finding.code == "PLN-0406")
        {
            self.say(format!("the month costs more than {most}, which the policy forbids"));
        }
    }
}

/// The place of a placement at a level; `None` for a zone that is not fixed.
fn place_at(placement: &Placement, level: Level) -> Option<String> {
    match level {
        Level::Provider => Some(placement.provider.to_string()),
        Level::Region => Some(format!("{}/{}", placement.provider, placement.region)),
        Level::Zone => {
            Some(format!("{}/{}/{}", placement.provider, placement.region, placement.zone.as_ref()?))
        }
    }
}

/// Milliseconds for a distance: 5, and two and a half times what light needs in fibre (200 km in a millisecond, one way).
fn by_distance(a: Point, b: Point) -> f64 {
    let unit = |(latitude, longitude): Point| {
        let (latitude, longitude) = (latitude.to_radians(), longitude.to_radians());
        [latitude.cos() * longitude.cos(), latitude.cos() * longitude.sin(), latitude.sin()]
    };
    let (a, b) = (unit(a), unit(b));
    let cross = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
    let length = |v: [f64; 3]| (v[0] * v[0] + v[1] * v[1] + v[2] * v[2]).sqrt();
    let angle = length(cross).atan2(a[0] * b[0] + a[1] * b[1] + a[2] * b[2]);
    5.0 + 2.5 * (6_371.0 * angle / 100.0)
}

fn name(end: &Endpoint) -> String {
    match end {
        Endpoint::Host(host) => host.to_string(),
        Endpoint::External(name) => name.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_takes_its_time() {
        let seoul = (37.5665, 126.978);
        let near = by_distance(seoul, seoul);
        assert!((near - 5.0).abs() < 1e-9);
        // 1,150 km to Tokyo, as any atlas has it.
        let tokyo = by_distance(seoul, (35.6895, 139.6917));
        assert!((33.0..35.0).contains(&tokyo), "{tokyo}");
    }
}

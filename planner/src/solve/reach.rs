//! Messages over an edge: for every label of the receiving end, the cheapest label of the sending end.
//!
//! `min over r of value(r) + V(r, s)` would take a step for every pair of labels. But `V` only asks how far apart `r` and
//! `s` are in a tree of zones, regions and providers, and splits into what each end pays, so it is enough to know the
//! cheapest sender at each level: linear in the number of labels. Only an edge whose table refuses pairs is looked at pair
//! by pair.

use crate::solve::problem::{Edge, NEVER, Problem, Tariff};

/// Scratch space for messages.
#[derive(Clone, Debug)]
pub struct Reach {
    has_zones: bool,
    /// By label: the value of the sending label itself, or [`NEVER`].
    here: Vec<i64>,
    /// By region: cheapest sender to another zone of it.
    zone: Vec<i64>,
    /// By provider: cheapest senders to another region of it.
    region: Vec<TwoBest>,
    /// Cheapest senders over the internet.
    internet: TwoBest,
}

/// The least of some values, and the least of those that come from elsewhere.
#[derive(Clone, Copy, Debug)]
struct TwoBest {
    best: i64,
    /// Where the least comes from.
    from: u32,
    second: i64,
}

impl TwoBest {
    const NONE: TwoBest = TwoBest { best: NEVER, from: u32::MAX, second: NEVER };

    fn take(&mut self, value: i64, from: u32) {
        if value < self.best {
            if from != self.from {
                self.second = self.best;
            }
            (self.best, self.from) = (value, from);
        } else if from != self.from {
            self.second = self.second.min(value);
        }
    }

    /// The least that does not come from `here`.
    fn except(&self, here: u32) -> i64 {
        if self.from == here { self.second } else { self.best }
    }
}

/// One end of an edge, as a sender.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'s> {
    /// Its labels, ascending.
    pub labels: &'s [u32],
    /// What the edge has moved to each of them: a label's value is the negative of it.
    pub moved: &'s [i64],
    /// Whether it is the end `a`.
    pub is_a: bool,
}

impl Reach {
    /// Scratch space for a problem.
    pub fn new(problem: &Problem) -> Reach {
        let has_zones = problem.places.has_zones();
        Reach {
            has_zones,
            here: vec![NEVER; problem.places.n_labels()],
            zone: vec![NEVER; if has_zones { problem.open_region.len() } else { 0 }],
            region: vec![TwoBest::NONE; problem.open_provider.len()],
            internet: TwoBest::NONE,
        }
    }

    /// Calls `take` with every place among the receiving labels and what the cheapest sender costs it, [`NEVER`] when
    /// the edge's table refuses every sender.
    pub fn send(
        &mut self,
        problem: &Problem,
        edge: &Edge,
        sender: Sender<'_>,
        receiving: &[u32],
        mut take: impl FnMut(usize, i64),
    ) {
        if let Some(table) = edge.table {
            let table = &problem.tables[table as usize];
            for (place, &s) in receiving.iter().enumerate() {
                let cost = |(&r, moved): (&u32, &i64)| {
                    let (of_a, of_b) = if sender.is_a { (r, s) } else { (s, r) };
                    let own = table.cost(of_a, of_b);
                    (own < NEVER).then(|| edge.cost(&problem.places, of_a, of_b) + own - moved)
                };
                let least = sender.labels.iter().zip(sender.moved).filter_map(cost).min();
                take(place, least.unwrap_or(NEVER));
            }
            return;
        }
        let (sends, receives) =
            if sender.is_a { (&edge.a_pays, &edge.b_pays) } else { (&edge.b_pays, &edge.a_pays) };
        self.fill(problem, sends, sender);
        let places = &problem.places;
        for (place, &s) in receiving.iter().enumerate() {
            let s = s as usize;
            let (region, provider) = (places.region[s], places.provider[s]);
            let [zone, other_region, internet] = receives.by_class[places.class[s] as usize];
            let mut least = self.here[s]
                .min(self.region[provider as usize].except(region) + other_region)
                .min(self.internet.except(provider) + internet);
            if self.has_zones {
                // The cheapest zone may be `s` itself: then this is dearer than `here` and does no harm.
                least = least.min(self.zone[region as usize] + zone);
            }
            take(place, least);
        }
        for &label in sender.labels {
            self.here[label as usize] = NEVER;
            if self.has_zones {
                self.zone[places.region_of(label)] = NEVER;
            }
        }
    }

    fn fill(&mut self, problem: &Problem, tariff: &Tariff, sender: Sender<'_>) {
        let places = &problem.places;
        self.region.fill(TwoBest::NONE);
        self.internet = TwoBest::NONE;
        for (&label, moved) in sender.labels.iter().zip(sender.moved) {
            let (label, value) = (label as usize, -moved);
            let (region, provider) = (places.region[label], places.provider[label]);
            let [to_zone, to_region, to_internet] = tariff.by_class[places.class[label] as usize];
            self.here[label] = value;
            if self.has_zones {
                let zone = &mut self.zone[region as usize];
                *zone = (*zone).min(value + to_zone);
            }
            self.region[provider as usize].take(value + to_region, region);
            self.internet.take(value + to_internet, provider);
        }
    }
}

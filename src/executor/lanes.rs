//! How many calls may be under way: in all, to one connection, and about one kind of resource on it.
//!
//! A lane is a connection's kind of resource. Everything that is asked on a lane counts for the lane, for its connection
//! and for the run. A connection that is asked too often, or that must not be asked more than so often a second, is left
//! alone until a moment; the moment is an argument, so that nothing here reads a clock.

use std::collections::BTreeMap;
use std::time::Duration;

use carafe_model::ids::{ProviderName, RegionName};
use tokio::time::Instant;

use super::graph::Graph;
use crate::drivers::Kind;
use crate::drivers::connections::{Connections, Limits};

/// Whether another call may begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// Now.
    Now,
    /// When another call has ended.
    Later,
    /// Not before this moment.
    At(Instant),
}

#[derive(Debug)]
struct Place {
    busy: usize,
    limits: Limits,
    /// No call begins before.
    free_at: Option<Instant>,
}

#[derive(Debug)]
struct Lane {
    place: usize,
    kind: Option<Kind>,
    busy: usize,
}

/// The lanes of a run.
#[derive(Debug)]
pub(super) struct Lanes {
    busy: usize,
    most: usize,
    places: Vec<Place>,
    lanes: Vec<Lane>,
    of_step: Vec<usize>,
}

impl Lanes {
    /// The lanes of a plan's steps; what makes no resource has a lane of its own, which only `most` bounds.
    pub(super) fn new(graph: &Graph<'_>, connections: &Connections, most: usize) -> Lanes {
        let mut lanes = Lanes {
            busy: 0,
            most: most.max(1),
            places: vec![Place { busy: 0, limits: Limits::default(), free_at: None }],
            lanes: Vec::new(),
            of_step: Vec::new(),
        };
        let mut places: BTreeMap<(&ProviderName, &RegionName), usize> = BTreeMap::new();
        let mut known: BTreeMap<(usize, Option<Kind>), usize> = BTreeMap::new();
        for step in graph.steps {
            let kind = Kind::of(&step.action);
            let place = match kind {
                None => 0,
                Some(_) => *places.entry((&step.provider, &step.region)).or_insert_with(|| {
                    let limits = connections.limits(&step.provider, &step.region);
                    lanes.places.push(Place { busy: 0, limits, free_at: None });
                    lanes.places.len() - 1
                }),
            };
            let lane = *known.entry((place, kind)).or_insert_with(|| {
                lanes.lanes.push(Lane { place, kind, busy: 0 });
                lanes.lanes.len() - 1
            });
            lanes.of_step.push(lane);
        }
        lanes
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.lanes.len()
    }

    /// The lane of a step.
    pub(super) fn of(&self, step: usize) -> usize {
        self.of_step[step]
    }

    /// Whether another call may begin on a lane.
    pub(super) fn room(&self, lane: usize, now: Instant) -> Room {
        let lane = &self.lanes[lane];
        let place = &self.places[lane.place];
        let full = |busy: usize, most: Option<u32>| most.is_some_and(|most| busy >= most as usize);
        let of_kind = lane.kind.and_then(|kind| place.limits.kinds.get(&kind).copied());
        if self.busy >= self.most || full(place.busy, place.limits.at_once) || full(lane.busy, of_kind) {
            return Room::Later;
        }
        match place.free_at {
            Some(moment) if moment > now => Room::At(moment),
            Some(_) | None => Room::Now,
        }
    }

    /// A call begins.
    pub(super) fn begin(&mut self, lane: usize, now: Instant) {
        let lane = &mut self.lanes[lane];
        let place = &mut self.places[lane.place];
        lane.busy += 1;
        place.busy += 1;
        self.busy += 1;
        if let Some(rate) = place.limits.per_second.filter(|rate| *rate > 0) {
            place.free_at = Some(place.free_at.unwrap_or(now).max(now) + Duration::from_secs(1) / rate);
        }
    }

    /// A call has ended.
    pub(super) fn end(&mut self, lane: usize) {
        let lane = &mut self.lanes[lane];
        lane.busy -= 1;
        self.places[lane.place].busy -= 1;
        self.busy -= 1;
    }

    /// The connection of a lane asks to be left alone until a moment.
    pub(super) fn leave_alone(&mut self, lane: usize, until: Instant) {
        let place = &mut self.places[self.lanes[lane].place];
        place.free_at = Some(place.free_at.unwrap_or(until).max(until));
    }
}

//! Every way in which a few accidents can befall one step, explored to the end.
//!
//! The protocol and the conduct of a step are pure, so a world of them is a value: what the cloud holds, what the
//! journal says, what two workers believe and are about to do, and which requests still fly about. From each world every
//! next event is taken, accidents as long as some are left, until no new world is found. It must never happen that a
//! resource is made twice, that the journal calls something done that is not there, or that a world has no way on.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use carafe::drivers::{
    Ability, ErrorKind, IdempotencyKey, Kind, Observed, Outcome, Ownership, Removal, Resource, Status,
};
use carafe::executor::State;
use carafe::executor::conduct::{self, Answer, Ask, Case, Next, Tries, Way};
use carafe::executor::journal::next;
use carafe::run_id::RunId;
use carafe::store::StepEvent;
use carafe_model::steps::{Action, Step};

const ACCIDENTS: u8 = 3;

#[derive(Clone, Debug)]
struct World {
    there: bool,
    made: u8,
    journal: State,
    events: u32,
    fence: u8,
    workers: [Option<Worker>; 2],
    /// Requests that were sent and may still take effect.
    flying: Vec<Ask>,
    accidents: u8,
}

#[derive(Clone, Debug)]
struct Worker {
    fence: u8,
    state: State,
    events: u32,
    tries: Tries,
    doing: Doing,
}

#[derive(Clone, Debug)]
enum Doing {
    Begin,
    Commit(Vec<StepEvent>, Next),
    Call(Ask),
    Hear(Ask, Heard),
}

#[derive(Clone, Copy, Debug)]
enum Heard {
    Truth,
    Lost,
    Throttled,
}

struct Rules {
    step: Step,
    run: RunId,
    key: IdempotencyKey,
    way: Way,
}

impl Rules {
    fn new(way: Way) -> Rules {
        let step = Step {
            id: "network".into(),
            wave: 0,
            provider: "aws".into(),
            region: "r".into(),
            host: None,
            after: Vec::new(),
            action: Action::Network { name: "main".into(), cidr: "10.0.0.0/16".into() },
        };
        let key = IdempotencyKey::new("plan", &step.id);
        Rules { step, run: "run".into(), key, way }
    }

    fn case(&self) -> Case<'_> {
        Case {
            step: &self.step,
            ability: Some(Ability::Makes),
            key: self.key.clone(),
            run: &self.run,
            way: self.way,
            checks_first: false,
        }
    }

    fn is_over(&self, state: State) -> bool {
        match self.way {
            Way::Forward => state.is_done(),
            Way::Back => state == State::Removed,
        }
    }

    fn resource(&self) -> Resource {
        Resource {
            id: "n-1".to_owned(),
            kind: Kind::Network,
            name: "main".to_owned(),
            owner: Some(Ownership {
                run: self.run.clone(),
                step: self.step.id.clone(),
                key: self.key.clone(),
            }),
            status: Status::Ready,
        }
    }

    /// What a call does to the cloud; making carries a key, so it is done once.
    fn take_effect(&self, world: &mut World, ask: Ask) {
        match ask {
            Ask::Ensure if !world.there => {
                world.there = true;
                world.made += 1;
            }
            Ask::Remove => world.there = false,
            _ => {}
        }
    }

    fn answer(&self, world: &World, ask: Ask, heard: Heard, was_there: bool) -> Answer {
        let lost = || match heard {
            Heard::Throttled => ErrorKind::Throttled { retry_after: Duration::from_secs(1) }.because("wait"),
            Heard::Lost | Heard::Truth => ErrorKind::Unknown.because("lost"),
        };
        let truth = matches!(heard, Heard::Truth);
        match ask {
            Ask::Ensure if truth && was_there => Answer::Ensured(Ok(Outcome::AlreadyThere(self.resource()))),
            Ask::Ensure => {
                Answer::Ensured(if truth { Ok(Outcome::Made(self.resource())) } else { Err(lost()) })
            }
            Ask::Remove => {
                let removal = if was_there { Removal::Removed } else { Removal::Absent };
                Answer::Removed(if truth { Ok(removal) } else { Err(lost()) })
            }
            _ => {
                let found =
                    world.there.then(|| Observed { resource: self.resource(), differences: Vec::new() });
                Answer::Observed(if truth { Ok(found) } else { Err(lost()) })
            }
        }
    }

    /// Everything that can happen next; `calm` leaves accidents out.
    fn successors(&self, world: &World, calm: bool) -> Vec<World> {
        let mut found = Vec::new();
        for place in 0..world.flying.len() {
            let mut then = world.clone();
            let ask = then.flying.remove(place);
            self.take_effect(&mut then, ask);
            found.push(then);
        }
        let alive = world.workers.iter().flatten().count();
        let costs = u8::from(alive > 0);
        if !self.is_over(world.journal)
            && let Some(free) = world.workers.iter().position(Option::is_none)
            && world.accidents >= costs
            && !(calm && alive > 0)
        {
            let mut then = world.clone();
            then.accidents -= costs;
            then.fence += 1;
            then.workers[free] = Some(Worker {
                fence: then.fence,
                state: then.journal,
                events: then.events,
                tries: Tries::default(),
                doing: Doing::Begin,
            });
            found.push(then);
        }
        for place in 0..world.workers.len() {
            let Some(worker) = &world.workers[place] else { continue };
            if world.accidents > 0 && !calm {
                let mut then = world.clone();
                then.accidents -= 1;
                then.workers[place] = None;
                found.push(then);
            }
            self.moves(world, place, worker, calm, &mut found);
        }
        found
    }

    fn moves(&self, world: &World, place: usize, worker: &Worker, calm: bool, found: &mut Vec<World>) {
        let mut with = |doing: Option<Worker>, change: &dyn Fn(&mut World)| {
            let mut then = world.clone();
            change(&mut then);
            then.workers[place] = doing;
            found.push(then);
        };
        let mut worker = worker.clone();
        match worker.doing.clone() {
            Doing::Begin => {
                let decision = self.begin(&mut worker);
                worker.doing = Doing::Commit(decision.events, decision.next);
                with(Some(worker), &|_| {});
            }
            // The journal refuses whoever has an outdated lease or an outdated view.
            Doing::Commit(..) if worker.fence != world.fence || worker.events != world.events => {
                with(None, &|_| {});
            }
            Doing::Commit(events, after) => {
                let mut state = worker.state;
                for event in &events {
                    state = next(state, event).unwrap_or_else(|illegal| panic!("{illegal}\n{world:?}"));
                }
                (worker.state, worker.events) = (state, worker.events + events.len() as u32);
                let written = worker.events;
                let goes_on = match after {
                    Next::Rest => None,
                    Next::Again => Some(Doing::Begin),
                    Next::Ask(ask, _) => Some(Doing::Call(ask)),
                };
                let worker = goes_on.map(|doing| Worker { doing, ..worker });
                with(worker, &|then| (then.journal, then.events) = (state, written));
            }
            Doing::Call(ask) => {
                let hear = |heard| Some(Worker { doing: Doing::Hear(ask, heard), ..worker.clone() });
                with(hear(Heard::Truth), &|_| {});
                if world.accidents == 0 || calm {
                    return;
                }
                let costs = |then: &mut World| then.accidents -= 1;
                with(hear(Heard::Throttled), &|then| costs(then));
                // Lost with and without effect, now or later, once or twice.
                with(hear(Heard::Lost), &|then| costs(then));
                with(hear(Heard::Lost), &|then| {
                    costs(then);
                    self.take_effect(then, ask);
                });
                // What removes is not delivered late here: after an answer, clouds do not take it up again.
                if ask == Ask::Ensure {
                    with(hear(Heard::Lost), &|then| {
                        costs(then);
                        then.flying.push(ask);
                    });
                    with(hear(Heard::Truth), &|then| {
                        costs(then);
                        then.flying.push(ask);
                    });
                }
            }
            Doing::Hear(ask, heard) => {
                let mut after = world.clone();
                let was_there = after.there;
                if matches!(heard, Heard::Truth) {
                    self.take_effect(&mut after, ask);
                }
                let answer = self.answer(&after, ask, heard, was_there);
                let decision = conduct::answered(&self.case(), worker.state, &mut worker.tries, answer);
                worker.doing = Doing::Commit(decision.events, decision.next);
                with(Some(worker), &|then| (then.there, then.made) = (after.there, after.made));
            }
        }
    }

    fn begin(&self, worker: &mut Worker) -> conduct::Decision {
        if self.way == Way::Back {
            return conduct::begin_removal(&self.case()).expect("a network can be removed");
        }
        match worker.state {
            State::Pending | State::Waiting | State::Failed | State::Removed => {
                conduct::begin(&self.case(), worker.state, &mut worker.tries)
            }
            _ => conduct::recover(&self.case(), worker.state, &mut worker.tries),
        }
    }

    fn check(&self, world: &World) {
        assert!(world.made <= 1, "made twice: {world:?}");
        let settled = world.flying.is_empty();
        match self.way {
            Way::Forward => assert!(!world.journal.is_done() || world.there, "not there: {world:?}"),
            Way::Back if settled => {
                assert!(world.journal != State::Removed || !world.there, "left behind: {world:?}");
            }
            Way::Back => {}
        }
    }

    /// Without further accidents every world comes to its end.
    fn calm_down(&self, world: &World) {
        let mut world = world.clone();
        for _ in 0..60 {
            match self.successors(&world, true).pop() {
                Some(then) => world = then,
                None => break,
            }
            self.check(&world);
        }
        assert!(self.is_over(world.journal), "no way on: {world:?}");
    }

    fn explore(&self, start: Vec<World>) -> Vec<World> {
        let mut seen = BTreeSet::new();
        let mut open: VecDeque<World> = start.into();
        let mut all = Vec::new();
        while let Some(world) = open.pop_front() {
            if !seen.insert(format!("{world:?}")) {
                continue;
            }
            self.check(&world);
            open.extend(self.successors(&world, false));
            all.push(world);
        }
        all
    }
}

#[test]
fn no_order_of_accidents_doubles_loses_or_strands_a_resource() {
    let forward = Rules::new(Way::Forward);
    let start = World {
        there: false,
        made: 0,
        journal: State::Pending,
        events: 0,
        fence: 0,
        workers: [None, None],
        flying: Vec::new(),
        accidents: ACCIDENTS,
    };
    let worlds = forward.explore(vec![start]);
    assert!(worlds.len() > 2_000, "{} worlds", worlds.len());
    for world in &worlds {
        forward.calm_down(world);
    }
    // From everything that can be left behind, the way back, with two accidents of its own.
    let back = Rules::new(Way::Back);
    let mut left: Vec<World> = Vec::new();
    let mut kinds = BTreeSet::new();
    for world in worlds {
        let asked = world.events > 0;
        if asked && world.workers.iter().all(Option::is_none) && world.flying.is_empty() {
            let world = World { accidents: 2, events: 0, fence: 0, ..world };
            if kinds.insert(format!("{world:?}")) {
                left.push(world);
            }
        }
    }
    let worlds = back.explore(left);
    assert!(worlds.len() > 200, "{} worlds", worlds.len());
    for world in &worlds {
        back.calm_down(world);
    }
}

//! How a step is conducted: what is written down and what is asked next, given how it stands and what was answered.
//!
//! Pure, like the protocol it keeps to: no clock, no network, no journal. Whoever has the right to write to a step, the
//! loop of a whole run or one of many workers, does the same three things again and again: it writes down
//! [`Decision::events`], and only then asks [`Next::Ask`], and then brings the answer here. [`begin`] and [`recover`]
//! start that, [`begin_removal`] starts the way back.

use std::time::Duration;

use carafe_model::document::sha256;
use carafe_model::ids::StepId;
use carafe_model::steps::{Action, Step};

use super::hands::Ended;
use super::journal::State;
use crate::drivers::{
    Ability, DriverError, ErrorKind, IdempotencyKey, Kind, Observed, Outcome, Removal, Resource, Status,
};
use crate::run_id::RunId;
use crate::store::StepEvent;

/// How far apart a resource that is being created, or a check that is not well yet, is looked at.
pub const BETWEEN_LOOKS: Duration = Duration::from_secs(5);
/// How often a step is told to wait before it counts as refused.
pub const MOST_THROTTLES: u32 = 10;
/// How often a step may lose a reply, or fail to be observed, before a person is asked.
pub const MOST_LOSSES: u32 = 4;
/// A cloud that asks for a longer wait is asked again all the same.
pub const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The wait after the first loss or throttle; it doubles with each further one, up to [`LONGEST_WAIT`].
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The longest that one call for a kind of resource may take, and the longest that the cloud may be at work on it.
pub const fn deadline(kind: Kind) -> Duration {
    let minutes = match kind {
        Kind::Network | Kind::Subnet | Kind::SecurityGroup | Kind::KeyPair => 15,
        Kind::Machine | Kind::Disk | Kind::Attachment | Kind::PublicAddress | Kind::LoadBalancer => 30,
        Kind::KubernetesCluster => 60,
    };
    Duration::from_secs(minutes * 60)
}

/// What is asked about a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ask {
    /// The driver: what would it refuse? Changes nothing.
    Check,
    /// The driver: make it.
    Ensure,
    /// The driver: what is there? Changes nothing.
    Observe,
    /// The driver: remove it.
    Remove,
    /// The user's hook: run.
    Run,
    /// The user's hook: did it take effect? Changes nothing.
    Verify,
    /// The user's hook: take it back.
    Undo,
    /// The network: is what was moved well? Changes nothing.
    Probe,
}

/// What was answered.
#[derive(Clone, Debug)]
pub enum Answer {
    /// To [`Ask::Check`].
    Checked(Result<Vec<DriverError>, DriverError>),
    /// To [`Ask::Ensure`].
    Ensured(Result<Outcome, DriverError>),
    /// To [`Ask::Observe`].
    Observed(Result<Option<Observed>, DriverError>),
    /// To [`Ask::Remove`].
    Removed(Result<Removal, DriverError>),
    /// To [`Ask::Run`].
    Ran(Ended),
    /// To [`Ask::Verify`].
    Verified(Ended),
    /// To [`Ask::Undo`].
    Undone(Ended),
    /// To [`Ask::Probe`].
    Probed(Ended),
}

/// What a person wants done about a step, beyond what the plan says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Wish {
    /// Nothing.
    #[default]
    None,
    /// It counts as done; by what, as the journal keeps it.
    Confirmed(&'static str),
    /// Whatever there is of it is removed, and it is made again; a hook is run again.
    Retry,
    /// Whatever bears its name is taken as it is.
    Adopt,
}

/// Which way a run goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It makes.
    Forward,
    /// It undoes.
    Back,
}

/// What does not change about a step while it is conducted.
#[derive(Clone, Debug)]
pub struct Case<'s> {
    /// The step.
    pub step: &'s Step,
    /// What its driver can do about its kind; `None` for what makes no resource.
    pub ability: Option<Ability>,
    /// Its key.
    pub key: IdempotencyKey,
    /// The run it is in.
    pub run: &'s RunId,
    /// Which way the run goes.
    pub way: Way,
    /// Whether the driver is asked what it would refuse before anything is intended.
    pub checks_first: bool,
}

/// What is remembered about a step between two answers; forgotten when the process ends.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tries {
    /// How often it was told to wait.
    pub throttled: u32,
    /// How often a reply was lost.
    pub lost: u32,
    /// How often it was looked at and was not ready.
    pub looks: u32,
    /// What a person wants done about it; gone once it is done.
    pub wish: Wish,
}

/// What comes next for a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What is to be written down, before anything is asked.
    pub events: Vec<StepEvent>,
    /// What is to be done then.
    pub next: Next,
}

/// What is to be done about a step once its events are safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Nothing, for now or for good.
    Rest,
    /// It is to begin again as soon as it may.
    Again,
    /// This is asked after a wait.
    Ask(Ask, Duration),
}

fn rest(events: Vec<StepEvent>) -> Decision {
    Decision { events, next: Next::Rest }
}

fn ask(events: Vec<StepEvent>, ask: Ask) -> Decision {
    Decision { events, next: Next::Ask(ask, Duration::ZERO) }
}

fn ask_later(events: Vec<StepEvent>, ask: Ask, wait: Duration) -> Decision {
    Decision { events, next: Next::Ask(ask, wait) }
}

/// The wait after the `nth` loss or throttle of a step: it doubles up to a minute, and half of it is drawn by lot, so
/// that steps that were turned away together do not come back together. The lot is made of the names alone.
pub fn pause(run: &RunId, step: &StepId, nth: u32) -> Duration {
    let whole = FIRST_WAIT.saturating_mul(1 << nth.saturating_sub(1).min(16)).min(LONGEST_WAIT);
    let digest = sha256(format!("{run}\n{step}\n{nth}").as_bytes());
    let lot = u64::from_str_radix(&digest[..4], 16).expect("a digest is hexadecimal");
    let half = u64::try_from(whole.as_millis() / 2).expect("a minute is short");
    Duration::from_millis(half + half * lot / 0xffff)
}

/// Begins a step that is pending, waiting, failed, or was removed to be made again.
pub fn begin(case: &Case<'_>, state: State, tries: &mut Tries) -> Decision {
    if let Wish::Confirmed(by) = tries.wish
        && case.ability.is_none()
    {
        return rest(vec![StepEvent::Confirmed { by: by.to_owned() }]);
    }
    match &case.step.action {
        Action::Manual { text, .. } if state == State::Pending => {
            rest(vec![StepEvent::Waiting { message: text.to_string() }])
        }
        Action::Approval { text, .. } if state == State::Pending => {
            rest(vec![StepEvent::Waiting { message: text.clone() }])
        }
        Action::Manual { .. } | Action::Approval { .. } => rest(Vec::new()),
        Action::Hook { .. } => ask(vec![StepEvent::Intent], Ask::Run),
        Action::Check { .. } => ask(vec![StepEvent::Intent], Ask::Probe),
        Action::Network { .. }
        | Action::Subnet { .. }
        | Action::SecurityGroup { .. }
        | Action::KeyPair { .. }
        | Action::Machine { .. }
        | Action::Disk { .. }
        | Action::Attachment { .. }
        | Action::PublicAddress { .. }
        | Action::LoadBalancer { .. }
        | Action::KubernetesCluster { .. } => begin_resource(case, state, tries),
    }
}

fn begin_resource(case: &Case<'_>, state: State, tries: &mut Tries) -> Decision {
    match tries.wish {
        Wish::Retry if state != State::Removed => return ask(vec![StepEvent::RemoveIntent], Ask::Remove),
        Wish::Adopt => return ask(vec![StepEvent::Intent], Ask::Observe),
        Wish::None | Wish::Confirmed(_) | Wish::Retry => {}
    }
    match case.ability {
        Some(Ability::Adopts) => ask(Vec::new(), Ask::Observe),
        _ if case.checks_first => ask(Vec::new(), Ask::Check),
        _ => ask(vec![StepEvent::Intent], Ask::Ensure),
    }
}

/// Takes up a step that the end of a process left open, on the way there.
pub fn recover(case: &Case<'_>, state: State, tries: &mut Tries) -> Decision {
    let is_being_removed = match state {
        State::Removing | State::RemovalUnknown | State::RemovalFailed => true,
        State::Pending
        | State::Waiting
        | State::Making
        | State::Unknown
        | State::Made
        | State::Adopted
        | State::AlreadyThere
        | State::Confirmed
        | State::Passed
        | State::Failed
        | State::Removed
        | State::Kept => false,
    };
    match &case.step.action {
        Action::Hook { verify, repeat, .. } => match tries.wish {
            Wish::Confirmed(by) => rest(vec![StepEvent::Confirmed { by: by.to_owned() }]),
            Wish::Retry => {
                tries.wish = Wish::None;
                Decision { events: vec![StepEvent::Absent], next: Next::Again }
            }
            Wish::None | Wish::Adopt if verify.is_some() => ask(Vec::new(), Ask::Verify),
            Wish::None | Wish::Adopt if *repeat => {
                Decision { events: vec![StepEvent::Absent], next: Next::Again }
            }
            Wish::None | Wish::Adopt if state == State::Making => rest(vec![in_doubt(&case.step.id)]),
            Wish::None | Wish::Adopt => rest(Vec::new()),
        },
        Action::Check { .. } => ask(Vec::new(), Ask::Probe),
        _ if is_being_removed || tries.wish == Wish::Retry => ask(vec![StepEvent::RemoveIntent], Ask::Remove),
        _ => ask(Vec::new(), Ask::Observe),
    }
}

fn in_doubt(step: &StepId) -> StepEvent {
    StepEvent::Lost {
        message: format!(
            "nobody knows whether it ended; look, then resume with --confirm {step} if it did, or with --retry {step}"
        ),
    }
}

/// Begins to take a step back; `None` when there is nothing to take back.
pub fn begin_removal(case: &Case<'_>) -> Option<Decision> {
    match &case.step.action {
        Action::Hook { undo: Some(_), .. } => Some(ask(vec![StepEvent::RemoveIntent], Ask::Undo)),
        action => Kind::of(action).is_some().then(|| ask(vec![StepEvent::RemoveIntent], Ask::Remove)),
    }
}

/// Makes something of an answer.
pub fn answered(case: &Case<'_>, state: State, tries: &mut Tries, answer: Answer) -> Decision {
    match answer {
        Answer::Checked(answer) => checked(case, tries, answer),
        Answer::Ensured(answer) => ensured(case, tries, answer),
        Answer::Observed(answer) => observed(case, state, tries, answer),
        Answer::Removed(answer) => removed(case, tries, answer),
        Answer::Ran(ended) => ran(case, tries, ended),
        Answer::Verified(ended) => verified(case, tries, ended),
        Answer::Undone(ended) => undone(case, tries, ended),
        Answer::Probed(ended) => probed(case, tries, ended),
    }
}

/// The wait that a throttled step takes before it asks again; `None` when it has been told to wait too often.
fn patience(case: &Case<'_>, tries: &mut Tries, retry_after: Duration) -> Option<Duration> {
    tries.throttled += 1;
    if tries.throttled > MOST_THROTTLES {
        return None;
    }
    let lot = pause(case.run, &case.step.id, tries.throttled);
    // What the cloud asks for is the least; the lot spreads those that were asked together.
    Some(retry_after.min(LONGEST_WAIT) + lot.min(retry_after.min(LONGEST_WAIT) / 4 + FIRST_WAIT))
}

fn checked(case: &Case<'_>, tries: &mut Tries, answer: Result<Vec<DriverError>, DriverError>) -> Decision {
    match answer {
        Ok(refusals) => match refusals.first() {
            None => ask(vec![StepEvent::Intent], Ask::Ensure),
            Some(first) => {
                let all: Vec<&str> = refusals.iter().map(|refusal| refusal.message.as_str()).collect();
                rest(vec![StepEvent::Intent, refused(first.kind, all.join("; "))])
            }
        },
        Err(DriverError { kind: ErrorKind::Throttled { retry_after }, .. }) => {
            match patience(case, tries, retry_after) {
                Some(wait) => ask_later(Vec::new(), Ask::Check, wait),
                None => ask(vec![StepEvent::Intent], Ask::Ensure),
            }
        }
        // Nothing was asked for yet, so there is nothing to find out; the call itself will be judged.
        Err(DriverError { kind: ErrorKind::Unknown, .. }) => ask(vec![StepEvent::Intent], Ask::Ensure),
        Err(DriverError { kind, message }) => rest(vec![StepEvent::Intent, refused(kind, message)]),
    }
}

fn ensured(case: &Case<'_>, tries: &mut Tries, answer: Result<Outcome, DriverError>) -> Decision {
    match answer {
        Ok(outcome) => match &outcome.resource().status {
            Status::Ready => {
                let resource = outcome.resource().id.clone();
                rest(vec![match outcome {
                    Outcome::Made(_) => StepEvent::Made { resource },
                    Outcome::Adopted(_) => StepEvent::Adopted { resource },
                    Outcome::AlreadyThere(_) => StepEvent::AlreadyThere { resource },
                }])
            }
            Status::Creating => look_again(case, tries),
            Status::Broken(message) => rest(vec![broken(case, message)]),
        },
        Err(DriverError { kind: ErrorKind::Throttled { retry_after }, message }) => {
            match patience(case, tries, retry_after) {
                Some(wait) => ask_later(Vec::new(), Ask::Ensure, wait),
                None => rest(vec![refused(ErrorKind::Throttled { retry_after }, message)]),
            }
        }
        Err(DriverError { kind: ErrorKind::Unknown, message }) => {
            tries.lost += 1;
            let wait = pause(case.run, &case.step.id, tries.lost);
            ask_later(vec![StepEvent::Lost { message }], Ask::Observe, wait)
        }
        Err(DriverError { kind, message }) => rest(vec![refused(kind, message)]),
    }
}

fn observed(
    case: &Case<'_>,
    state: State,
    tries: &mut Tries,
    answer: Result<Option<Observed>, DriverError>,
) -> Decision {
    match answer {
        Ok(found) if state.is_open() => resolve(case, tries, found),
        Ok(Some(Observed { resource: Resource { owner: None, .. }, .. })) => {
            ask(vec![StepEvent::Intent], Ask::Ensure)
        }
        // Nothing, or what another plan owns: a person has to make one that can be taken over.
        Ok(_) if state == State::Waiting => rest(Vec::new()),
        Ok(_) => rest(vec![wait_for_person_to_make(case)]),
        Err(DriverError { kind: ErrorKind::Throttled { retry_after }, message }) => {
            match patience(case, tries, retry_after) {
                Some(wait) => ask_later(Vec::new(), Ask::Observe, wait),
                None => cannot_see(state, ErrorKind::Throttled { retry_after }, message),
            }
        }
        Err(DriverError { kind: ErrorKind::Unknown, message }) => {
            tries.lost += 1;
            if tries.lost < MOST_LOSSES {
                let wait = pause(case.run, &case.step.id, tries.lost);
                return ask_later(Vec::new(), Ask::Observe, wait);
            }
            cannot_see(state, ErrorKind::Unknown, message)
        }
        Err(DriverError { kind, message }) => cannot_see(state, kind, message),
    }
}

/// Closes an open intent by what exists.
fn resolve(case: &Case<'_>, tries: &mut Tries, found: Option<Observed>) -> Decision {
    let adopts = case.ability == Some(Ability::Adopts) || tries.wish == Wish::Adopt;
    let by_this_run = found.as_ref().and_then(|found| match &found.resource.owner {
        Some(owner) if owner.key == case.key => Some(owner.run == *case.run),
        None if adopts => Some(false),
        Some(_) | None => None,
    });
    let (Some(by_this_run), Some(Observed { resource, differences })) = (by_this_run, found) else {
        if tries.wish == Wish::Adopt {
            let message = "there is nothing of its name that may be adopted".to_owned();
            return rest(vec![refused(ErrorKind::NotFound, message)]);
        }
        if tries.lost >= MOST_LOSSES {
            let message = "its reply was lost again and again, and nothing of it is there".to_owned();
            return rest(vec![refused(ErrorKind::Unknown, message)]);
        }
        return Decision { events: vec![StepEvent::Absent], next: Next::Again };
    };
    let done = |resource| match by_this_run {
        true => StepEvent::Made { resource },
        false => StepEvent::Adopted { resource },
    };
    if tries.wish == Wish::Adopt {
        return rest(vec![done(resource.id)]);
    }
    match resource.status {
        Status::Creating => look_again(case, tries),
        Status::Broken(message) => rest(vec![broken(case, &message)]),
        Status::Ready if !differences.is_empty() => {
            let message = format!("it exists with other settings: {}", differences.join(", "));
            rest(vec![refused(ErrorKind::Conflict, message)])
        }
        Status::Ready => rest(vec![done(resource.id)]),
    }
}

fn look_again(case: &Case<'_>, tries: &mut Tries) -> Decision {
    tries.looks += 1;
    let longest = Kind::of(&case.step.action).map_or(LONGEST_WAIT, deadline);
    if BETWEEN_LOOKS.saturating_mul(tries.looks) > longest {
        let step = &case.step.id;
        let message = format!(
            "it is still being created after {} minutes; resume to wait on, with --retry {step} to remove it and make \
             it again, or with --adopt {step} to take it as it is",
            longest.as_secs() / 60
        );
        return rest(vec![StepEvent::Lost { message }]);
    }
    ask_later(Vec::new(), Ask::Observe, BETWEEN_LOOKS)
}

fn wait_for_person_to_make(case: &Case<'_>) -> StepEvent {
    let wanted = case.step;
    let kind = Kind::of(&wanted.action).map_or("resource", Kind::words);
    let message = format!(
        "{}/{} lets only a person make a {kind}. Make \"{}\" there by hand, then resume.",
        wanted.provider,
        wanted.region,
        wanted.action.name()
    );
    StepEvent::Waiting { message }
}

/// The target could not be read. An open intent stays in doubt; a step that nothing was asked for has failed.
fn cannot_see(state: State, kind: ErrorKind, message: String) -> Decision {
    match state.is_open() {
        true => rest(vec![StepEvent::Lost { message }]),
        // The protocol knows refusals only of what was intended; no call stands behind this intent.
        false => rest(vec![StepEvent::Intent, refused(kind, message)]),
    }
}

fn removed(case: &Case<'_>, tries: &mut Tries, answer: Result<Removal, DriverError>) -> Decision {
    match (answer, case.way) {
        (Ok(Removal::Removed | Removal::Absent), Way::Back) => rest(vec![StepEvent::Removed]),
        (Ok(Removal::Removed | Removal::Absent), Way::Forward) => {
            tries.wish = Wish::None;
            Decision { events: vec![StepEvent::Removed], next: Next::Again }
        }
        (Ok(Removal::NotOurs), Way::Back) => {
            rest(vec![StepEvent::Kept { message: "what bears its name is not this run's".to_owned() }])
        }
        (Ok(Removal::NotOurs), Way::Forward) => {
            let message = format!(
                "what bears its name is not this run's, so it is not removed; resume with --adopt {} to take it as \
                 it is",
                case.step.id
            );
            rest(vec![remove_refused(ErrorKind::Conflict, message)])
        }
        (Err(DriverError { kind: ErrorKind::Throttled { retry_after }, message }), _) => {
            match patience(case, tries, retry_after) {
                Some(wait) => ask_later(Vec::new(), Ask::Remove, wait),
                None => rest(vec![remove_refused(ErrorKind::Throttled { retry_after }, message)]),
            }
        }
        (Err(DriverError { kind: ErrorKind::Unknown, message }), _) => {
            remove_again(case, tries, message, Ask::Remove)
        }
        (Err(DriverError { kind, message }), _) => rest(vec![remove_refused(kind, message)]),
    }
}

/// Asking again to remove is how a lost removal is observed.
fn remove_again(case: &Case<'_>, tries: &mut Tries, message: String, again: Ask) -> Decision {
    tries.lost += 1;
    let lost = StepEvent::RemoveLost { message };
    if tries.lost >= MOST_LOSSES {
        return rest(vec![lost]);
    }
    let wait = pause(case.run, &case.step.id, tries.lost);
    ask_later(vec![lost, StepEvent::RemoveIntent], again, wait)
}

fn ran(case: &Case<'_>, tries: &mut Tries, ended: Ended) -> Decision {
    let Action::Hook { verify, repeat, .. } = &case.step.action else { return rest(Vec::new()) };
    match ended {
        Ended::Well(message) => rest(vec![StepEvent::Passed { message }]),
        Ended::Badly(message) => rest(vec![StepEvent::Refused { error: "hook".to_owned(), message }]),
        Ended::Unknown(message) => {
            tries.lost += 1;
            let lost = StepEvent::Lost { message };
            if verify.is_some() {
                let wait = pause(case.run, &case.step.id, tries.lost);
                ask_later(vec![lost], Ask::Verify, wait)
            } else if *repeat && tries.lost < MOST_LOSSES {
                let wait = pause(case.run, &case.step.id, tries.lost);
                ask_later(vec![lost, StepEvent::Absent, StepEvent::Intent], Ask::Run, wait)
            } else {
                rest(vec![lost])
            }
        }
    }
}

fn verified(case: &Case<'_>, tries: &mut Tries, ended: Ended) -> Decision {
    match ended {
        Ended::Well(message) => rest(vec![StepEvent::Passed { message }]),
        Ended::Badly(message) if tries.lost >= MOST_LOSSES => {
            rest(vec![StepEvent::Refused { error: "hook".to_owned(), message }])
        }
        Ended::Badly(_) => Decision { events: vec![StepEvent::Absent], next: Next::Again },
        Ended::Unknown(message) => {
            tries.lost += 1;
            if tries.lost < MOST_LOSSES {
                let wait = pause(case.run, &case.step.id, tries.lost);
                return ask_later(Vec::new(), Ask::Verify, wait);
            }
            rest(vec![StepEvent::Lost { message }])
        }
    }
}

fn undone(case: &Case<'_>, tries: &mut Tries, ended: Ended) -> Decision {
    match ended {
        Ended::Well(_) => rest(vec![StepEvent::Removed]),
        Ended::Badly(message) => rest(vec![StepEvent::RemoveRefused { error: "hook".to_owned(), message }]),
        Ended::Unknown(message) => remove_again(case, tries, message, Ask::Undo),
    }
}

fn probed(case: &Case<'_>, tries: &mut Tries, ended: Ended) -> Decision {
    let Action::Check { within_s, .. } = &case.step.action else { return rest(Vec::new()) };
    match ended {
        Ended::Well(message) => rest(vec![StepEvent::Passed { message }]),
        Ended::Badly(message) | Ended::Unknown(message) => {
            tries.looks += 1;
            if BETWEEN_LOOKS.saturating_mul(tries.looks) <= Duration::from_secs(u64::from(*within_s)) {
                return ask_later(Vec::new(), Ask::Probe, BETWEEN_LOOKS);
            }
            rest(vec![StepEvent::Refused { error: "check".to_owned(), message }])
        }
    }
}

fn refused(kind: ErrorKind, message: String) -> StepEvent {
    StepEvent::Refused { error: kind.name().to_owned(), message }
}

fn remove_refused(kind: ErrorKind, message: String) -> StepEvent {
    StepEvent::RemoveRefused { error: kind.name().to_owned(), message }
}

fn broken(case: &Case<'_>, message: &str) -> StepEvent {
    let what = format!(
        "the cloud gave up on it: {message}; resume with --retry {} to remove it and make it again",
        case.step.id
    );
    StepEvent::Refused { error: "broken".to_owned(), message: what }
}

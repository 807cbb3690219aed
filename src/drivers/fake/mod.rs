//! A cloud that is none: it keeps the rules of real ones, in memory or in a file, and fails when it is told to.
//!
//! Demos, dry rehearsals and most tests of the executor run on it. [`cloud`] holds the rules, [`faults`] what can be
//! made to go wrong.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use carafe_model::host::OsFamily;
use carafe_model::ids::{ProviderName, RegionName};
use carafe_model::steps::Action;
use serde_json::json;
use tokio::sync::watch;

use super::connections::{Setting, SettingKind, Settings};
use super::{
    Access, Capabilities, Driver, DriverEntry, DriverError, ErrorKind, Kind, Observed, Outcome, Ownership,
    Quota, Removal, Reply, Resource, Sale, Target,
};
use crate::run_id::RunId;

mod rules;

pub mod cloud;

mod file;

pub mod faults;

pub use cloud::{Cloud, Item, Rules, Slot};
pub use faults::{Call, Effect, Fault, Method};

use faults::{Faults, Weather};
use file::StateFile;

const WHOLE: SettingKind = SettingKind::Whole;

/// The driver `fake` in the list of drivers.
pub const ENTRY: DriverEntry = DriverEntry {
    name: "fake",
    summary: "a simulated cloud for rehearsals: it keeps the rules of a real one and costs nothing",
    settings: &[
        Setting {
            // Whatever else it is told, a simulated cloud is the one in its file.
            identifies: true,
            ..setting(
                "state",
                SettingKind::File,
                "the file the simulated cloud is kept in; in memory without it",
            )
        },
        setting(
            "token",
            SettingKind::Secret,
            "stands for a credential; the value `denied` has every call refused",
        ),
        setting(
            "quota",
            WHOLE,
            "how many of each kind of resource a region allows; without it there is no limit",
        ),
        setting("read_only", WHOLE, "with 1 the account may read and not write"),
        setting(
            "sales",
            SettingKind::Text,
            "instance types for sale, each with how many there are and what an hour costs in USD on demand, for \
             example \"m5.large=3@0.096, c5.large=9\"; without it everything is for sale",
        ),
        setting("images", SettingKind::Text, "systems with an image, for example \"linux, windows\""),
        setting("licences", SettingKind::Text, "licences by system, for example \"windows=2\""),
        setting("latency_ms", WHOLE, "how long every call takes, in milliseconds"),
        setting("refuse_call", WHOLE, "the number of the call, from 1, that is refused for lack of capacity"),
        setting("lose_call", WHOLE, "the number of the call, from 1, whose reply is lost"),
        setting(
            "hang_before_call",
            WHOLE,
            "the number of the call, from 1, that does nothing and never returns",
        ),
        setting(
            "hang_after_call",
            WHOLE,
            "the number of the call, from 1, that does its work and never returns",
        ),
        setting("lose_percent", WHOLE, "so many of a hundred calls lose their reply"),
        setting(
            "error_percent",
            WHOLE,
            "so many of a hundred calls fail with a server error; half of them worked",
        ),
        setting("throttle_percent", WHOLE, "so many of a hundred calls are refused as too many"),
        setting("repeat_percent", WHOLE, "so many of a hundred calls are delivered twice"),
        setting("stuck_percent", WHOLE, "so many of a hundred resources take several looks to become ready"),
        setting("seed", WHOLE, "which calls out of a hundred; the process counts too"),
        setting("calls", SettingKind::File, "the file to which every call is added, as a line of JSON"),
    ],
    support: &[],
    open: open_from_settings,
};

const fn setting(name: &'static str, kind: SettingKind, summary: &'static str) -> Setting {
    Setting { name, kind, required: false, identifies: false, summary }
}

fn open_from_settings(settings: &Settings) -> Result<Arc<dyn Driver>, DriverError> {
    let mut rules = Rules::default();
    if let Some(quota) = settings.whole("quota") {
        rules.quotas = Kind::ALL.into_iter().map(|kind| (kind, quota)).collect();
    }
    rules.read_only = settings.whole("read_only").is_some_and(|flag| flag > 0);
    rules::from_texts(&mut rules, settings)?;
    rules.denied = settings.secret("token").is_some_and(|token| token.expose() == "denied");
    let state = settings.file("state").cloned().map(StateFile::new);
    let mut fake =
        Fake::build(rules, state, Duration::from_millis(settings.whole("latency_ms").unwrap_or(0)))?;
    let inner = Arc::get_mut(&mut fake.inner).expect("nobody else has it yet");
    let percent = |name| settings.whole(name).unwrap_or(0);
    inner.weather = Weather {
        lose: percent("lose_percent"),
        error: percent("error_percent"),
        throttle: percent("throttle_percent"),
        repeat: percent("repeat_percent"),
        stuck: percent("stuck_percent"),
        seed: percent("seed"),
    };
    inner.log = settings.file("calls").cloned();
    if let Some(call) = settings.whole("refuse_call") {
        fake.fault_at(call, Fault::Refuse(ErrorKind::NoCapacity.because("there is none left in this zone")));
    }
    if let Some(call) = settings.whole("lose_call") {
        fake.fault_at(call, Fault::LoseReply);
    }
    if let Some(call) = settings.whole("hang_before_call") {
        fake.fault_at(call, Fault::StopBefore);
    }
    if let Some(call) = settings.whole("hang_after_call") {
        fake.fault_at(call, Fault::StopAfter);
    }
    Ok(Arc::new(fake))
}

/// A simulated cloud; clones are the same cloud.
#[derive(Clone)]
pub struct Fake {
    inner: Arc<Inner>,
}

struct Inner {
    capabilities: Capabilities,
    rules: Rules,
    latency: Duration,
    held: Mutex<Held>,
    faults: Mutex<Faults>,
    weather: Weather,
    log: Option<PathBuf>,
    stopped: watch::Sender<bool>,
}

struct Held {
    cloud: Cloud,
    file: Option<StateFile>,
}

impl Default for Fake {
    fn default() -> Fake {
        Fake::new()
    }
}

impl Fake {
    /// An empty cloud in memory, without limits.
    pub fn new() -> Fake {
        Fake::with_rules(Rules::default())
    }

    /// An empty cloud in memory with rules of its own.
    pub fn with_rules(rules: Rules) -> Fake {
        Fake::build(rules, None, Duration::ZERO).expect("nothing is read from a file")
    }

    /// The cloud in a file; a file that does not exist is an empty cloud.
    ///
    /// # Errors
    /// If the file cannot be read or does not hold a simulated cloud.
    pub fn open(state: PathBuf) -> Result<Fake, DriverError> {
        Fake::build(Rules::default(), Some(StateFile::new(state)), Duration::ZERO)
    }

    fn build(rules: Rules, file: Option<StateFile>, latency: Duration) -> Result<Fake, DriverError> {
        let mut held = Held { cloud: Cloud::default(), file };
        held.change(|_| Ok(((), Effect::Nothing)), Method::List)?;
        let inner = Inner {
            capabilities: Capabilities { kinds: rules.kinds.clone() },
            rules,
            latency,
            held: Mutex::new(held),
            faults: Mutex::default(),
            weather: Weather::default(),
            log: None,
            stopped: watch::Sender::new(false),
        };
        Ok(Fake { inner: Arc::new(inner) })
    }

    /// Has something go wrong at a call, counted from 1 over all methods since the cloud was opened.
    pub fn fault_at(&self, call: u64, fault: Fault) {
        self.faults().at.insert(call, fault);
    }

    /// Forgets all faults and calls and counts from 1 again; what exists stays.
    pub fn forget_faults(&self) {
        *self.faults() = Faults::default();
    }

    /// Every call so far.
    pub fn calls(&self) -> Vec<Call> {
        self.faults().calls.clone()
    }

    /// Returns once any call has met [`Fault::StopBefore`] or [`Fault::StopAfter`] since this last returned.
    pub async fn stopped(&self) {
        let mut stopped = self.inner.stopped.subscribe();
        stopped.wait_for(|stopped| *stopped).await.expect("the sender is in this very cloud");
        self.inner.stopped.send_replace(false);
    }

    /// What exists now.
    pub fn cloud(&self) -> Cloud {
        self.held().cloud.clone()
    }

    /// Puts something there as a person would, without tags or with another's.
    pub fn plant(&self, provider: &str, region: &str, action: Action, owner: Option<Ownership>) {
        let kind = Kind::of(&action).expect("what a person does is not a resource");
        let name = action.name().to_owned();
        let slot = Slot { provider: provider.into(), region: region.into(), kind, name };
        self.held().cloud.plant(slot, action, owner);
    }

    /// Takes something away as a person would, whatever stands on it.
    pub fn uproot(&self, provider: &str, region: &str, kind: Kind, name: &str) {
        let slot = Slot { provider: provider.into(), region: region.into(), kind, name: name.to_owned() };
        self.held().cloud.uproot(&slot);
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.inner.held.lock().expect("no call panics while it holds the cloud")
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.inner.faults.lock().expect("no call panics while it holds the faults")
    }

    /// The way of every call: count it, wait, let the fault of its number act, and write it down.
    async fn call<T: Send>(
        &self,
        method: Method,
        kind: Option<Kind>,
        name: &str,
        act: impl Fn(&mut Cloud, u32) -> Result<(T, Effect), DriverError> + Send,
    ) -> Result<T, DriverError> {
        let (number, fault) = {
            let mut faults = self.faults();
            faults.begun += 1;
            let number = faults.begun;
            (number, faults.at.remove(&number).or_else(|| self.inner.weather.at(number)))
        };
        let delay = match fault {
            Some(Fault::Delay(delay)) => delay,
            _ => self.inner.latency,
        };
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        let creating = match fault {
            Some(Fault::Creating(observations)) => observations,
            _ => 0,
        };
        let result = match &fault {
            Some(Fault::Refuse(error)) => Err(error.clone()),
            Some(Fault::StopBefore) => {
                let call = Call {
                    number,
                    method,
                    kind,
                    name: name.to_owned(),
                    effect: Effect::Nothing,
                    error: None,
                };
                self.note(&call, true)?;
                return self.stop().await;
            }
            _ if self.inner.rules.denied => {
                Err(ErrorKind::Denied.because("the credentials are not accepted"))
            }
            Some(Fault::Repeat) => {
                let first = self.held().change(|cloud| act(cloud, creating), method);
                // The second delivery is answered too, to nobody.
                let _ = self.held().change(|cloud| act(cloud, creating), method);
                first
            }
            _ => self.held().change(|cloud| act(cloud, creating), method),
        };
        let effect = result.as_ref().map_or(Effect::Nothing, |(_, effect)| *effect);
        let reply = match (result, &fault) {
            (Ok(_), Some(Fault::LoseReply)) => Err(ErrorKind::Unknown.because("the reply was lost")),
            (result, _) => result.map(|(answer, _)| answer),
        };
        let error = reply.as_ref().err().map(|error| error.kind);
        let call = Call { number, method, kind, name: name.to_owned(), effect, error };
        self.note(&call, fault == Some(Fault::StopAfter))?;
        self.faults().calls.push(call);
        if fault == Some(Fault::StopAfter) {
            return self.stop().await;
        }
        reply
    }

    /// Adds a call to the file that was asked for.
    fn note(&self, call: &Call, hangs: bool) -> Result<(), DriverError> {
        let Some(path) = &self.inner.log else { return Ok(()) };
        let line = json!({
            "process": std::process::id(), "number": call.number, "method": call.method, "kind": call.kind,
            "name": call.name, "effect": call.effect, "error": call.error.map(ErrorKind::name), "hangs": hangs,
        });
        let added = OpenOptions::new().create(true).append(true).open(path);
        added.and_then(|mut file| file.write_all(format!("{line}\n").as_bytes())).map_err(|error| {
            ErrorKind::Unknown.because(format!("{} cannot be written: {error}", path.display()))
        })
    }

    async fn stop<T>(&self) -> T {
        self.inner.stopped.send_replace(true);
        std::future::pending().await
    }
}

impl Held {
    /// Reads what another process changed, acts, and keeps what the act changed.
    fn change<T>(
        &mut self,
        act: impl FnOnce(&mut Cloud) -> Result<(T, Effect), DriverError>,
        method: Method,
    ) -> Result<(T, Effect), DriverError> {
        let Some(file) = &mut self.file else { return act(&mut self.cloud) };
        // The file is replaced whole, so reading needs no lock, and leaves nothing beside a file that is not there.
        let lock = if method.changes() { Some(file.lock()?) } else { None };
        if let Some(cloud) = file.changed()? {
            self.cloud = cloud;
        }
        let done = act(&mut self.cloud)?;
        if done.1 != Effect::Nothing {
            file.write(&self.cloud)?;
        }
        drop(lock);
        Ok(done)
    }
}

impl Driver for Fake {
    fn capabilities(&self) -> &Capabilities {
        &self.inner.capabilities
    }

    fn access(&self) -> Reply<'_, Access> {
        Box::pin(self.call(Method::Access, None, "", |_, _| {
            let account = Some("simulated".to_owned());
            Ok((Access { account, ..Access::default() }, Effect::Nothing))
        }))
    }

    fn ensure<'a>(&'a self, target: &'a Target) -> Reply<'a, Outcome> {
        let rules = &self.inner.rules;
        Box::pin(self.call(Method::Ensure, Some(target.kind), target.name(), |cloud, creating| {
            let outcome = cloud.ensure(target, rules, creating)?;
            let effect = if matches!(outcome, Outcome::Made(_)) { Effect::Made } else { Effect::Nothing };
            Ok((outcome, effect))
        }))
    }

    fn observe<'a>(&'a self, target: &'a Target) -> Reply<'a, Option<Observed>> {
        Box::pin(self.call(Method::Observe, Some(target.kind), target.name(), |cloud, _| {
            Ok((cloud.observe(target), Effect::Nothing))
        }))
    }

    fn remove<'a>(&'a self, target: &'a Target) -> Reply<'a, Removal> {
        Box::pin(self.call(Method::Remove, Some(target.kind), target.name(), |cloud, _| {
            let removal = cloud.remove(target)?;
            let effect = if removal == Removal::Removed { Effect::Removed } else { Effect::Nothing };
            Ok((removal, effect))
        }))
    }

    fn list<'a>(
        &'a self,
        provider: &'a ProviderName,
        region: &'a RegionName,
        run: Option<&'a RunId>,
    ) -> Reply<'a, Vec<Resource>> {
        Box::pin(self.call(Method::List, None, region.as_str(), move |cloud, _| {
            Ok((cloud.list(provider, region, run), Effect::Nothing))
        }))
    }

    fn check<'a>(&'a self, target: &'a Target) -> Reply<'a, Vec<DriverError>> {
        let rules = &self.inner.rules;
        Box::pin(self.call(Method::Check, Some(target.kind), target.name(), |cloud, _| {
            Ok((cloud.check(target, rules), Effect::Nothing))
        }))
    }

    fn quotas<'a>(
        &'a self,
        provider: &'a ProviderName,
        region: &'a RegionName,
    ) -> Reply<'a, BTreeMap<Kind, Quota>> {
        let rules = &self.inner.rules;
        Box::pin(self.call(Method::Quotas, None, region.as_str(), move |cloud, _| {
            Ok((cloud.quotas(provider, region, rules), Effect::Nothing))
        }))
    }

    fn sales<'a>(
        &'a self,
        provider: &'a ProviderName,
        region: &'a RegionName,
        types: &'a [String],
    ) -> Reply<'a, BTreeMap<String, Sale>> {
        let rules = &self.inner.rules;
        Box::pin(self.call(Method::Sales, None, region.as_str(), move |cloud, _| {
            Ok((cloud.sales(provider, region, types, rules), Effect::Nothing))
        }))
    }

    fn licences<'a>(
        &'a self,
        provider: &'a ProviderName,
        region: &'a RegionName,
    ) -> Reply<'a, BTreeMap<OsFamily, Quota>> {
        let rules = &self.inner.rules;
        Box::pin(self.call(Method::Licences, None, region.as_str(), move |cloud, _| {
            Ok((cloud.licences(provider, region, rules), Effect::Nothing))
        }))
    }

    fn discard<'a>(
        &'a self,
        provider: &'a ProviderName,
        region: &'a RegionName,
        resource: &'a Resource,
    ) -> Reply<'a, Removal> {
        Box::pin(self.call(Method::Discard, Some(resource.kind), &resource.name, move |cloud, _| {
            let removal = cloud.discard(provider, region, resource)?;
            let effect = if removal == Removal::Removed { Effect::Removed } else { Effect::Nothing };
            Ok((removal, effect))
        }))
    }
}

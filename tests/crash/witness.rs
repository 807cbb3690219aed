//! What the executor must have written down, looked at from inside each call to the cloud.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use carafe::drivers::fake::{Fault, Method};
use carafe::drivers::{
    Access, Capabilities, Driver, DriverError, Kind, Observed, Outcome, Quota, Removal, Reply, Resource,
    Sale, Target,
};
use carafe::executor::{RunState, State};
use carafe::run_id::RunId;
use carafe::store::{Journal, StepEvent};
use carafe_model::host::OsFamily;
use carafe_model::ids::{ProviderName, RegionName};

use crate::rig::Rig;

/// A call, and the last event that was safe about its step.
type Seen = (Method, Option<StepEvent>);

/// Passes every call on, and notes the last thing that is safe in the journal about its step when it begins.
struct Witness {
    inner: Arc<dyn Driver>,
    journal: Arc<dyn Journal>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Witness {
    async fn note(&self, method: Method, target: &Target) {
        let loaded = self.journal.load(&target.owner.run).await.expect("the run is written down first");
        let last = loaded.entries.into_iter().rev().find(|entry| entry.step == target.owner.step);
        self.seen.lock().expect("not poisoned").push((method, last.map(|entry| entry.event)));
    }
}

impl Driver for Witness {
    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }
    fn access(&self) -> Reply<'_, Access> {
        self.inner.access()
    }

    fn ensure<'a>(&'a self, target: &'a Target) -> Reply<'a, Outcome> {
        Box::pin(async move {
            self.note(Method::Ensure, target).await;
            self.inner.ensure(target).await
        })
    }
    fn observe<'a>(&'a self, target: &'a Target) -> Reply<'a, Option<Observed>> {
        self.inner.observe(target)
    }
    fn remove<'a>(&'a self, target: &'a Target) -> Reply<'a, Removal> {
        Box::pin(async move {
            self.note(Method::Remove, target).await;
            self.inner.remove(target).await
        })
    }
    fn list<'a>(
        &'a self,
        provider: &'a ProviderName,
        region: &'a RegionName,
        run: Option<&'a RunId>,
    ) -> Reply<'a, Vec<Resource>> {
        self.inner.list(provider, region, run)
    }
    fn check<'a>(&'a self, target: &'a Target) -> Reply<'a, Vec<DriverError>> {
        self.inner.check(target)
    }
    fn quotas<'a>(
        &'a self,
        provider: &'a ProviderName,
        region: &'a RegionName,
    ) -> Reply<'a, BTreeMap<Kind, Quota>> {
        self.inner.quotas(provider, region)
    }
    fn sales<'a>(
        &'a self,
        provider: &'a ProviderName,
        region: &'a RegionName,
        types: &'a [String],
    ) -> Reply<'a, BTreeMap<String, Sale>> {
        self.inner.sales(provider, region, types)
    }

    fn licences<'a>(
        &'a self,
        provider: &'a ProviderName,
        region: &'a RegionName,
    ) -> Reply<'a, BTreeMap<OsFamily, Quota>> {
        self.inner.licences(provider, region)
    }

    fn discard<'a>(
        &'a self,
        provider: &'a ProviderName,
        region: &'a RegionName,
        resource: &'a Resource,
    ) -> Reply<'a, Removal> {
        self.inner.discard(provider, region, resource)
    }
}

#[tokio::test(start_paused = true)]
async fn every_call_that_changes_something_is_preceded_by_its_intent() {
    for parallelism in [1, 4, 64] {
        let mut rig = Rig::new();
        rig.parallelism = parallelism;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let journal = rig.safe();
        rig.connections = rig
            .connections
            .map(|inner| Arc::new(Witness { inner, journal: journal.clone(), seen: seen.clone() }));
        assert_eq!(rig.apply().await.state(), RunState::Done);
        let run = rig.run().await.expect("it was applied");
        assert_eq!(rig.destroy(&run).await.state(), RunState::Destroyed { kept: 0 });
        let seen = seen.lock().expect("not poisoned");
        assert_eq!(seen.len(), rig.effects());
        for (method, last) in seen.iter() {
            let intent = match method {
                Method::Ensure => StepEvent::Intent,
                Method::Remove => StepEvent::RemoveIntent,
                other => panic!("{other:?} changes nothing"),
            };
            assert_eq!(last.as_ref(), Some(&intent), "{parallelism} at a time");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_made_before_everything_open_is_observed() {
    let mut rig = Rig::new();
    for call in 9..12 {
        rig.fake.fault_at(call, Fault::Delay(Duration::from_secs(60)));
    }
    rig.fake.fault_at(12, Fault::StopAfter);
    assert!(rig.apply().await.is_stopped());
    let open = rig.status().await.steps.iter().filter(|step| step.state == State::Making).count();
    assert!(open > 2, "{open} open intents");

    rig.fake.forget_faults();
    rig.parallelism = 2;
    for call in 1..=open as u64 {
        rig.fake.fault_at(call, Fault::Delay(Duration::from_secs(60 * call)));
    }
    assert_eq!(rig.go_on().await.state(), RunState::Done);
    let calls = rig.fake.calls();
    let first_made =
        calls.iter().position(|call| call.method == Method::Ensure).expect("there was more to make");
    assert_eq!(first_made, open, "{calls:?}");
    assert!(calls[..open].iter().all(|call| call.method == Method::Observe));
}

//! The last look before a call that changes something: is the step still ours?

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use carafe_model::host::OsFamily;
use carafe_model::ids::{ProviderName, RegionName};

use crate::drivers::{
    Access, Capabilities, Driver, DriverError, ErrorKind, Kind, Observed, Outcome, Quota, Removal, Reply,
    Resource, Sale, Target,
};
use crate::run_id::RunId;

/// Passes calls on for as long as the lease surely holds, and refuses to change anything after.
///
/// A process that stood still between its intent and its call wakes up here: by the monotonic clock its lease has run out,
/// and the call is not sent. What is left is the moment between this look and the network.
pub(super) struct Guarded {
    inner: Arc<dyn Driver>,
    holds_until: Arc<Mutex<Instant>>,
    margin: Duration,
}

impl Guarded {
    pub(super) fn new(inner: Arc<dyn Driver>, holds_until: Arc<Mutex<Instant>>, margin: Duration) -> Guarded {
        Guarded { inner, holds_until, margin }
    }

    fn check_lease(&self) -> Result<(), DriverError> {
        let holds_until = *self.holds_until.lock().expect("nothing panics while it is held");
        match Instant::now() + self.margin < holds_until {
            true => Ok(()),
            false => Err(ErrorKind::Unknown
                .because("the lease of the step was not renewed in time, so nothing was asked of the cloud")),
        }
    }
}

impl Driver for Guarded {
    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    fn access(&self) -> Reply<'_, Access> {
        self.inner.access()
    }

    fn ensure<'a>(&'a self, target: &'a Target) -> Reply<'a, Outcome> {
        Box::pin(async move {
            self.check_lease()?;
            self.inner.ensure(target).await
        })
    }

    fn observe<'a>(&'a self, target: &'a Target) -> Reply<'a, Option<Observed>> {
        self.inner.observe(target)
    }

    fn remove<'a>(&'a self, target: &'a Target) -> Reply<'a, Removal> {
        Box::pin(async move {
            self.check_lease()?;
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
        Box::pin(async move {
            self.check_lease()?;
            self.inner.discard(provider, region, resource).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drivers::fake::{Fake, Method};
    use crate::drivers::{IdempotencyKey, Target};
    use carafe_model::steps::{Action, Step};

    #[tokio::test]
    async fn without_a_lease_nothing_is_changed_and_everything_may_be_seen() {
        let fake = Fake::new();
        let holds_until = Arc::new(Mutex::new(Instant::now() + Duration::from_secs(60)));
        let guarded = Guarded::new(Arc::new(fake.clone()), holds_until.clone(), Duration::from_secs(3));
        let step = Step {
            id: "key".into(),
            wave: 0,
            provider: "aws".into(),
            region: "us-east-1".into(),
            host: None,
            after: Vec::new(),
            action: Action::KeyPair { name: "key".into() },
        };
        let key = IdempotencyKey::new("plan", &step.id);
        let target = Target::new(&step, &"run".into(), key).expect("it is no person's");
        *holds_until.lock().expect("not poisoned") = Instant::now() + Duration::from_secs(1);
        for refused in [guarded.ensure(&target).await.err(), guarded.remove(&target).await.err()] {
            assert_eq!(refused.map(|error| error.kind), Some(ErrorKind::Unknown));
        }
        assert_eq!(guarded.observe(&target).await.expect("it may look"), None);
        *holds_until.lock().expect("not poisoned") = Instant::now() + Duration::from_secs(60);
        assert!(matches!(guarded.ensure(&target).await, Ok(Outcome::Made(_))));
        let methods: Vec<Method> = fake.calls().iter().map(|call| call.method).collect();
        assert_eq!(methods, [Method::Observe, Method::Ensure]);
    }
}

//! One suite that every driver passes: what [`Driver`](carafe::drivers::Driver) promises.
//!
//! It works in an account that may hold other things, with names of its own, and leaves nothing behind. What a driver
//! cannot do by its own [`Capabilities`](carafe::drivers::Capabilities) is left out and said to the caller, who expects it.

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use carafe::drivers::{
    Ability, Driver, DriverError, ErrorKind, IdempotencyKey, Kind, Outcome, Ownership, Removal, Resource,
    Status, Target,
};
use carafe_model::host::{Architecture, OsFamily};
use carafe_model::ids::{ProviderName, RegionName};
use carafe_model::steps::{Action, AllowRule, ImageQuery};
use carafe_model::units::{Gib, Mib, Vcpus};

mod life;

pub mod names;

/// What the suite needs of a driver's surroundings.
pub trait World: Sync {
    /// The driver.
    fn driver(&self) -> Arc<dyn Driver>;

    /// Another one with credentials that are not accepted.
    fn denied(&self) -> Arc<dyn Driver>;

    /// Where it works.
    fn place(&self) -> (ProviderName, RegionName);

    /// An instance type that is for sale there, with what it offers.
    fn instance_type(&self) -> (&'static str, Vcpus, Mib);

    /// An image that is there.
    fn image(&self) -> ImageQuery;

    /// Makes something as a person would: without tags.
    fn plant<'a>(&'a self, action: &'a Action) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

    /// Has the next call that changes something take effect and its reply be lost.
    fn lose_next_reply(&self);

    /// Has the next resource take some looks to become ready; `false` where nothing here takes time.
    fn make_next_slow(&self) -> bool;

    /// How long to wait between two looks at what is being made.
    fn between_looks(&self) -> Duration {
        Duration::from_millis(10)
    }
}

/// Everything that is promised, one after another. Answers with what was left out.
pub async fn suite(world: &dyn World) -> Vec<&'static str> {
    let suite = Suite { world, driver: world.driver(), left_out: Mutex::default() };
    suite.the_account_is_known_and_wrong_credentials_are_denied().await;
    suite.making_is_idempotent_by_key_and_tells_whose_it_is().await;
    suite.what_another_plan_made_is_neither_taken_nor_removed().await;
    suite.what_a_person_made_is_neither_taken_nor_removed().await;
    suite.other_settings_are_a_conflict_and_are_told().await;
    suite.nothing_is_made_without_what_it_needs_nor_removed_while_it_is_needed().await;
    suite.addresses_are_inside_their_network_and_beside_one_another().await;
    suite.what_a_run_owns_is_listed_and_can_be_discarded().await;
    suite.a_lost_reply_leaves_one_resource_that_is_found_again().await;
    suite.what_takes_time_is_creating_before_it_is_ready().await;
    suite.every_reason_against_a_machine_is_told_at_once().await;
    suite.a_whole_site_is_made_found_and_removed().await;
    suite.nothing_is_left().await;
    suite.left_out.into_inner().expect("nothing panics while it is held")
}

pub struct Suite<'w> {
    world: &'w dyn World,
    driver: Arc<dyn Driver>,
    left_out: Mutex<Vec<&'static str>>,
}

/// Every run of the suite; what they leave is a failure.
const RUNS: [&str; 3] = ["contract-1", "contract-2", "contract-3"];

impl Suite<'_> {
    fn target(&self, run: &str, plan: &str, action: Action) -> Target {
        let step = format!("{}/{}", action.kind(), action.name()).as_str().into();
        let (provider, region) = self.world.place();
        Target {
            provider,
            region,
            kind: Kind::of(&action).expect("a resource"),
            owner: Ownership { run: run.into(), key: IdempotencyKey::new(plan, &step), step },
            action,
        }
    }

    fn ours(&self, action: Action) -> Target {
        self.target(RUNS[0], "plan", action)
    }

    fn makes(&self, kind: Kind) -> bool {
        let makes = self.driver.capabilities().of(kind) == Some(Ability::Makes);
        if !makes {
            self.leave_out(kind.words());
        }
        makes
    }

    fn leave_out(&self, what: &'static str) {
        self.left_out.lock().expect("nothing panics while it is held").push(what);
    }

    /// Makes it and waits until it is ready.
    async fn make(&self, action: Action) -> Target {
        let target = self.ours(action);
        let made = self.driver.ensure(&target).await.unwrap_or_else(|e| panic!("{target:?}: {e:?}"));
        assert!(matches!(made, Outcome::Made(_)), "{made:?}");
        self.ready(&target).await;
        target
    }

    async fn ready(&self, target: &Target) -> Resource {
        for _ in 0..600 {
            let seen = self.driver.observe(target).await.expect("readable").expect("it was made");
            match seen.resource.status {
                Status::Creating => tokio::time::sleep(self.world.between_looks()).await,
                Status::Ready => {
                    assert_eq!(seen.differences, Vec::<String>::new(), "{:?}", target.action);
                    assert_eq!(seen.resource.owner.as_ref(), Some(&target.owner));
                    return seen.resource;
                }
                Status::Broken(why) => panic!("{:?}: {why}", target.action),
            }
        }
        panic!("never ready: {:?}", target.action)
    }

    async fn remove(&self, target: &Target) {
        assert_eq!(self.driver.remove(target).await, Ok(Removal::Removed), "{:?}", target.action);
    }

    async fn refusal(&self, target: &Target) -> ErrorKind {
        match self.driver.ensure(target).await {
            Err(DriverError { kind, .. }) => kind,
            Ok(outcome) => panic!("it must be refused: {outcome:?}"),
        }
    }

    async fn listed(&self, run: Option<&str>) -> Vec<(Kind, String)> {
        let (provider, region) = self.world.place();
        let run = run.map(Into::into);
        let listed = self.driver.list(&provider, &region, run.as_ref()).await.expect("readable");
        let listed: Vec<_> = listed.into_iter().map(|resource| (resource.kind, resource.name)).collect();
        assert!(listed.is_sorted(), "{listed:?}");
        listed
    }
}

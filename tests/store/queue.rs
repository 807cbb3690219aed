//! Steps that are handed out one by one, and taken back from whoever falls silent.

use carafe::store::postgres::{Claim, Queued, QueuedStep, Settled, Wanted};
use carafe::store::{Entry, Journal, JournalError, PgJournal, StepEvent};
use carafe_model::ids::{ProviderName, RegionName};

use crate::promises::{new_run, open};
use crate::servers::postgres::Postgres;

fn step(name: &str, rank: usize, missing: usize) -> QueuedStep {
    let (provider, region) = ("aws".into(), "us-east-1".into());
    QueuedStep { step: name.into(), provider, region, rank, missing }
}

async fn claim(journal: &PgJournal, room: usize, limit: Option<u32>) -> Vec<Claim> {
    let limits = move |_: &ProviderName, _: &RegionName| limit;
    let wanted = Wanted { served: None, room, limits: &limits, not: &[] };
    let mut claims = journal.claim(&wanted).await.expect("the server runs");
    // The database gives back what it handed out in no order.
    claims.sort_by(|one, other| one.lease.step.cmp(&other.lease.step));
    claims
}

fn names(claims: &[Claim]) -> Vec<&str> {
    claims.iter().filter_map(|claim| claim.lease.step.as_ref()).map(|step| step.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_is_handed_out_once_and_late_writers_are_refused() {
    let server = Postgres::start();
    let url = server.database();
    let database = url.split(['/', '?']).nth(3).expect("a database");
    let (first, second) = (open(&url).await, open(&url).await);
    let lease = first.create(&new_run("r1", "sha")).await.expect("new");
    let steps = [step("a", 0, 0), step("b", 1, 1), step("c", 2, 0), step("d", 3, 0)];
    let how = Queued { at_most: 2, confirm: "all".to_owned() };
    first.enqueue(lease, &steps, &how).await.expect("we held it");
    assert!(matches!(first.lock(&"r1".into()).await, Err(JournalError::Locked { .. })), "the queue has it");

    assert_eq!(names(&claim(&first, 0, None).await), [""; 0]);
    let claims = claim(&first, 1, None).await;
    assert_eq!((names(&claims), claims[0].confirm.as_str()), (vec!["a"], "all"));
    assert_eq!(names(&claim(&second, 9, Some(1)).await), [""; 0], "the region's limit is reached");
    let others = claim(&second, 9, None).await;
    assert_eq!(names(&others), ["c"], "b waits for a, and two of the run may be under way");

    // To everybody else, a database whose clock jumps ahead and a worker that falls silent look the same.
    server.sql(database, "UPDATE step_queue SET leased_until = clock_timestamp() WHERE step = 'a'");
    let taken = claim(&second, 9, None).await;
    assert_eq!(names(&taken), ["a"]);
    assert!(taken[0].lease.fence > claims[0].lease.fence);
    let intent = [Entry { step: "a".into(), nth: 1, event: StepEvent::Intent, at: 0 }];
    let late = first.append(&claims[0].lease, &intent).await.expect_err("it was taken over");
    assert!(matches!(late, JournalError::Fenced { .. }), "{late:?}");
    let done = Settled::Done { frees: vec!["b".into()] };
    let late = first.settle(&claims[0].lease, &done).await.expect_err("it was taken over");
    assert!(matches!(late, JournalError::Fenced { .. }), "{late:?}");
    let fences = |claim: &Claim| (claim.lease.run.clone(), "a".into(), claim.lease.fence);
    assert_eq!(first.renew(&[fences(&claims[0])]).await.expect("readable"), []);
    assert_eq!(second.renew(&[fences(&taken[0])]).await.expect("readable").len(), 1);
    second.append(&taken[0].lease, &intent).await.expect("it is ours");

    second.settle(&taken[0].lease, &done).await.expect("it is ours");
    second
        .settle(&taken[0].lease, &done)
        .await
        .expect("the same again, as after a lost reply, changes nothing");
    second.settle(&others[0].lease, &Settled::Stuck).await.expect("it is ours");
    let rest = claim(&first, 9, None).await;
    assert_eq!(names(&rest), ["b", "d"]);
    assert!(first.take_idle().await.expect("readable").is_none(), "two are under way");
    first.settle(&rest[0].lease, &Settled::Done { frees: Vec::new() }).await.expect("it is ours");
    first.settle(&rest[1].lease, &Settled::Open).await.expect("it is ours");
    let again = claim(&second, 9, None).await;
    assert_eq!(names(&again), ["d"], "what was given back is there for others");
    second.settle(&again[0].lease, &Settled::Done { frees: Vec::new() }).await.expect("it is ours");
    let closing = first.take_idle().await.expect("readable").expect("only what needs a person is left");
    assert_eq!(closing.run.as_str(), "r1");
    assert!(!first.is_queued(&"r1".into()).await.expect("readable"));
    drop(closing);
    second.lock(&"r1".into()).await.expect("nobody has it any more");
}

//! Steps of many runs, shared by workers.
//!
//! A queued run has a row for each step that is left to do. A worker claims rows whose predecessors are done, renews its
//! claims while it works, and settles each: done, which may make others ready; stuck, for a person; or open again. Each
//! claim is a lease with a fence of its own, and whoever takes a step over makes every later write of its former worker
//! fail. Nothing here says how a step stands: that is the sum of its events.

use std::collections::BTreeMap;

use carafe_model::ids::{ProviderName, RegionName, StepId};
use sqlx::Row as _;
use sqlx::postgres::{PgConnection, PgListener};

use super::{BETWEEN_TRIES, Failure, PgJournal, damaged, entry, fenced, number, phase, text};
use crate::run_id::RunId;
use crate::store::{Entry, JournalError, Lease, Phase};

/// Where workers and followers are told that something has changed.
const CHANNEL: &str = "carafe";

/// What a notification begins with when a run has left the queue.
const LEFT: &str = "left ";

/// The advisory lock under which claims are made, so that limits across workers are kept exactly.
const CLAIMS: i64 = -0x6361_7261_6665;

/// A step that is left to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedStep {
    /// The step.
    pub step: StepId,
    /// The provider it is asked of.
    pub provider: ProviderName,
    /// The region.
    pub region: RegionName,
    /// Lower ranks are taken first.
    pub rank: usize,
    /// How many steps it still waits for.
    pub missing: usize,
}

/// How a run is queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queued {
    /// How many of its steps may be under way at a time, over all workers.
    pub at_most: u32,
    /// Which of a person's steps are confirmed, in the executor's words.
    pub confirm: String,
}

/// What a worker can take.
#[derive(Clone, Copy)]
pub struct Wanted<'w> {
    /// The providers it has connections for as a whole, and the regions of others; `None` for everything.
    pub served: Option<&'w [(ProviderName, Option<RegionName>)]>,
    /// How many steps it has room for.
    pub room: usize,
    /// How many steps of a region may be under way at a time, over all workers and runs; others are not limited.
    pub limits: &'w (dyn Fn(&ProviderName, &RegionName) -> Option<u32> + Sync),
    /// Runs whose steps it leaves to others.
    pub not: &'w [RunId],
}

/// A step that is this worker's until its lease runs out.
#[derive(Debug)]
pub struct Claim {
    /// For the step.
    pub lease: Lease,
    /// How far its run is: what is to be done about the step.
    pub phase: Phase,
    /// Which of a person's steps are confirmed, in the executor's words.
    pub confirm: String,
}

/// A claim that was renewed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The run.
    pub run: RunId,
    /// The step.
    pub step: StepId,
    /// Whether the run is still queued; if not, the step is to be given back soon.
    pub queued: bool,
}

/// How a claim ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// The step is over, and these wait for one step less.
    Done {
        /// What waited for it.
        frees: Vec<StepId>,
    },
    /// The step needs a person.
    Stuck,
    /// Another worker may take it.
    Open,
}

impl PgJournal {
    /// Keeps claims from being made until the transaction ends.
    pub(super) async fn stop_claims(&self, connection: &mut PgConnection) -> Result<(), sqlx::Error> {
        sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(CLAIMS).execute(connection).await.map(drop)
    }

    /// Gives a run that this process holds to the workers. The lease is over with it.
    ///
    /// # Errors
    /// [`JournalError::Fenced`] when somebody else has locked the run since.
    pub async fn enqueue(
        &self,
        lease: Lease,
        tasks: &[QueuedStep],
        how: &Queued,
    ) -> Result<(), JournalError> {
        self.patiently(|| self.try_enqueue(&lease, tasks, how)).await
    }

    async fn try_enqueue(&self, lease: &Lease, tasks: &[QueuedStep], how: &Queued) -> Result<(), Failure> {
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query(
            "UPDATE run SET queued = TRUE, at_most = $1, confirm = $2, fence = fence + 1,
                            holder = NULL, session = NULL, held_until = NULL
             WHERE id = $3 AND fence = $4",
        )
        .bind(i64::from(how.at_most))
        .bind(&how.confirm)
        .bind(lease.run.as_str())
        .bind(lease.fence)
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            // Also after an attempt of ours whose reply was lost: then the run is queued under the next fence.
            let ours = sqlx::query("SELECT 1 FROM run WHERE id = $1 AND fence = $2 AND queued")
                .bind(lease.run.as_str())
                .bind(lease.fence + 1)
                .fetch_optional(&mut *transaction)
                .await?;
            return if ours.is_some() { Ok(()) } else { Err(fenced(lease).into()) };
        }
        sqlx::query("DELETE FROM step_queue WHERE run = $1")
            .bind(lease.run.as_str())
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT INTO step_queue (run, step, provider, region, rank, missing)
             SELECT $1, * FROM UNNEST($2::text[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])",
        )
        .bind(lease.run.as_str())
        .bind(tasks.iter().map(|task| task.step.as_str()).collect::<Vec<_>>())
        .bind(tasks.iter().map(|task| task.provider.as_str()).collect::<Vec<_>>())
        .bind(tasks.iter().map(|task| task.region.as_str()).collect::<Vec<_>>())
        .bind(tasks.iter().map(|task| count(task.rank)).collect::<Vec<_>>())
        .bind(tasks.iter().map(|task| count(task.missing)).collect::<Vec<_>>())
        .execute(&mut *transaction)
        .await?;
        notify(&mut transaction, &lease.run).await?;
        Ok(transaction.commit().await?)
    }

    /// Takes steps that are ready, as many as there is room for and as the limits allow.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim(&self, wanted: &Wanted<'_>) -> Result<Vec<Claim>, JournalError> {
        self.patiently(|| self.try_claim(wanted)).await
    }

    async fn try_claim(&self, wanted: &Wanted<'_>) -> Result<Vec<Claim>, Failure> {
        let mut transaction = self.pool.begin().await?;
        self.stop_claims(&mut transaction).await?;
        let mut busy = Busy::read(&mut transaction).await?;
        let candidates = self.candidates(&mut transaction, wanted, &busy).await?;
        let (mut runs, mut steps, mut about) = (Vec::new(), Vec::new(), BTreeMap::new());
        for row in &candidates {
            let (run, step) = (RunId(text(row, "run")?), StepId(text(row, "step")?));
            let place = (ProviderName(text(row, "provider")?), RegionName(text(row, "region")?));
            if steps.len() < wanted.room && busy.admits(&run, number(row, "at_most")?, &place, wanted) {
                busy.add(&run, &place, 1);
                runs.push(run.0.clone());
                steps.push(step.0);
                about.insert(run, (phase(&text(row, "phase")?)?, text(row, "confirm")?));
            }
        }
        if steps.is_empty() {
            return Ok(Vec::new());
        }
        let rows = sqlx::query(
            "UPDATE step_queue AS q
             SET worker = $1, fence = nextval('step_fence'),
                 leased_until = clock_timestamp() + make_interval(secs => $2)
             FROM UNNEST($3::text[], $4::text[]) AS taken (run, step)
             WHERE q.run = taken.run AND q.step = taken.step
             RETURNING q.run, q.step, q.fence",
        )
        .bind(&self.holder)
        .bind(self.lease.as_secs_f64())
        .bind(&runs)
        .bind(&steps)
        .fetch_all(&mut *transaction)
        .await?;
        transaction.commit().await?;
        let claim = |row| {
            let (run, step) = (RunId(text(row, "run")?), StepId(text(row, "step")?));
            let (phase, confirm) = about[&run].clone();
            Ok(Claim { lease: Lease::of_step(run, step, number(row, "fence")?, ()), phase, confirm })
        };
        Ok(rows.iter().map(claim).collect::<Result<_, JournalError>>()?)
    }

    /// Ready steps that may be claimed, the first runs first; at most so many that a claim stays small.
    async fn candidates(
        &self,
        connection: &mut PgConnection,
        wanted: &Wanted<'_>,
        busy: &Busy,
    ) -> Result<Vec<sqlx::postgres::PgRow>, sqlx::Error> {
        const FOR_EACH_PLACE: usize = 4;
        let (mut providers, mut places) = (Vec::new(), Vec::new());
        for (provider, region) in wanted.served.unwrap_or_default() {
            match region {
                None => providers.push(provider.as_str()),
                Some(region) => places.push(format!("{provider}/{region}")),
            }
        }
        let is_full = |((provider, region), count): (&Place, &i64)| {
            let limit = (wanted.limits)(provider, region)?;
            (*count >= i64::from(limit)).then(|| format!("{provider}/{region}"))
        };
        let full: Vec<String> = busy.places.iter().filter_map(is_full).collect();
        let (runs, counts): (Vec<&str>, Vec<i64>) =
            busy.runs.iter().map(|(run, count)| (run.as_str(), *count)).unzip();
        sqlx::query(
            // Run by run, so that the index on rank ends the search: a sort of all that is ready would make the claims of
            // a long queue cost more than its steps.
            "SELECT r.id AS run, q.step, q.provider, q.region, r.at_most, r.phase, r.confirm
             FROM run AS r
             LEFT JOIN UNNEST($1::text[], $2::bigint[]) AS busy (run, count) ON busy.run = r.id
             CROSS JOIN LATERAL (
                 SELECT step, provider, region, rank FROM step_queue
                 WHERE run = r.id AND state = 'open' AND missing = 0
                   AND (leased_until IS NULL OR leased_until <= clock_timestamp())
                   AND ($3 OR provider = ANY($4) OR provider || '/' || region = ANY($5))
                   AND provider || '/' || region <> ALL($6)
                 ORDER BY rank
                 LIMIT $8
                 FOR UPDATE SKIP LOCKED) AS q
             WHERE r.queued AND coalesce(busy.count, 0) < r.at_most AND r.id <> ALL($7)
             ORDER BY r.started, r.id, q.rank
             LIMIT $8",
        )
        .bind(runs)
        .bind(counts)
        .bind(wanted.served.is_none())
        .bind(providers)
        .bind(places)
        .bind(full)
        .bind(wanted.not.iter().map(RunId::as_str).collect::<Vec<_>>())
        .bind(count(wanted.room.saturating_mul(FOR_EACH_PLACE)))
        .fetch_all(connection)
        .await
    }

    /// Renews claims and says which of them are still ours; what is missing from the answer is lost.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew(&self, leases: &[(RunId, StepId, i64)]) -> Result<Vec<Held>, JournalError> {
        self.try_renew(leases).await.map_err(|failure| match failure {
            Failure::Journal(error) => error,
            Failure::Database(error) => self.unusable(&error),
        })
    }

    async fn try_renew(&self, leases: &[(RunId, StepId, i64)]) -> Result<Vec<Held>, Failure> {
        let rows = sqlx::query(
            "UPDATE step_queue AS q SET leased_until = clock_timestamp() + make_interval(secs => $1)
             FROM UNNEST($2::text[], $3::text[], $4::bigint[]) AS ours (run, step, fence), run AS r
             WHERE q.run = ours.run AND q.step = ours.step AND q.fence = ours.fence
               AND q.worker IS NOT NULL AND r.id = q.run
             RETURNING q.run, q.step, r.queued",
        )
        .bind(self.lease.as_secs_f64())
        .bind(leases.iter().map(|(run, _, _)| run.as_str()).collect::<Vec<_>>())
        .bind(leases.iter().map(|(_, step, _)| step.as_str()).collect::<Vec<_>>())
        .bind(leases.iter().map(|(_, _, fence)| *fence).collect::<Vec<_>>())
        .fetch_all(&self.pool)
        .await?;
        let held = |row| {
            let queued = sqlx::postgres::PgRow::try_get(row, "queued").map_err(damaged)?;
            Ok(Held { run: RunId(text(row, "run")?), step: StepId(text(row, "step")?), queued })
        };
        Ok(rows.iter().map(held).collect::<Result<_, JournalError>>()?)
    }

    /// Ends a claim.
    ///
    /// # Errors
    /// [`JournalError::Fenced`] when somebody else has taken the step since.
    pub async fn settle(&self, lease: &Lease, how: &Settled) -> Result<(), JournalError> {
        self.patiently(|| self.try_settle(lease, how)).await
    }

    async fn try_settle(&self, lease: &Lease, how: &Settled) -> Result<(), Failure> {
        let state = match how {
            Settled::Done { .. } => "done",
            Settled::Stuck => "stuck",
            Settled::Open => "open",
        };
        let step = lease.step.as_ref().ok_or_else(|| fenced(lease))?;
        let mut transaction = self.pool.begin().await?;
        let done = sqlx::query(
            "UPDATE step_queue SET state = $1, worker = NULL, leased_until = NULL
             WHERE run = $2 AND step = $3 AND fence = $4 AND worker IS NOT NULL",
        )
        .bind(state)
        .bind(lease.run.as_str())
        .bind(step.as_str())
        .bind(lease.fence)
        .execute(&mut *transaction)
        .await?;
        if done.rows_affected() == 0 {
            // Also after an attempt of ours whose reply was lost: then it is settled under this very fence.
            let ours = sqlx::query("SELECT 1 FROM step_queue WHERE run = $1 AND step = $2 AND fence = $3")
                .bind(lease.run.as_str())
                .bind(step.as_str())
                .bind(lease.fence)
                .fetch_optional(&mut *transaction)
                .await?;
            return if ours.is_some() { Ok(()) } else { Err(fenced(lease).into()) };
        }
        if let Settled::Done { frees } = how
            && !frees.is_empty()
        {
            // Locked in one order by everybody, so that two steps that free the same ones never wait for each other.
            sqlx::query(
                "WITH freed AS (SELECT run, step FROM step_queue WHERE run = $1 AND step = ANY($2)
                                ORDER BY step FOR UPDATE)
                 UPDATE step_queue AS q SET missing = q.missing - 1 FROM freed
                 WHERE q.run = freed.run AND q.step = freed.step",
            )
            .bind(lease.run.as_str())
            .bind(frees.iter().map(StepId::as_str).collect::<Vec<_>>())
            .execute(&mut *transaction)
            .await?;
        }
        notify(&mut transaction, &lease.run).await?;
        Ok(transaction.commit().await?)
    }

    /// Takes a queued run off the queue in which nothing is left for workers to do, and locks it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn take_idle(&self) -> Result<Option<Lease>, JournalError> {
        self.patiently(|| self.try_take_idle()).await
    }

    async fn try_take_idle(&self) -> Result<Option<Lease>, Failure> {
        let idle = "SELECT id FROM run WHERE queued AND NOT EXISTS (
                        SELECT 1 FROM step_queue AS q
                        WHERE q.run = run.id AND q.state = 'open'
                          AND (q.missing = 0 OR q.leased_until > clock_timestamp()))
                    ORDER BY started, id LIMIT 1";
        // Asked first without a lock, because the answer is almost always no.
        if sqlx::query(idle).fetch_optional(&self.pool).await?.is_none() {
            return Ok(None);
        }
        let session = self.session().await?;
        let mut transaction = self.pool.begin().await?;
        self.stop_claims(&mut transaction).await?;
        let Some(row) = sqlx::query(idle).fetch_optional(&mut *transaction).await? else { return Ok(None) };
        let run = RunId(text(&row, "id")?);
        sqlx::query("DELETE FROM step_queue WHERE run = $1")
            .bind(run.as_str())
            .execute(&mut *transaction)
            .await?;
        let fence: i64 = sqlx::query_scalar(
            "UPDATE run SET queued = FALSE, fence = fence + 1, holder = $1, session = $2,
                            held_until = clock_timestamp() + make_interval(secs => $3)
             WHERE id = $4 RETURNING fence",
        )
        .bind(&self.holder)
        .bind(session.key)
        .bind(self.lease.as_secs_f64())
        .bind(run.as_str())
        .fetch_one(&mut *transaction)
        .await?;
        transaction.commit().await?;
        Ok(Some(session.hold(run, fence)))
    }

    /// Takes a run off the queue. Workers finish the calls that they have under way for it and give its steps back.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dequeue(&self, run: &RunId) -> Result<(), JournalError> {
        self.patiently(|| self.try_dequeue(run)).await
    }

    async fn try_dequeue(&self, run: &RunId) -> Result<(), Failure> {
        let mut transaction = self.pool.begin().await?;
        self.stop_claims(&mut transaction).await?;
        sqlx::query("UPDATE run SET queued = FALSE WHERE id = $1")
            .bind(run.as_str())
            .execute(&mut *transaction)
            .await?;
        notify_of(&mut transaction, &format!("{LEFT}{run}")).await?;
        Ok(transaction.commit().await?)
    }

    /// Whether a run is in the queue.
    ///
    /// # Errors
    /// [`JournalError::NoRun`].
    pub async fn is_queued(&self, run: &RunId) -> Result<bool, JournalError> {
        self.patiently(|| self.try_is_queued(run)).await
    }

    async fn try_is_queued(&self, run: &RunId) -> Result<bool, Failure> {
        let queued: Option<bool> = sqlx::query_scalar("SELECT queued FROM run WHERE id = $1")
            .bind(run.as_str())
            .fetch_optional(&self.pool)
            .await?;
        Ok(queued.ok_or_else(|| JournalError::NoRun { run: run.clone() })?)
    }

    /// What happened to some steps of a run, in order.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn entries_of(&self, run: &RunId, steps: &[StepId]) -> Result<Vec<Entry>, JournalError> {
        self.patiently(|| self.try_entries_of(run, steps)).await
    }

    async fn try_entries_of(&self, run: &RunId, steps: &[StepId]) -> Result<Vec<Entry>, Failure> {
        let rows = sqlx::query(
            "SELECT step, nth, event, resource, error, detail, at FROM step_event
             WHERE run = $1 AND step = ANY($2) ORDER BY step, nth",
        )
        .bind(run.as_str())
        .bind(steps.iter().map(StepId::as_str).collect::<Vec<_>>())
        .fetch_all(&self.pool)
        .await?;
        Ok(rows.iter().map(entry).collect::<Result<_, _>>()?)
    }

    /// What happened in a run after a place in its journal, and the place to go on from.
    ///
    /// Two workers may commit out of order, so a reader that must not miss anything goes back a little and leaves out what
    /// it knows.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn entries_after(&self, run: &RunId, place: i64) -> Result<(i64, Vec<Entry>), JournalError> {
        self.patiently(|| self.try_entries_after(run, place)).await
    }

    async fn try_entries_after(&self, run: &RunId, place: i64) -> Result<(i64, Vec<Entry>), Failure> {
        let rows = sqlx::query(
            "SELECT seq, step, nth, event, resource, error, detail, at FROM step_event
             WHERE run = $1 AND seq > $2 ORDER BY seq",
        )
        .bind(run.as_str())
        .bind(place)
        .fetch_all(&self.pool)
        .await?;
        let last = rows.last().map(|row| number(row, "seq")).transpose()?.unwrap_or(place);
        Ok((last, rows.iter().map(entry).collect::<Result<_, _>>()?))
    }

    /// Hears when something changes. Hearing nothing means nothing: the connection may be broken for a while.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn listen(&self) -> Result<Bell, JournalError> {
        let listen = async {
            let mut listener = PgListener::connect_with(&self.pool).await?;
            listener.listen(CHANNEL).await.map(|()| Bell(listener))
        };
        listen.await.map_err(|error| self.unusable(&error))
    }
}

/// Rings when something changes in the queue.
pub struct Bell(PgListener);

impl Bell {
    /// Waits for the next ring; `true` when a run has left the queue. Never returns while the connection is broken.
    pub async fn ring(&mut self) -> bool {
        loop {
            match self.0.recv().await {
                Ok(heard) => return heard.payload().starts_with(LEFT),
                Err(_) => tokio::time::sleep(BETWEEN_TRIES).await,
            }
        }
    }
}

/// A region of a provider.
type Place = (ProviderName, RegionName);

/// How many steps are under way, over all workers.
#[derive(Default)]
struct Busy {
    runs: BTreeMap<RunId, i64>,
    places: BTreeMap<Place, i64>,
}

impl Busy {
    async fn read(connection: &mut PgConnection) -> Result<Busy, Failure> {
        let rows = sqlx::query(
            "SELECT run, provider, region, count(*) AS count FROM step_queue
             WHERE worker IS NOT NULL AND leased_until > clock_timestamp() GROUP BY run, provider, region",
        )
        .fetch_all(connection)
        .await?;
        let mut busy = Busy::default();
        for row in rows {
            let place = (ProviderName(text(&row, "provider")?), RegionName(text(&row, "region")?));
            busy.add(&RunId(text(&row, "run")?), &place, number(&row, "count")?);
        }
        Ok(busy)
    }

    fn add(&mut self, run: &RunId, place: &Place, count: i64) {
        *self.runs.entry(run.clone()).or_default() += count;
        *self.places.entry(place.clone()).or_default() += count;
    }

    /// Whether one more step stays within the limits of its run and its region.
    fn admits(&self, run: &RunId, at_most: i64, place: &Place, wanted: &Wanted<'_>) -> bool {
        let of_run = self.runs.get(run).copied().unwrap_or_default();
        let of_place = self.places.get(place).copied().unwrap_or_default();
        let limit = (wanted.limits)(&place.0, &place.1);
        of_run < at_most && limit.is_none_or(|limit| of_place < i64::from(limit))
    }
}

async fn notify(connection: &mut PgConnection, run: &RunId) -> Result<(), sqlx::Error> {
    notify_of(connection, run.as_str()).await
}

async fn notify_of(connection: &mut PgConnection, what: &str) -> Result<(), sqlx::Error> {
    sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(what).execute(connection).await.map(drop)
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

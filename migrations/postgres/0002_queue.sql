-- Runs whose steps are shared by workers.

-- Whether workers may take steps of the run, how many of them may be under way at a time, and which of a person's steps
-- are confirmed: '' for none, 'all', or a JSON list of steps.
ALTER TABLE run ADD COLUMN queued BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE run ADD COLUMN at_most BIGINT NOT NULL DEFAULT 8;
ALTER TABLE run ADD COLUMN confirm TEXT NOT NULL DEFAULT '';

CREATE INDEX run_queued ON run (started, id) WHERE queued;

-- Fences of steps, so that no two leases of one step ever share a number, also when the run is queued again.
CREATE SEQUENCE step_fence;

-- What is left to do in queued runs. How a step stands is the sum of its events; this says only who may work on it.
CREATE TABLE step_queue (
    run          TEXT   NOT NULL REFERENCES run (id),
    step         TEXT   NOT NULL,
    provider     TEXT   NOT NULL,
    region       TEXT   NOT NULL,
    -- Lower ranks are taken first.
    rank         BIGINT NOT NULL,
    -- How many steps it still waits for.
    missing      BIGINT NOT NULL,
    -- open: to do; done: over; stuck: needs a person.
    state        TEXT   NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'done', 'stuck')),
    fence        BIGINT NOT NULL DEFAULT 0,
    worker       TEXT,
    -- By the database's clock; whoever does not renew in time has lost the step.
    leased_until TIMESTAMPTZ,
    PRIMARY KEY (run, step)
);

CREATE INDEX step_queue_ready ON step_queue (run, rank) WHERE state = 'open' AND missing = 0;
CREATE INDEX step_queue_leased ON step_queue (leased_until) WHERE worker IS NOT NULL;

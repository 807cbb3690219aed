-- What the executor was asked to do and what it did: the tables of SQLite's journal, and who holds a run.
-- Nothing in step_event is ever changed or removed.

CREATE TABLE run (
    id          TEXT   PRIMARY KEY,
    plan        TEXT   NOT NULL,
    plan_sha256 TEXT   NOT NULL,
    plan_json   TEXT   NOT NULL,
    -- The last wave that is to be done; NULL for all.
    wave        BIGINT,
    -- Which clouds it is carried out on, in the executor's words.
    binding     TEXT   NOT NULL,
    phase       TEXT   NOT NULL CHECK (phase IN ('open', 'finished', 'destroying', 'destroyed')),
    -- Raised each time the run changes hands; whoever writes with an older number has lost it.
    fence       BIGINT NOT NULL,
    -- Milliseconds since 1970, UTC; here and below only for people to read.
    started     BIGINT NOT NULL,

    -- The process that holds the whole run, in words; NULL when none does.
    holder      TEXT,
    -- The advisory lock that the holder's connection keeps: free once that connection has ended.
    session     BIGINT,
    -- By the database's clock. A holder that does not renew in time has lost the run even if its connection stands.
    held_until  TIMESTAMPTZ
);

-- Two unfinished runs of one plan would take each other's resources for their own.
CREATE UNIQUE INDEX run_unfinished ON run (plan_sha256) WHERE phase IN ('open', 'destroying');

CREATE TABLE step_event (
    seq      BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    run      TEXT   NOT NULL REFERENCES run (id),
    step     TEXT   NOT NULL,
    -- Which event of its step it is, from 1.
    nth      BIGINT NOT NULL,
    -- Under which lease it was written.
    fence    BIGINT NOT NULL,
    event    TEXT   NOT NULL,
    -- What the cloud calls the resource, where the event is about one that exists.
    resource TEXT,
    -- The kind of refusal, where the event is one.
    error    TEXT,
    -- What the cloud said, who confirmed, or why.
    detail   TEXT,
    at       BIGINT NOT NULL
);

-- Whoever writes with an outdated view of a step claims a number that is taken.
CREATE UNIQUE INDEX step_event_once ON step_event (run, step, nth);
CREATE INDEX step_event_of_run ON step_event (run, seq);

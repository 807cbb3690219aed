-- What the executor was asked to do and what it did. Nothing in step_event is ever changed or removed.

CREATE TABLE run (
    id          TEXT    PRIMARY KEY,
    plan        TEXT    NOT NULL,
    plan_sha256 TEXT    NOT NULL,
    plan_json   TEXT    NOT NULL,
    -- The last wave that is to be done; NULL for all.
    wave        INTEGER,
    phase       TEXT    NOT NULL CHECK (phase IN ('open', 'finished', 'destroying', 'destroyed')),
    -- Raised each time the run is locked; whoever writes with an older number has lost the run.
    fence       INTEGER NOT NULL DEFAULT 0,
    -- Milliseconds since 1970, UTC; here and below only for people to read.
    started     INTEGER NOT NULL
) STRICT;

-- Two unfinished runs of one plan would take each other's resources for their own.
CREATE UNIQUE INDEX run_unfinished ON run (plan_sha256) WHERE phase IN ('open', 'destroying');

CREATE TABLE step_event (
    seq      INTEGER PRIMARY KEY,
    run      TEXT    NOT NULL REFERENCES run (id),
    step     TEXT    NOT NULL,
    event    TEXT    NOT NULL,
    -- What the cloud calls the resource, where the event is about one that exists.
    resource TEXT,
    -- The kind of refusal, where the event is one.
    error    TEXT,
    -- What the cloud said, who confirmed, or why.
    detail   TEXT,
    at       INTEGER NOT NULL
) STRICT;

CREATE INDEX step_event_of_run ON step_event (run, seq);

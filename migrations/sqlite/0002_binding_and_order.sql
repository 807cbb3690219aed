-- Which clouds a run is carried out on, as JSON; empty for runs that began before this was written down.
ALTER TABLE run ADD COLUMN binding TEXT NOT NULL DEFAULT '';

-- Which event of its step a row is, from 1, and under which lease it was written. Whoever writes with an outdated view
-- of a step claims a number that is taken.
ALTER TABLE step_event ADD COLUMN nth INTEGER NOT NULL DEFAULT 0;
ALTER TABLE step_event ADD COLUMN fence INTEGER NOT NULL DEFAULT 0;

UPDATE step_event SET nth = counted.nth
FROM (SELECT seq, row_number() OVER (PARTITION BY run, step ORDER BY seq) AS nth FROM step_event) AS counted
WHERE counted.seq = step_event.seq;

CREATE UNIQUE INDEX step_event_once ON step_event (run, step, nth);

-- What was imported, for SQLite and PostgreSQL alike. A revision is the whole catalog at one time: the parts it is made
-- of, in order. A part never changes; one that stays the same is in many revisions.
CREATE TABLE catalog_part (
    sha256 TEXT PRIMARY KEY,
    format TEXT NOT NULL,
    covers TEXT NOT NULL,
    body BYTEA NOT NULL
);
CREATE TABLE catalog_revision (
    id BIGINT PRIMARY KEY,
    made BIGINT NOT NULL,
    what TEXT NOT NULL
);
CREATE TABLE catalog_member (
    revision BIGINT NOT NULL REFERENCES catalog_revision (id),
    position BIGINT NOT NULL,
    part TEXT NOT NULL REFERENCES catalog_part (sha256),
    PRIMARY KEY (revision, position)
);

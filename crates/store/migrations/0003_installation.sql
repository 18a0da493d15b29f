-- Written for SQLite and PostgreSQL alike.

-- Which database this is, in the one row. The generation tells its pasts apart: a restore begins a
-- new one, and so does a node that finds that the database has lost acknowledged changes.
CREATE TABLE installation (
    one BIGINT NOT NULL PRIMARY KEY CHECK (one = 1),
    id TEXT NOT NULL,
    generation TEXT NOT NULL
);

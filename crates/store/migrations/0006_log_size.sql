-- Written for SQLite and PostgreSQL alike.

-- How much each log takes, so that it can be bounded without reading it. Pages that were written
-- before count nothing, until they are deleted for their age.
CREATE TABLE log_size (
    account TEXT NOT NULL REFERENCES account (name),
    kind TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    PRIMARY KEY (account, kind)
);

CREATE INDEX log_size_in_order ON log_size (bytes);

ALTER TABLE log ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;

-- They hold all that the deletion of lines needs, since to read a row is to read its lines.
CREATE INDEX log_bytes_in_order ON log (account, kind, last, bytes) WHERE bytes > 0;
CREATE INDEX log_bytes_by_age ON log (last, bytes);
DROP INDEX log_by_age;

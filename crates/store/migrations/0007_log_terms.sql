-- Written for SQLite and PostgreSQL alike.

-- The terms that the lines of a page contain (their actors, actions, resources, outcomes and query
-- IDs), as a Bloom filter beside the lines: to look for a line does not read the others.
CREATE TABLE log_terms (
    account TEXT NOT NULL REFERENCES account (name),
    kind TEXT NOT NULL,
    -- Those of the page in the table log.
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    terms BYTEA NOT NULL
);

CREATE INDEX log_terms_in_order ON log_terms (account, kind, last, first);
CREATE INDEX log_terms_by_age ON log_terms (last);

-- 1 where log_terms has a row. The other pages, small ones and those of older versions, are read
-- whenever a line is looked for, until they are merged into pages that have one.
ALTER TABLE log ADD COLUMN has_terms BIGINT NOT NULL DEFAULT 0;

-- The constant column comes first, so that SQLite prefers this index to that of all pages.
CREATE INDEX log_without_terms ON log (has_terms, account, kind, last, first, bytes)
    WHERE has_terms = 0;

-- With the beginning of each page, so that those which reach across an instant are found without
-- reading the others.
CREATE INDEX log_pages_in_order ON log (account, kind, last, first);
DROP INDEX log_in_order;

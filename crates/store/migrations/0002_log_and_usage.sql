-- Written for SQLite and PostgreSQL alike.

-- What happened and changed nothing: tokens given out, decisions, calls. A row holds all lines of
-- one moment, as a node wrote them together, so that keeping them costs next to nothing.
CREATE TABLE log (
    account TEXT NOT NULL REFERENCES account (name),
    kind TEXT NOT NULL,
    -- When its first and its last line happened.
    first BIGINT NOT NULL,
    last BIGINT NOT NULL,
    -- One JSON object a line, in their order.
    lines TEXT NOT NULL
);

CREATE INDEX log_in_order ON log (account, kind, last);
CREATE INDEX log_by_age ON log (last);

-- How often something happened in an hour.
CREATE TABLE tally (
    account TEXT NOT NULL REFERENCES account (name),
    -- Hours since 1970, UTC.
    hour BIGINT NOT NULL,
    what TEXT NOT NULL,
    count BIGINT NOT NULL,
    PRIMARY KEY (account, hour, what)
);

-- When something was last used.
CREATE TABLE usage (
    account TEXT NOT NULL REFERENCES account (name),
    subject TEXT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (account, subject)
);

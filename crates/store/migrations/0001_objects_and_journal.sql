-- Written for SQLite and PostgreSQL alike.

-- The last revision of an account and the hash of its last journal entry. A change locks this row,
-- so the changes of one account follow one another.
CREATE TABLE account (
    name TEXT NOT NULL PRIMARY KEY,
    revision BIGINT NOT NULL,
    head BYTEA NOT NULL
);

-- Everything that an account owns. What is inside a document is the business of the use cases.
CREATE TABLE object (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    account TEXT NOT NULL REFERENCES account (name),
    -- Unique among the objects of one kind in one account, where there is one.
    name TEXT,
    -- The revision that created it: unique in the account, and the order of lists.
    created BIGINT NOT NULL,
    document TEXT NOT NULL,
    -- The hash of a secret; it is not part of the document, so that no journal entry holds it.
    secret BYTEA,
    PRIMARY KEY (kind, id)
);

CREATE UNIQUE INDEX object_by_name ON object (kind, name, account);
CREATE INDEX object_in_order ON object (account, created);
CREATE INDEX object_of_kind_in_order ON object (account, kind, created);

-- Which other accounts an object names, so that these can find what they were given.
CREATE TABLE mention (
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    mentioned TEXT NOT NULL,
    owner TEXT NOT NULL,
    PRIMARY KEY (kind, id, mentioned),
    FOREIGN KEY (kind, id) REFERENCES object (kind, id) ON DELETE CASCADE
);

CREATE INDEX mention_by_mentioned ON mention (mentioned, owner);

-- Who changed what, when and from where; gap-free per account, each entry bound to the one before.
CREATE TABLE journal (
    account TEXT NOT NULL REFERENCES account (name),
    revision BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor TEXT NOT NULL,
    ip TEXT,
    query_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    object TEXT NOT NULL,
    before TEXT,
    after TEXT,
    hash BYTEA NOT NULL,
    PRIMARY KEY (account, revision)
);

-- The private keys that sign tokens, sealed under the master key.
CREATE TABLE signing_key (
    id TEXT NOT NULL PRIMARY KEY,
    algorithm TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    created BIGINT NOT NULL
);

-- Written for SQLite and PostgreSQL alike.

-- What a client created under an idempotency key, so that a repeated request creates nothing more.
CREATE TABLE creation (
    -- A hash of the caller and of the key.
    key TEXT NOT NULL PRIMARY KEY,
    -- The account of the caller.
    account TEXT NOT NULL REFERENCES account (name),
    -- A hash of the request.
    request TEXT NOT NULL,
    -- The journal entry of the creation, which has the object as it was made.
    owner TEXT NOT NULL,
    revision BIGINT NOT NULL,
    at BIGINT NOT NULL
);

CREATE INDEX creation_of_account ON creation (account, at);
CREATE INDEX creation_by_age ON creation (at);

-- Written for SQLite and PostgreSQL alike.

-- Which account a name of a guarded API belongs to: the first that declared it, also once it has
-- taken the declaration back. Proxies name an API by it, so it must never lead to another account.
CREATE TABLE api_name (
    name TEXT NOT NULL PRIMARY KEY,
    account TEXT NOT NULL REFERENCES account (name)
);

INSERT INTO api_name (name, account) SELECT id, account FROM object WHERE kind = 'api';

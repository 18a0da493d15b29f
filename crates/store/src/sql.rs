//! Every statement, as one text for both databases.

/// Names each statement, and lists all of them for the test that runs each on both databases.
macro_rules! statements {
    ($($name:ident = $text:expr;)*) => {
        $(pub(crate) const $name: &str = $text;)*

        #[cfg(test)]
        pub(crate) const ALL: &[(&str, &str)] = &[$((stringify!($name), $text)),*];
    };
}

statements! {
    ACCOUNT_ADD = "INSERT INTO account (name, revision, head) VALUES ($1, 0, $2)
        ON CONFLICT (name) DO NOTHING";
    ACCOUNT_HEAD = "SELECT revision, head FROM account WHERE name = $1";
    // The first statement of every change: it locks the account's row until the end.
    ACCOUNT_ADVANCE = "UPDATE account SET revision = revision + $2 WHERE name = $1
        RETURNING revision, head";
    ACCOUNT_SEAL = "UPDATE account SET head = $2 WHERE name = $1";
    ACCOUNTS = "SELECT name FROM account ORDER BY name";

    OBJECT_ADD = "INSERT INTO object (kind, id, account, name, created, document, secret)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    OBJECT_CHANGE = "UPDATE object SET name = $4, document = $5, secret = COALESCE($6, secret)
        WHERE kind = $1 AND id = $2 AND account = $3";
    OBJECT_REMOVE = "DELETE FROM object WHERE kind = $1 AND id = $2 AND account = $3";
    OBJECT = "SELECT kind, id, account, name, created, document, secret FROM object
        WHERE kind = $1 AND id = $2 AND account = $3";
    OBJECT_ANYWHERE = "SELECT kind, id, account, name, created, document, secret FROM object
        WHERE kind = $1 AND id = $2";
    OBJECT_BY_NAME = "SELECT kind, id, account, name, created, document, secret FROM object
        WHERE kind = $1 AND name = $2 AND account = $3";
    OBJECTS_OF_KIND = "SELECT kind, id, account, name, created, document, secret FROM object
        WHERE account = $1 AND kind = $2 AND created > $3 ORDER BY created LIMIT $4";
    OBJECTS = "SELECT kind, id, account, name, created, document, secret FROM object
        WHERE account = $1 AND created > $2 ORDER BY created LIMIT $3";

    MENTION_ADD = "INSERT INTO mention (kind, id, mentioned, owner) VALUES ($1, $2, $3, $4)
        ON CONFLICT (kind, id, mentioned) DO NOTHING";
    MENTIONS_REMOVE = "DELETE FROM mention WHERE kind = $1 AND id = $2";
    MENTIONING = "SELECT DISTINCT owner AS name FROM mention WHERE mentioned = $1";

    JOURNAL_ADD = "INSERT INTO journal
        (account, revision, at, actor, ip, query_id, kind, object, before, after, hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    JOURNAL = "SELECT account, revision, at, actor, ip, query_id, kind, object, before, after, hash
        FROM journal WHERE account = $1 AND revision > $2 ORDER BY revision LIMIT $3";

    KEY_ADD = "INSERT INTO signing_key (id, algorithm, sealed, created) VALUES ($1, $2, $3, $4)";
    KEYS = "SELECT id, algorithm, sealed, created FROM signing_key ORDER BY created, id";
}

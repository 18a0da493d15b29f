//! The list of statements, one text for both databases.

use crate::statement::Statement;

/// Declares each statement, and the list of all of them for the test that prepares them on both
/// databases.
macro_rules! statements {
    ($($name:ident = $text:expr;)*) => {
        $(pub(crate) const $name: Statement =
            Statement { name: stringify!($name), text: $text };)*

        #[cfg(test)]
        pub(crate) const ALL: &[Statement] = &[$($name),*];
    };
}

statements! {
    ACCOUNT_ADD = "INSERT INTO account (name, revision, head) VALUES ($1, 0, $2)
        ON CONFLICT (name) DO NOTHING";
    ACCOUNT_HEAD = "SELECT revision, head FROM account WHERE name = $1";
    // The first statement of every change: it locks the account's row until the end.
    ACCOUNT_ADVANCE = "UPDATE account SET revision = revision + $2 WHERE name = $1
        RETURNING revision, head";
    ACCOUNT_SET_HEAD = "UPDATE account SET head = $2 WHERE name = $1";
    ACCOUNTS = "SELECT name FROM account ORDER BY name";

    OBJECT_ADD = "INSERT INTO object (kind, id, account, name, created, document, secret)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    OBJECT_UPDATE = "UPDATE object SET name = $4, document = $5, secret = COALESCE($6, secret)
        WHERE kind = $1 AND id = $2 AND account = $3";
    OBJECT_DELETE = "DELETE FROM object WHERE kind = $1 AND id = $2 AND account = $3";
    OBJECT = "SELECT kind, id, account, name, created, document, secret FROM object
        WHERE kind = $1 AND id = $2 AND account = $3";
    OBJECT_OF_ANY_ACCOUNT = "SELECT kind, id, account, name, created, document, secret FROM object
        WHERE kind = $1 AND id = $2";
    OBJECT_BY_NAME = "SELECT kind, id, account, name, created, document, secret FROM object
        WHERE kind = $1 AND name = $2 AND account = $3";
    OBJECTS_OF_KIND = "SELECT kind, id, account, name, created, document, secret FROM object
        WHERE account = $1 AND kind = $2 AND created > $3 ORDER BY created LIMIT $4";
    // The documents may be large.
    IDS_OF_KIND = "SELECT id AS name FROM object WHERE account = $1 AND kind = $2 ORDER BY created";
    OBJECTS = "SELECT kind, id, account, name, created, document, secret FROM object
        WHERE account = $1 AND created > $2 ORDER BY created LIMIT $3";

    // Without a change where the account has the name already; with none where another has it.
    API_NAME_CLAIM = "INSERT INTO api_name (name, account) VALUES ($1, $2)
        ON CONFLICT (name) DO UPDATE SET account = excluded.account
        WHERE api_name.account = excluded.account";
    // A list that is shorter repeats its last entry.
    ACCOUNTS_OF = "SELECT id AS name, account FROM object WHERE kind = $1 AND id IN (
        $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18,
        $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32, $33, $34,
        $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48, $49, $50,
        $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61, $62, $63, $64, $65, $66,
        $67, $68, $69, $70, $71, $72, $73, $74, $75, $76, $77, $78, $79, $80, $81, $82,
        $83, $84, $85, $86, $87, $88, $89, $90, $91, $92, $93, $94, $95, $96, $97, $98,
        $99, $100, $101)";
    // What changed is found without reading the documents.
    HEADS_OF_KIND = "SELECT DISTINCT account.name AS account, account.revision, account.head AS hash
        FROM object JOIN account ON account.name = object.account WHERE object.kind = $1";
    CHANGED_SINCE = "SELECT DISTINCT object AS name FROM journal
        WHERE account = $1 AND revision > $2 AND kind = $3";

    MENTION_ADD = "INSERT INTO mention (kind, id, mentioned, owner) VALUES ($1, $2, $3, $4)
        ON CONFLICT (kind, id, mentioned) DO NOTHING";
    MENTIONS_DELETE = "DELETE FROM mention WHERE kind = $1 AND id = $2";
    MENTIONING = "SELECT DISTINCT owner AS name FROM mention WHERE mentioned = $1";

    JOURNAL_ADD = "INSERT INTO journal
        (account, revision, at, actor, ip, query_id, kind, object, before, after, hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    JOURNAL = "SELECT account, revision, at, actor, ip, query_id, kind, object, before, after, hash
        FROM journal WHERE account = $1 AND revision > $2 ORDER BY revision LIMIT $3";

    // The entry at each position comes first, without its documents: its hash tells whether it is
    // still the same. The journal holds no secret, so that of the object comes along.
    JOURNAL_SINCE = "WITH position (account, revision) AS (VALUES
            (CAST($1 AS TEXT), CAST($2 AS BIGINT)), ($3, $4), ($5, $6), ($7, $8), ($9, $10), ($11, $12), ($13, $14), ($15, $16),
            ($17, $18), ($19, $20), ($21, $22), ($23, $24), ($25, $26), ($27, $28), ($29, $30), ($31, $32),
            ($33, $34), ($35, $36), ($37, $38), ($39, $40), ($41, $42), ($43, $44), ($45, $46), ($47, $48),
            ($49, $50), ($51, $52), ($53, $54), ($55, $56), ($57, $58), ($59, $60), ($61, $62), ($63, $64))
        SELECT journal.account, journal.revision, at, actor, ip, query_id, journal.kind,
            journal.object,
            CASE WHEN journal.revision > position.revision THEN before END AS before,
            CASE WHEN journal.revision > position.revision THEN after END AS after,
            hash, secret
        FROM position
        JOIN journal ON journal.account = position.account
            AND journal.revision >= position.revision
        LEFT JOIN object ON after IS NOT NULL AND object.kind = journal.kind
            AND object.id = journal.object AND object.account = journal.account
        ORDER BY journal.account, journal.revision LIMIT $65";

    JOURNAL_HASH = "SELECT revision, hash AS head FROM journal WHERE account = $1 AND revision = $2";

    JOURNAL_BEFORE = "SELECT account, revision, at, actor, ip, query_id, kind, object, before, after,
        hash FROM journal WHERE account = $1 AND revision < $2 ORDER BY revision DESC LIMIT $3";

    LOG_ADD = "INSERT INTO log (account, kind, first, last, lines, bytes, has_terms)
        VALUES ($1, $2, $3, $4, $5, $6, $7)";
    LOG_TERMS_ADD = "INSERT INTO log_terms (account, kind, first, last, terms)
        VALUES ($1, $2, $3, $4, $5)";
    LOG_SIZE_ADD = "INSERT INTO log_size (account, kind, bytes) VALUES ($1, $2, $3)
        ON CONFLICT (account, kind) DO UPDATE SET bytes = log_size.bytes + excluded.bytes";
    LOG_LARGEST = "SELECT account, kind, bytes FROM log_size ORDER BY bytes DESC LIMIT 1";
    LOG_SIZE = "SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) AS bytes FROM log_size";
    LOG_FIRST_PAGES = "SELECT last, bytes FROM log WHERE account = $1 AND kind = $2
        AND bytes > 0 ORDER BY last LIMIT $3";
    LOG_DELETE_FIRST = "DELETE FROM log WHERE account = $1 AND kind = $2 AND last <= $3
        AND bytes > 0 RETURNING account, kind, bytes";
    LOG_OLD_PAGES = "SELECT last, bytes FROM log WHERE last < $1 ORDER BY last LIMIT $2";
    LOG_DELETE_OLD = "DELETE FROM log WHERE last <= $1 RETURNING account, kind, bytes";
    LOG_TERMS_DELETE_FIRST = "DELETE FROM log_terms WHERE account = $1 AND kind = $2
        AND last <= $3";
    LOG_TERMS_DELETE_OLD = "DELETE FROM log_terms WHERE last <= $1";
    // The latest pages that have lines from $3 on and before $5. A page spans no more than what lies
    // between $5 and $4.
    LOG_PAGES = "SELECT first, last, CAST(NULL AS BYTEA) AS terms, lines FROM log
        WHERE account = $1 AND kind = $2 AND last >= $3 AND last < $4 AND first < $5
        ORDER BY last DESC LIMIT $6";
    // The same pages with their terms in place of their lines. Small pages without terms come with
    // their lines, since they may be merged with others before those are read. Either part has an
    // order and a limit of its own, or PostgreSQL would sort all pages each time.
    LOG_TERMS = "SELECT first, last, terms, lines FROM (
            SELECT first, last, terms, CAST(NULL AS TEXT) AS lines FROM log_terms
            WHERE account = $1 AND kind = $2 AND last >= $3 AND last < $4 AND first < $5
            ORDER BY last DESC LIMIT $6) AS with_terms
        UNION ALL
        SELECT first, last, terms, lines FROM (
            SELECT first, last, CAST(NULL AS BYTEA) AS terms,
                CASE WHEN bytes > 0 AND bytes <= $7 THEN lines END AS lines FROM log
            WHERE has_terms = 0 AND account = $1 AND kind = $2 AND last >= $3 AND last < $4
                AND first < $5
            ORDER BY last DESC LIMIT $6) AS without_terms
        ORDER BY last DESC LIMIT $6";
    LOG_LINES = "SELECT lines FROM log WHERE account = $1 AND kind = $2 AND last = $3
        AND first = $4 AND has_terms = $5";
    // What has no terms is small, or old: the index has all that is asked of it.
    LOGS_MERGEABLE = "SELECT account, kind, CAST(SUM(bytes) AS BIGINT) AS bytes FROM log
        WHERE has_terms = 0 GROUP BY account, kind
        HAVING SUM(bytes) >= $1 OR MIN(last) < $2 LIMIT $3";
    LOG_MERGEABLE = "SELECT first, last, bytes FROM log
        WHERE account = $1 AND kind = $2 AND has_terms = 0 ORDER BY last LIMIT $3";
    LOG_TAKE = "DELETE FROM log WHERE account = $1 AND kind = $2 AND has_terms = 0
        AND last >= $3 AND last <= $4 RETURNING lines, bytes";
    HOURLY_COUNT_ADD = "INSERT INTO tally (account, hour, what, count) VALUES ($1, $2, $3, $4)
        ON CONFLICT (account, hour, what) DO UPDATE SET count = tally.count + excluded.count";
    HOURLY_COUNTS = "SELECT account, hour, what, count FROM tally WHERE account = $1 AND hour >= $2
        ORDER BY hour";
    HOURLY_COUNTS_DELETE = "DELETE FROM tally WHERE hour < $1";
    LAST_USED_SET = "INSERT INTO usage (account, subject, last) VALUES ($1, $2, $3)
        ON CONFLICT (account, subject) DO UPDATE SET last = excluded.last
        WHERE usage.last < excluded.last";
    LAST_USED = "SELECT account, subject, last FROM usage WHERE account = $1";

    INSTALLATION_ADD = "INSERT INTO installation (one, id, generation) VALUES (1, $1, $2)
        ON CONFLICT (one) DO NOTHING";
    INSTALLATION = "SELECT id, generation FROM installation";
    // A place that was not known yet changes nothing.
    PLACE_SET = "UPDATE installation SET place = $1,
        generation = CASE place WHEN '' THEN generation ELSE $2 END WHERE place <> $1";
    GENERATION_BEGIN = "UPDATE installation SET generation = $2 WHERE generation = $1";
    DATABASE_STATE = "SELECT generation, (SELECT COUNT(*) FROM signing_key) AS keys,
        (SELECT COALESCE(MAX(created), 0) FROM signing_key) AS newest_key FROM installation";

    CREATION_ADD = "INSERT INTO creation (key, account, request, owner, revision, at)
        VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (key) DO NOTHING";
    CREATION = "SELECT request, owner, revision, at FROM creation WHERE key = $1";
    CREATIONS_COUNT = "SELECT COUNT(*) AS count FROM creation WHERE account = $1";
    CREATIONS_OF_ACCOUNT_DELETE = "DELETE FROM creation WHERE account = $1 AND at < $2";
    CREATIONS_DELETE = "DELETE FROM creation WHERE at < $1";

    KEY_ADD = "INSERT INTO signing_key (id, algorithm, sealed, created) VALUES ($1, $2, $3, $4)";
    KEY_DELETE = "DELETE FROM signing_key WHERE id = $1";
    KEYS = "SELECT id, algorithm, sealed, created FROM signing_key ORDER BY created, id";
}

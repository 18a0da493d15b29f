//! Reading and changing what is remembered.

use sqlx::migrate::MigrateError;
use sqlx::postgres::PgListener;

use crate::activity::{ActivityBatch, HourlyCount, LastUsed, LogPage};
use crate::database::{Address, Database, Value, Work, turn_to_open};
use crate::error::{StoreError, Taken};
use crate::journal::{Author, Chain, Entry, EntryRow, origin};
use crate::migrations::migrator;
use crate::notice::{CHANNEL, Listener, Notice};
use crate::object::{Act, Change, Content, Kind, Object, ObjectRow};
use crate::row::from_row;
use crate::sealed_key::SealedKey;
use crate::sql;

/// How many rows are read at once where all are wanted.
const CHUNK: i64 = 10_000;

/// A database with everything that Gatewright remembers.
#[derive(Clone)]
pub struct Store {
    database: Database,
}

struct Head {
    revision: i64,
    head: Vec<u8>,
}

from_row!(Head: revision, head);

struct Name {
    name: String,
}

from_row!(Name: name);

impl Store {
    /// Opens the database and brings its schema up to date.
    ///
    /// Several nodes may do so at once; one of them does the work. A schema that is newer than this
    /// program is refused and left alone.
    pub async fn open(address: &Address) -> Result<Self, StoreError> {
        let _turn = turn_to_open(address).await?;
        let database = Database::open(address).await?;
        let migrations = migrator();
        let migrated = match &database {
            Database::Sqlite { writer, .. } => migrations.run(writer).await,
            Database::Postgres(pool) => migrations.run(pool).await,
        };
        migrated.map_err(|error| match error {
            MigrateError::VersionMissing(found) => {
                let known = migrations.iter().map(|one| one.version).max().unwrap_or_default();
                StoreError::NewerSchema { found, known }
            }
            other => StoreError::Migration(other),
        })?;
        Ok(Self { database })
    }

    /// Lets go of the database once what is under way is done.
    pub async fn close(&self) {
        self.database.close().await;
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        self.database.first::<Head>(sql::ACCOUNT_HEAD, &[Value::Text("")]).await.map(drop)
    }

    /// Makes an account with its first objects.
    pub async fn create_account(
        &self,
        account: &str,
        author: &Author,
        changes: &[Change],
    ) -> Result<Vec<Entry>, StoreError> {
        let mut work = self.database.begin().await?;
        let values = [Value::Text(account), Value::Bytes(&origin())];
        if work.run(sql::ACCOUNT_ADD, &values).await? == 0 {
            return Err(StoreError::Taken(Taken::Name));
        }
        let entries = apply(&mut work, account, author, changes).await?;
        work.commit().await?;
        Ok(entries)
    }

    /// Makes all the changes with one journal entry each, or none of them.
    ///
    /// When this has answered, the changes outlive a crash.
    pub async fn write(
        &self,
        account: &str,
        author: &Author,
        changes: &[Change],
    ) -> Result<Vec<Entry>, StoreError> {
        let mut work = self.database.begin().await?;
        let entries = apply(&mut work, account, author, changes).await?;
        work.commit().await?;
        Ok(entries)
    }

    /// The names of all accounts.
    pub async fn accounts(&self) -> Result<Vec<String>, StoreError> {
        let names = self.database.all::<Name>(sql::ACCOUNTS, &[]).await?;
        Ok(names.into_iter().map(|row| row.name).collect())
    }

    /// The last revision of an account; none when there is no such account.
    pub async fn revision(&self, account: &str) -> Result<Option<i64>, StoreError> {
        let head: Option<Head> =
            self.database.first(sql::ACCOUNT_HEAD, &[Value::Text(account)]).await?;
        Ok(head.map(|head| head.revision))
    }

    /// An object of the account.
    pub async fn object(
        &self,
        account: &str,
        kind: Kind,
        id: &str,
    ) -> Result<Option<Object>, StoreError> {
        let values = [Value::Text(kind.as_str()), Value::Text(id), Value::Text(account)];
        self.one(sql::OBJECT, &values).await
    }

    /// An object of the account by its unique name.
    pub async fn object_by_name(
        &self,
        account: &str,
        kind: Kind,
        name: &str,
    ) -> Result<Option<Object>, StoreError> {
        let values = [Value::Text(kind.as_str()), Value::Text(name), Value::Text(account)];
        self.one(sql::OBJECT_BY_NAME, &values).await
    }

    /// An object of whichever account: only for what is named without its account.
    pub async fn object_anywhere(
        &self,
        kind: Kind,
        id: &str,
    ) -> Result<Option<Object>, StoreError> {
        self.one(sql::OBJECT_ANYWHERE, &[Value::Text(kind.as_str()), Value::Text(id)]).await
    }

    /// The other accounts that own an object which names this account.
    pub async fn mentioning(&self, account: &str) -> Result<Vec<String>, StoreError> {
        let rows = self.database.all::<Name>(sql::MENTIONING, &[Value::Text(account)]).await?;
        let mut owners: Vec<String> = rows.into_iter().map(|row| row.name).collect();
        owners.sort_unstable();
        Ok(owners)
    }

    /// At most `most` objects of one kind that were created after revision `after`, in order.
    pub async fn objects_of_kind(
        &self,
        account: &str,
        kind: Kind,
        after: i64,
        most: i64,
    ) -> Result<Vec<Object>, StoreError> {
        let values =
            [Value::Text(account), Value::Text(kind.as_str()), Value::Int(after), Value::Int(most)];
        self.several(sql::OBJECTS_OF_KIND, &values).await
    }

    /// All objects of one kind, of every account: only for a kind of which there are few.
    pub async fn objects_everywhere(&self, kind: Kind) -> Result<Vec<Object>, StoreError> {
        self.several(sql::OBJECTS_EVERYWHERE, &[Value::Text(kind.as_str())]).await
    }

    /// At most `most` objects of any kind that were created after revision `after`, in order.
    pub async fn objects(
        &self,
        account: &str,
        after: i64,
        most: i64,
    ) -> Result<Vec<Object>, StoreError> {
        let values = [Value::Text(account), Value::Int(after), Value::Int(most)];
        self.several(sql::OBJECTS, &values).await
    }

    /// At most `most` journal entries after revision `after`, in order.
    pub async fn journal(
        &self,
        account: &str,
        after: i64,
        most: i64,
    ) -> Result<Vec<Entry>, StoreError> {
        let values = [Value::Text(account), Value::Int(after), Value::Int(most)];
        let rows = self.database.all::<EntryRow>(sql::JOURNAL, &values).await?;
        rows.into_iter().map(Entry::try_from).collect()
    }

    /// At most `most` journal entries before revision `before`, the last first.
    pub async fn journal_back(
        &self,
        account: &str,
        before: i64,
        most: i64,
    ) -> Result<Vec<Entry>, StoreError> {
        let values = [Value::Text(account), Value::Int(before), Value::Int(most)];
        let rows = self.database.all::<EntryRow>(sql::JOURNAL_BACK, &values).await?;
        rows.into_iter().map(Entry::try_from).collect()
    }

    /// Writes down what happened.
    pub async fn record(&self, record: &ActivityBatch) -> Result<(), StoreError> {
        let mut work = self.database.begin().await?;
        for page in &record.pages {
            let values = [
                Value::Text(&page.account),
                Value::Text(&page.kind),
                Value::Int(page.first),
                Value::Int(page.last),
                Value::Text(&page.lines),
            ];
            work.run(sql::LOG_ADD, &values).await?;
        }
        for HourlyCount { account, hour, what, count } in &record.hourly_counts {
            let values =
                [Value::Text(account), Value::Int(*hour), Value::Text(what), Value::Int(*count)];
            work.run(sql::HOURLY_COUNT_ADD, &values).await?;
        }
        for LastUsed { account, subject, last } in &record.last_used {
            let values = [Value::Text(account), Value::Text(subject), Value::Int(*last)];
            work.run(sql::USAGE_SET, &values).await?;
        }
        work.commit().await
    }

    /// The pages with lines before `before`: those that reach across it, in no order, then at most
    /// `most` that lie before it, the last first.
    pub async fn log_back(
        &self,
        account: &str,
        kind: &str,
        before: i64,
        most: i64,
    ) -> Result<Vec<LogPage>, StoreError> {
        let values = [Value::Text(account), Value::Text(kind), Value::Int(before)];
        let mut pages = self.database.all::<LogPage>(sql::LOG_ACROSS, &values).await?;
        let [account, kind, before] = values;
        let values = [account, kind, before, Value::Int(most)];
        pages.extend(self.database.all::<LogPage>(sql::LOG_BACK, &values).await?);
        Ok(pages)
    }

    /// Forgets lines that happened before `lines`, in microseconds, and counts from before `hour`.
    pub async fn forget(&self, lines: i64, hour: i64) -> Result<u64, StoreError> {
        let mut work = self.database.begin().await?;
        let gone = work.run(sql::LOG_FORGET, &[Value::Int(lines)]).await?;
        work.run(sql::HOURLY_COUNT_FORGET, &[Value::Int(hour)]).await?;
        work.commit().await?;
        Ok(gone)
    }

    /// What happened how often in the account, from that hour on, in order.
    pub async fn hourly_counts(
        &self,
        account: &str,
        hour: i64,
    ) -> Result<Vec<HourlyCount>, StoreError> {
        self.database.all(sql::HOURLY_COUNTS, &[Value::Text(account), Value::Int(hour)]).await
    }

    /// When what was last used in the account.
    pub async fn last_used(&self, account: &str) -> Result<Vec<LastUsed>, StoreError> {
        self.database.all(sql::USAGES, &[Value::Text(account)]).await
    }

    /// Follows the journal of an account from its first entry to its last, and answers how many
    /// there are; fails at the first that is missing or altered.
    pub async fn verify_journal(&self, account: &str) -> Result<i64, StoreError> {
        let mut chain = Chain::new(account);
        // Entries that come in meanwhile are left for the next time.
        let head: Head = self
            .database
            .first(sql::ACCOUNT_HEAD, &[Value::Text(account)])
            .await?
            .ok_or(StoreError::Missing)?;
        while chain.revision() < head.revision {
            let most = CHUNK.min(head.revision - chain.revision());
            let entries = self.journal(account, chain.revision(), most).await?;
            for entry in &entries {
                chain.follow(entry)?;
            }
            if entries.is_empty() {
                break;
            }
        }
        chain.end(head.revision, &head.head)?;
        Ok(head.revision)
    }

    /// The keys that sign tokens, oldest first.
    pub async fn keys(&self) -> Result<Vec<SealedKey>, StoreError> {
        self.database.all(sql::KEYS, &[]).await
    }

    /// Forgets a key.
    pub async fn delete_key(&self, id: &str) -> Result<(), StoreError> {
        let mut work = self.database.begin().await?;
        work.run(sql::KEY_DELETE, &[Value::Text(id)]).await?;
        work.commit().await
    }

    /// Keeps a key.
    pub async fn add_key(&self, key: &SealedKey) -> Result<(), StoreError> {
        let mut work = self.database.begin().await?;
        let values = [
            Value::Text(&key.id),
            Value::Text(&key.algorithm),
            Value::Bytes(&key.sealed),
            Value::Int(key.created),
        ];
        work.run(sql::KEY_ADD, &values).await?;
        work.commit().await
    }

    /// Begins to hear what other nodes change; none on a database that has no other nodes.
    pub async fn listen(&self) -> Result<Option<Listener>, StoreError> {
        let Database::Postgres(pool) = &self.database else { return Ok(None) };
        let mut listener = PgListener::connect_with(pool).await?;
        listener.listen(CHANNEL).await?;
        Ok(Some(Listener(listener)))
    }

    /// Lets every node that hears, this one included, hear a pulse.
    pub async fn pulse(&self) -> Result<(), StoreError> {
        let mut work = self.database.begin().await?;
        work.notify(&Notice::Pulse.text()).await?;
        work.commit().await
    }

    async fn one(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Option<Object>, StoreError> {
        let row = self.database.first::<ObjectRow>(sql, values).await?;
        row.map(Object::try_from).transpose()
    }

    async fn several(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<Object>, StoreError> {
        let rows = self.database.all::<ObjectRow>(sql, values).await?;
        rows.into_iter().map(Object::try_from).collect()
    }
}

/// Makes the changes and writes their entries.
async fn apply(
    work: &mut Work,
    account: &str,
    author: &Author,
    changes: &[Change],
) -> Result<Vec<Entry>, StoreError> {
    let count = i64::try_from(changes.len()).unwrap_or(i64::MAX);
    let values = [Value::Text(account), Value::Int(count)];
    let head: Option<Head> = work.first(sql::ACCOUNT_ADVANCE, &values).await?;
    let head = head.ok_or(StoreError::Missing)?;
    let mut previous = head.head;
    let mut entries = Vec::with_capacity(changes.len());
    for (revision, change) in (head.revision - count + 1..).zip(changes) {
        let before = change_object(work, account, revision, change).await?;
        let after = change.act.content().map(|content| content.document.clone());
        let mut entry = Entry {
            account: account.to_owned(),
            revision,
            author: author.clone(),
            kind: change.kind,
            object: change.id.clone(),
            before,
            after,
            hash: Vec::new(),
        };
        entry.hash = entry.seal(&previous);
        previous.clone_from(&entry.hash);
        add_entry(work, &entry).await?;
        entries.push(entry);
    }
    work.run(sql::ACCOUNT_SEAL, &[Value::Text(account), Value::Bytes(&previous)]).await?;
    let resources = changes.iter().any(Change::moves_a_resource);
    let notice =
        Notice::Changed { account: account.to_owned(), revision: head.revision, resources };
    work.notify(&notice.text()).await?;
    Ok(entries)
}

/// Makes one change; answers the document that was there before.
async fn change_object(
    work: &mut Work,
    account: &str,
    revision: i64,
    change: &Change,
) -> Result<Option<String>, StoreError> {
    let key = [Value::Text(change.kind.as_str()), Value::Text(&change.id), Value::Text(account)];
    let [kind, id, _] = key;
    let there: Option<ObjectRow> = work.first(sql::OBJECT, &key).await?;
    let there = there.map(Object::try_from).transpose()?;
    if let Some(name) = change.act.content().and_then(|content| content.name.as_deref()) {
        let values = [kind, Value::Text(name), Value::Text(account)];
        let namesake: Option<ObjectRow> = work.first(sql::OBJECT_BY_NAME, &values).await?;
        if namesake.map(Object::try_from).transpose()?.is_some_and(|one| one.id != change.id) {
            return Err(StoreError::Taken(Taken::Name));
        }
    }
    match &change.act {
        Act::Create { content, secret } => {
            let values = [
                kind,
                id,
                Value::Text(account),
                Value::MaybeText(content.name.as_deref()),
                Value::Int(revision),
                Value::Text(&content.document),
                Value::MaybeBytes(secret.as_deref()),
            ];
            match work.run(sql::OBJECT_ADD, &values).await {
                Err(StoreError::Database(sqlx::Error::Database(error)))
                    if error.is_unique_violation() =>
                {
                    return Err(StoreError::Taken(Taken::Id));
                }
                done => done?,
            };
            mention(work, account, kind, id, content).await?;
            Ok(None)
        }
        Act::Update { from, content, secret } => {
            let there = there.ok_or(StoreError::Missing)?;
            if there.document != *from {
                return Err(StoreError::Stale);
            }
            let name = Value::MaybeText(content.name.as_deref());
            let document = Value::Text(&content.document);
            let secret = Value::MaybeBytes(secret.as_deref());
            let values = [kind, id, Value::Text(account), name, document, secret];
            work.run(sql::OBJECT_CHANGE, &values).await?;
            work.run(sql::MENTIONS_REMOVE, &[kind, id]).await?;
            mention(work, account, kind, id, content).await?;
            Ok(Some(there.document))
        }
        Act::Delete => {
            let there = there.ok_or(StoreError::Missing)?;
            work.run(sql::OBJECT_REMOVE, &key).await?;
            Ok(Some(there.document))
        }
    }
}

/// Remembers which other accounts the object names.
async fn mention(
    work: &mut Work,
    account: &str,
    kind: Value<'_>,
    id: Value<'_>,
    content: &Content,
) -> Result<(), StoreError> {
    for mentioned in &content.mentions {
        let values = [kind, id, Value::Text(mentioned), Value::Text(account)];
        work.run(sql::MENTION_ADD, &values).await?;
    }
    Ok(())
}

async fn add_entry(work: &mut Work, entry: &Entry) -> Result<(), StoreError> {
    let author = &entry.author;
    let values = [
        Value::Text(&entry.account),
        Value::Int(entry.revision),
        Value::Int(author.at),
        Value::Text(&author.actor),
        Value::MaybeText(author.ip.as_deref()),
        Value::Text(&author.query_id),
        Value::Text(entry.kind.as_str()),
        Value::Text(&entry.object),
        Value::MaybeText(entry.before.as_deref()),
        Value::MaybeText(entry.after.as_deref()),
        Value::Bytes(&entry.hash),
    ];
    work.run(sql::JOURNAL_ADD, &values).await.map(drop)
}

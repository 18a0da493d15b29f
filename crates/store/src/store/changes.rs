//! Changes objects, with one journal entry for each change.

use gatewright_policy::{AccountName, Revision};

use super::rows::Head;
use super::{Store, creations};
use crate::creation::CreationKey;
use crate::database::Database;
use crate::error::{StoreError, Taken};
use crate::journal::{Author, Entry, entry_hash, origin};
use crate::last_change::LastChange;
use crate::notice::{CHANNEL, ChangeNotice, Message, short_hash};
use crate::object::{Act, Change, Content, Kind, Object, ObjectRow};
use crate::sql;
use crate::statement::Value;
use crate::transaction::Transaction;
use crate::transient::NoWrites;

impl Store {
    /// Creates an account with its first objects.
    pub async fn create_account(
        &self,
        account: &AccountName,
        author: &Author,
        changes: &[Change],
    ) -> Result<Vec<Entry>, StoreError> {
        let mut transaction = self.database.begin().await?;
        let values = [Value::Account(account), Value::Bytes(&origin())];
        if transaction.run(sql::ACCOUNT_ADD, &values).await? == 0 {
            transaction.roll_back().await;
            return Err(StoreError::Taken(Taken::Name));
        }
        finish(transaction, account, author, changes, None).await
    }

    /// Applies all changes with one journal entry each, or none of them.
    ///
    /// Once this has returned, the changes survive a crash.
    pub async fn write(
        &self,
        account: &AccountName,
        author: &Author,
        changes: &[Change],
    ) -> Result<Vec<Entry>, StoreError> {
        self.commit(account, author, changes, None).await
    }

    /// Applies all changes in the same way, the first of which creates an object under an idempotency
    /// key. Of two with one key, the second is refused as a whole.
    pub async fn write_once(
        &self,
        account: &AccountName,
        author: &Author,
        changes: &[Change],
        key: &CreationKey,
    ) -> Result<Vec<Entry>, StoreError> {
        self.commit(account, author, changes, Some(key)).await
    }

    /// Makes the changes and commits them; where the disk is full, with room of its reserve if they may
    /// have that.
    async fn commit(
        &self,
        account: &AccountName,
        author: &Author,
        changes: &[Change],
        key: Option<&CreationKey>,
    ) -> Result<Vec<Entry>, StoreError> {
        if !changes.iter().all(Change::may_use_reserve) {
            // Those that were admitted before the disk was full must not use up what was given back.
            self.check_room()?;
        }
        let attempt = || async {
            let transaction = self.database.begin().await?;
            finish(transaction, account, author, changes, key).await
        };
        let mut done = attempt().await;
        if let Err(error) = &done
            && error.no_writes() == Some(NoWrites::NoRoom)
            && self.makes_room(account, changes)
        {
            done = attempt().await;
        }
        if let (Ok(entries), Database::Sqlite(file)) = (&done, &self.database) {
            file.note_last_change(entries.last().map(LastChange::of).as_ref());
        }
        done
    }
}

/// Makes the changes and commits them, or rolls everything back.
async fn finish(
    mut transaction: Transaction,
    account: &AccountName,
    author: &Author,
    changes: &[Change],
    key: Option<&CreationKey>,
) -> Result<Vec<Entry>, StoreError> {
    match apply(&mut transaction, account, author, changes, key).await {
        Ok(entries) => match transaction.commit().await {
            Ok(()) => Ok(entries),
            // The database has refused the commit itself.
            Err(error) if error.no_writes().is_some() => Err(error),
            Err(error @ StoreError::Unavailable { .. }) => {
                Err(StoreError::Unconfirmed(Box::new(error)))
            }
            Err(error) => Err(error),
        },
        Err(error) => {
            transaction.roll_back().await;
            Err(error)
        }
    }
}

/// Applies the changes and writes their entries.
async fn apply(
    transaction: &mut Transaction,
    account: &AccountName,
    author: &Author,
    changes: &[Change],
    key: Option<&CreationKey>,
) -> Result<Vec<Entry>, StoreError> {
    let count = i64::try_from(changes.len()).unwrap_or(i64::MAX);
    let values = [Value::Account(account), Value::Int(count)];
    let head: Option<Head> = transaction.first(sql::ACCOUNT_ADVANCE, &values).await?;
    let head = head.ok_or(StoreError::Missing)?;
    if let Some(key) = key {
        // Before the changes: of two repetitions the second must not fail by the name of the first.
        let first = Revision::new(head.revision.number() - count + 1);
        creations::add(transaction, key, (account, first, author.at)).await?;
    }
    let mut previous = entry_hash(&head.head)?;
    let mut entries = Vec::with_capacity(changes.len());
    for (revision, change) in (head.revision.number() - count + 1..).map(Revision::new).zip(changes)
    {
        let before = change_object(transaction, account, revision, change).await?;
        let after = change.act.content().map(|content| content.document.clone());
        let mut entry = Entry {
            account: account.clone(),
            revision,
            author: author.clone(),
            kind: change.kind,
            object: change.id.clone(),
            before,
            after,
            hash: origin(),
        };
        entry.hash = entry.seal(&previous);
        previous = entry.hash;
        add_entry(transaction, &entry).await?;
        entries.push(entry);
    }
    transaction
        .run(sql::ACCOUNT_SET_HEAD, &[Value::Account(account), Value::Bytes(&previous)])
        .await?;
    let notice = ChangeNotice {
        account: account.clone(),
        revision: head.revision,
        hash: short_hash(&previous),
        resources: changes.iter().any(Change::moves_a_resource),
        apis: changes.iter().any(|change| change.kind == Kind::Api),
    };
    transaction.notify(CHANNEL, &Message::Changed(notice).text()).await?;
    Ok(entries)
}

/// Claims the name of an API for the account that declares it, which has it for good; returns whether
/// it is the account's.
async fn claims_api_name(
    transaction: &mut Transaction,
    account: &AccountName,
    name: Value<'_>,
) -> Result<bool, StoreError> {
    Ok(transaction.run(sql::API_NAME_CLAIM, &[name, Value::Account(account)]).await? > 0)
}

/// Applies one change; returns the document before it.
async fn change_object(
    transaction: &mut Transaction,
    account: &AccountName,
    revision: Revision,
    change: &Change,
) -> Result<Option<String>, StoreError> {
    let key = [Value::Kind(change.kind), Value::Text(&change.id), Value::Account(account)];
    let [kind, id, _] = key;
    let there: Option<ObjectRow> = transaction.first(sql::OBJECT, &key).await?;
    let there = there.map(Object::try_from).transpose()?;
    // With each change, since an older node that declared it did not claim the name.
    if change.kind == Kind::Api
        && !claims_api_name(transaction, account, id).await?
        && matches!(change.act, Act::Create { .. })
    {
        return Err(StoreError::Taken(Taken::Id));
    }
    if let Some(name) = change.act.content().and_then(|content| content.name.as_deref()) {
        let values = [kind, Value::Text(name), Value::Account(account)];
        let namesake: Option<ObjectRow> = transaction.first(sql::OBJECT_BY_NAME, &values).await?;
        if namesake.map(Object::try_from).transpose()?.is_some_and(|one| one.id != change.id) {
            return Err(StoreError::Taken(Taken::Name));
        }
    }
    match &change.act {
        Act::Create { content, secret } => {
            let values = [
                kind,
                id,
                Value::Account(account),
                Value::OptionalText(content.name.as_deref()),
                Value::Revision(revision),
                Value::Text(&content.document),
                Value::OptionalBytes(secret.as_deref()),
            ];
            match transaction.run(sql::OBJECT_ADD, &values).await {
                Err(error) if error.is_unique_violation() => {
                    return Err(StoreError::Taken(Taken::Id));
                }
                done => done?,
            };
            mention(transaction, account, kind, id, content).await?;
            Ok(None)
        }
        Act::Update { from, content, secret } => {
            let there = there.ok_or(StoreError::Missing)?;
            if there.document != *from {
                return Err(StoreError::Stale);
            }
            let name = Value::OptionalText(content.name.as_deref());
            let document = Value::Text(&content.document);
            let secret = Value::OptionalBytes(secret.as_deref());
            let values = [kind, id, Value::Account(account), name, document, secret];
            transaction.run(sql::OBJECT_UPDATE, &values).await?;
            transaction.run(sql::MENTIONS_DELETE, &[kind, id]).await?;
            mention(transaction, account, kind, id, content).await?;
            Ok(Some(there.document))
        }
        Act::Delete { from } => {
            let there = there.ok_or(StoreError::Missing)?;
            if from.as_ref().is_some_and(|from| *from != there.document) {
                return Err(StoreError::Stale);
            }
            transaction.run(sql::OBJECT_DELETE, &key).await?;
            Ok(Some(there.document))
        }
    }
}

/// Stores the other accounts that the object names.
async fn mention(
    transaction: &mut Transaction,
    account: &AccountName,
    kind: Value<'_>,
    id: Value<'_>,
    content: &Content,
) -> Result<(), StoreError> {
    for mentioned in &content.mentions {
        let values = [kind, id, Value::Text(mentioned.as_str()), Value::Account(account)];
        transaction.run(sql::MENTION_ADD, &values).await?;
    }
    Ok(())
}

async fn add_entry(transaction: &mut Transaction, entry: &Entry) -> Result<(), StoreError> {
    let author = &entry.author;
    let values = [
        Value::Account(&entry.account),
        Value::Revision(entry.revision),
        Value::Instant(author.at),
        Value::Text(&author.actor),
        Value::OptionalText(author.ip.as_deref()),
        Value::Text(&author.query_id),
        Value::Kind(entry.kind),
        Value::Text(&entry.object),
        Value::OptionalText(entry.before.as_deref()),
        Value::OptionalText(entry.after.as_deref()),
        Value::Bytes(&entry.hash),
    ];
    transaction.run(sql::JOURNAL_ADD, &values).await.map(drop)
}

#[cfg(test)]
mod tests {
    use gatewright_testing::TestDatabase;

    use super::*;
    use crate::database::Database;
    use crate::transient::NoWrites;

    #[tokio::test]
    async fn a_file_that_can_only_be_read_says_so_to_changes_and_answers_reads() {
        let database = TestDatabase::sqlite();
        let store = Store::open(&database.address.parse().unwrap()).await.unwrap();
        let account = AccountName::new("aa1-ovh");
        let (actor, query_id) = ("test".to_owned(), String::new());
        let author = Author { actor, ip: None, query_id, at: gatewright_policy::Instant::EPOCH };
        store.create_account(&account, &author, &[]).await.unwrap();
        let create = |id: &str| {
            let content = Content { document: "{}".to_owned(), ..Content::default() };
            let act = Act::Create { content, secret: None };
            [Change { kind: Kind::Policy, id: id.to_owned(), act }]
        };
        store.write(&account, &author, &create("before")).await.unwrap();
        // SQLite answers as where the file cannot be written. Permissions would not stop root.
        let Database::Sqlite(file) = &store.database else { unreachable!() };
        let set = async |statement: &'static str| {
            sqlx::query(statement).execute(&file.connections().writer).await.unwrap();
        };
        set("PRAGMA query_only = 1").await;
        let refused = store.write(&account, &author, &create("meanwhile")).await.unwrap_err();
        assert_eq!(refused.no_writes(), Some(NoWrites::ReadOnly), "{refused:?}");
        let read = async |id: &str| store.object(&account, Kind::Policy, id).await.unwrap();
        assert!(read("before").await.is_some() && read("meanwhile").await.is_none());
        set("PRAGMA query_only = 0").await;
        store.write(&account, &author, &create("after")).await.unwrap();
    }
}

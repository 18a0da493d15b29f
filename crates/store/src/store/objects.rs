//! Reads objects.

use std::collections::HashMap;

use gatewright_policy::{AccountName, Revision};

use super::Store;
use super::rows::Name;
use crate::error::StoreError;
use crate::object::{Kind, Object, ObjectRow};
use crate::row::from_row;
use crate::since::{Position, PositionRow};
use crate::sql;
use crate::statement::{Statement, Value};

/// The number of identifiers in `ACCOUNTS_OF`.
const AT_ONCE: usize = 100;

/// An object with its account.
struct OwnedObject {
    name: String,
    account: AccountName,
}

from_row!(OwnedObject: name, account as AccountName);

/// The identifier of an object.
struct Id {
    name: String,
}

from_row!(Id: name);

impl Store {
    /// Reads an object of the account.
    pub async fn object(
        &self,
        account: &AccountName,
        kind: Kind,
        id: &str,
    ) -> Result<Option<Object>, StoreError> {
        let values = [Value::Kind(kind), Value::Text(id), Value::Account(account)];
        self.one(sql::OBJECT, &values).await
    }

    /// Reads an object of the account by its unique name.
    pub async fn object_by_name(
        &self,
        account: &AccountName,
        kind: Kind,
        name: &str,
    ) -> Result<Option<Object>, StoreError> {
        let values = [Value::Kind(kind), Value::Text(name), Value::Account(account)];
        self.one(sql::OBJECT_BY_NAME, &values).await
    }

    /// Reads an object of any account: only for objects that are named without their account.
    pub async fn object_of_any_account(
        &self,
        kind: Kind,
        id: &str,
    ) -> Result<Option<Object>, StoreError> {
        self.one(sql::OBJECT_OF_ANY_ACCOUNT, &[Value::Kind(kind), Value::Text(id)]).await
    }

    /// Reads the other accounts with an object that names this account.
    pub async fn accounts_mentioning(
        &self,
        account: &AccountName,
    ) -> Result<Vec<AccountName>, StoreError> {
        let rows = self.database.all::<Name>(sql::MENTIONING, &[Value::Account(account)]).await?;
        let mut owners: Vec<AccountName> = rows.into_iter().map(|row| row.name).collect();
        owners.sort_unstable();
        Ok(owners)
    }

    /// Reads at most `most` objects of one kind that were created after revision `after`, in order.
    pub async fn objects_of_kind(
        &self,
        account: &AccountName,
        kind: Kind,
        after: Revision,
        most: i64,
    ) -> Result<Vec<Object>, StoreError> {
        let values =
            [Value::Account(account), Value::Kind(kind), Value::Revision(after), Value::Int(most)];
        self.several(sql::OBJECTS_OF_KIND, &values).await
    }

    /// Reads the identifiers of all objects of one kind of an account, in the order of their creation:
    /// only for a kind with few objects.
    pub async fn ids_of_kind(
        &self,
        account: &AccountName,
        kind: Kind,
    ) -> Result<Vec<String>, StoreError> {
        let values = [Value::Account(account), Value::Kind(kind)];
        let rows = self.database.all::<Id>(sql::IDS_OF_KIND, &values).await?;
        Ok(rows.into_iter().map(|row| row.name).collect())
    }

    /// Reads the accounts that objects of one kind belong to, by their identifiers, many at once.
    pub async fn accounts_of(
        &self,
        kind: Kind,
        ids: &[&str],
    ) -> Result<HashMap<String, AccountName>, StoreError> {
        // No identifier holds a NUL, which PostgreSQL does not take.
        let ids: Vec<&str> = ids.iter().copied().filter(|id| !id.contains('\0')).collect();
        let mut accounts = HashMap::with_capacity(ids.len());
        for some in ids.chunks(AT_ONCE) {
            let Some(last) = some.last() else { continue };
            let padded = some.iter().chain(std::iter::repeat(last)).take(AT_ONCE);
            let mut values = vec![Value::Kind(kind)];
            values.extend(padded.map(|id| Value::Text(id)));
            let rows = self.database.all::<OwnedObject>(sql::ACCOUNTS_OF, &values).await?;
            accounts.extend(rows.into_iter().map(|row| (row.name, row.account)));
        }
        Ok(accounts)
    }

    /// Reads the positions of the last changes of all accounts that have objects of one kind: only
    /// for a kind with few objects.
    pub async fn heads_of_kind(&self, kind: Kind) -> Result<Vec<Position>, StoreError> {
        let rows =
            self.database.all::<PositionRow>(sql::HEADS_OF_KIND, &[Value::Kind(kind)]).await?;
        rows.into_iter().map(Position::try_from).collect()
    }

    /// Reads the identifiers of the objects of one kind that an account changed after a revision.
    pub async fn changed_since(
        &self,
        account: &AccountName,
        revision: Revision,
        kind: Kind,
    ) -> Result<Vec<String>, StoreError> {
        let values = [Value::Account(account), Value::Revision(revision), Value::Kind(kind)];
        let rows = self.database.all::<Id>(sql::CHANGED_SINCE, &values).await?;
        Ok(rows.into_iter().map(|row| row.name).collect())
    }

    /// Reads at most `most` objects of any kind that were created after revision `after`, in order.
    pub async fn objects(
        &self,
        account: &AccountName,
        after: Revision,
        most: i64,
    ) -> Result<Vec<Object>, StoreError> {
        let values = [Value::Account(account), Value::Revision(after), Value::Int(most)];
        self.several(sql::OBJECTS, &values).await
    }

    async fn one(
        &self,
        statement: Statement,
        values: &[Value<'_>],
    ) -> Result<Option<Object>, StoreError> {
        let row = self.database.first::<ObjectRow>(statement, values).await?;
        row.map(Object::try_from).transpose()
    }

    async fn several(
        &self,
        statement: Statement,
        values: &[Value<'_>],
    ) -> Result<Vec<Object>, StoreError> {
        let rows = self.database.all::<ObjectRow>(statement, values).await?;
        rows.into_iter().map(Object::try_from).collect()
    }
}

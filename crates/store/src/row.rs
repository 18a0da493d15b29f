//! Reads rows of either database into structs.

/// Reads a struct from a row by the names of its columns, which are those of its fields; an
/// instant, `as Instant`, from a number, as a `Revision` is, and the name of an account, `as AccountName`, from a text.
///
/// sqlx has a derive macro for this. It makes the compiler itself load both databases and their TLS,
/// which takes longer to build than the rest of this crate.
macro_rules! from_row {
    ($name:ident: $($field:ident $(as $type:ident)?),+) => {
        impl<'r, R: sqlx::Row> sqlx::FromRow<'r, R> for $name
        where
            &'static str: sqlx::ColumnIndex<R>,
            i64: sqlx::Type<R::Database> + sqlx::Decode<'r, R::Database>,
            &'r str: sqlx::Type<R::Database> + sqlx::Decode<'r, R::Database>,
            String: sqlx::Type<R::Database> + sqlx::Decode<'r, R::Database>,
            Vec<u8>: sqlx::Type<R::Database> + sqlx::Decode<'r, R::Database>,
        {
            fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
                Ok(Self { $($field: from_row!(@field row $field $(as $type)?)),+ })
            }
        }
    };
    (@field $row:ident $field:ident) => {
        $row.try_get(stringify!($field))?
    };
    (@field $row:ident $field:ident as AccountName) => {
        gatewright_policy::AccountName::new($row.try_get::<&str, _>(stringify!($field))?)
    };
    (@field $row:ident $field:ident as Revision) => {
        gatewright_policy::Revision::new($row.try_get(stringify!($field))?)
    };
    (@field $row:ident $field:ident as Instant) => {
        gatewright_policy::Instant::from_micros($row.try_get(stringify!($field))?)
    };
}

pub(crate) use from_row;

//! The migrations of the schema.

use sqlx::SqlSafeStr;
use sqlx::migrate::{Migration, MigrationType, Migrator};

/// The files in `migrations/`, each with its number and name. A released one never changes:
/// databases hold its hash.
const FILES: &[(i64, &str, &str)] = &[
    (1, "objects and journal", include_str!("../migrations/0001_objects_and_journal.sql")),
    (2, "log and usage", include_str!("../migrations/0002_log_and_usage.sql")),
    (3, "installation", include_str!("../migrations/0003_installation.sql")),
    (4, "creation", include_str!("../migrations/0004_creation.sql")),
    (5, "api names", include_str!("../migrations/0005_api_names.sql")),
    (6, "log size", include_str!("../migrations/0006_log_size.sql")),
    (7, "log terms", include_str!("../migrations/0007_log_terms.sql")),
    (8, "place", include_str!("../migrations/0008_place.sql")),
];

/// Returns the migrator of a database.
pub(crate) fn migrator() -> Migrator {
    let migration = |(version, name, sql): &(i64, &'static str, &'static str)| {
        Migration::new(*version, (*name).into(), MigrationType::Simple, sql.into_sql_str(), false)
    };
    Migrator::with_migrations(FILES.iter().map(migration).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_is_a_step_by_its_name() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations");
        let mut names: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let listed = FILES
            .iter()
            .map(|(version, name, _)| format!("{version:04}_{}.sql", name.replace(' ', "_")));
        assert_eq!(names, listed.collect::<Vec<_>>());
    }

    /// The hash that existing databases hold.
    #[test]
    fn a_released_step_keeps_its_hash() {
        let migrator = migrator();
        let hashes: Vec<&[u8]> =
            migrator.iter().map(|one| one.checksum.get(..4).unwrap_or_default()).collect();
        assert_eq!(
            hashes,
            [
                [0xdd, 0xfd, 0x1a, 0xa4],
                [0xc6, 0xe7, 0x76, 0x0c],
                [0xda, 0xbb, 0x9e, 0x53],
                [0xc6, 0x94, 0xb3, 0x00],
                [0x5e, 0x9d, 0xa0, 0x44],
                [0x53, 0xcc, 0xf5, 0xc8],
                [0x35, 0x89, 0x08, 0xec],
                [0x50, 0xa1, 0x25, 0x43],
            ]
        );
    }
}

-- Written for SQLite and PostgreSQL alike.

-- Where the database is: the server, its timeline and the table, as PostgreSQL names them; empty where
-- that is not known. A restore and a promoted replica have another place, which begins a new
-- generation. On SQLite it stays empty: a file may be anywhere.
ALTER TABLE installation ADD COLUMN place TEXT NOT NULL DEFAULT '';

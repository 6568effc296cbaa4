//! Both backends keep the same promises.

#![allow(clippy::unwrap_used, reason = "tests")]

use raccord_bus::conformance::{Fixture, suite};
use raccord_bus::{FILE, Log, MemoryDisk, SqliteLog};
use raccord_model::PlaceId;
use tempfile::TempDir;

fn place() -> PlaceId {
    "raffinerie".parse().unwrap()
}

struct Memory(MemoryDisk);

impl Fixture for Memory {
    fn open(&self) -> Box<dyn Log> {
        Box::new(self.0.open())
    }
    fn damage(&self, number: u64) {
        assert!(self.0.damage(number));
    }
}

struct Sqlite(TempDir);

impl Fixture for Sqlite {
    fn open(&self) -> Box<dyn Log> {
        Box::new(SqliteLog::open(self.0.path(), &place()).unwrap().log)
    }
    fn damage(&self, number: u64) {
        let conn = rusqlite::Connection::open(self.0.path().join(FILE)).unwrap();
        let read = "SELECT body FROM commits WHERE n = ?1";
        let mut body: Vec<u8> = conn
            .query_row(read, [number as i64], |row| row.get(0))
            .unwrap();
        *body.last_mut().unwrap() ^= 1;
        let write = "UPDATE commits SET body = ?2 WHERE n = ?1";
        conn.execute(write, (number as i64, body)).unwrap();
    }
}

#[test]
fn the_log_in_memory_keeps_every_promise() {
    suite(|| Memory(MemoryDisk::new(place())));
}

#[test]
fn the_log_in_sqlite_keeps_every_promise() {
    suite(|| Sqlite(tempfile::tempdir().unwrap()));
}

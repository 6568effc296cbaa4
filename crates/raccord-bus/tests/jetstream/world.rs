//! One or more servers, a runtime and a connection: what each story starts from.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use jiff::Timestamp;
use raccord_bus::jetstream::servers::{Server, Version};
use raccord_bus::jetstream::{Jetstream, JetstreamLog, JetstreamReader, Settings};
use raccord_model::PlaceId;
use tempfile::TempDir;
use tokio::runtime::Runtime;

pub(crate) static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());

/// A server, what it keeps, and the folders of nodes.
pub(crate) struct World {
    pub(crate) server: Server,
    pub(crate) folder: TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(Version::Present, "")
    }

    pub(crate) fn with(version: Version, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start(version, &folder.path().join("server"), more);
        Self { server, folder }
    }

    pub(crate) fn settings(&self) -> Settings {
        settings([self.server.url()])
    }

    pub(crate) fn connect(&self) -> Jetstream {
        Jetstream::connect(RUNTIME.handle().clone(), &self.settings()).unwrap()
    }

    /// Where a node keeps its copy.
    pub(crate) fn node(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Opens the log of the place for writing, on a node.
    pub(crate) fn open(&self, link: &Jetstream, node: &str) -> JetstreamLog {
        let opened = JetstreamLog::open(link, &self.node(node), &place()).unwrap();
        assert!(!opened.restored);
        opened.log
    }
}

/// Opens the log of the place for reading, with no copy.
pub(crate) fn read(link: &Jetstream) -> JetstreamReader {
    JetstreamReader::open(link, None, &place()).unwrap()
}

pub(crate) fn settings(servers: impl IntoIterator<Item = String>) -> Settings {
    Settings {
        answer: Duration::from_millis(500),
        patience: Duration::from_secs(10),
        ..Settings::new(servers)
    }
}

pub(crate) fn place() -> PlaceId {
    "raffinerie".parse().unwrap()
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

/// A client of any program, beside ours.
pub(crate) fn plain(url: &str) -> async_nats::jetstream::Context {
    RUNTIME.block_on(async { async_nats::jetstream::new(async_nats::connect(url).await.unwrap()) })
}

/// Copies a folder.
pub(crate) fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Sends a server a signal, such as `-STOP`.
pub(crate) fn signal(server: &Server, name: &str) {
    let pid = server.pid().unwrap().to_string();
    let status = std::process::Command::new("kill")
        .args([name, &pid])
        .status()
        .unwrap();
    assert!(status.success());
}

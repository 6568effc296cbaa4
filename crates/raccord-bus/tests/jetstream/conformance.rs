//! The log in a cluster keeps the promises every backend keeps.

use std::sync::atomic::{AtomicU32, Ordering};

use raccord_bus::Log;
use raccord_bus::conformance::{Fixture, suite};
use raccord_bus::jetstream::servers::{Server, Version};
use raccord_bus::jetstream::{Jetstream, JetstreamLog, Settings};
use raccord_model::PlaceId;
use tempfile::TempDir;

use crate::world::{RUNTIME, plain, settings};

/// The log of one place of many in the same cluster, and one node.
struct Clustered {
    link: Jetstream,
    url: String,
    place: PlaceId,
    node: TempDir,
}

impl Fixture for Clustered {
    fn open(&self) -> Box<dyn Log> {
        let opened = JetstreamLog::open(&self.link, self.node.path(), &self.place).unwrap();
        Box::new(opened.log)
    }

    /// A server that finds a message damaged drops it. The copy on this machine is lost as well, or
    /// nobody would notice.
    fn damage(&self, number: u64) {
        let subject = format!("raccord.{}.log", self.place);
        let client = plain(&self.url);
        RUNTIME.block_on(async {
            let stream = client.get_stream("raccord").await.unwrap();
            let mut sequence = 0;
            let mut groups = 0;
            while groups < number {
                let message = stream
                    .get_first_raw_message_by_subject(&subject, sequence + 1)
                    .await
                    .unwrap();
                sequence = message.sequence;
                groups += u64::from(message.payload[1] == 1);
            }
            assert!(stream.delete_message(sequence).await.unwrap());
        });
        for file in std::fs::read_dir(self.node.path()).unwrap() {
            std::fs::remove_file(file.unwrap().path()).unwrap();
        }
    }
}

fn run(url: &str, settings: &Settings) {
    let link = Jetstream::connect(RUNTIME.handle().clone(), settings).unwrap();
    let places = AtomicU32::new(0);
    suite(|| Clustered {
        link: link.clone(),
        url: url.to_owned(),
        place: format!("p{}", places.fetch_add(1, Ordering::Relaxed))
            .parse()
            .unwrap(),
        node: tempfile::tempdir().unwrap(),
    });
}

fn alone(version: Version) {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(version, folder.path(), "");
    run(&server.url(), &settings([server.url()]));
}

#[test]
fn on_one_server_every_promise_is_kept() {
    alone(Version::Present);
}

#[test]
fn on_debians_server_every_promise_is_kept() {
    alone(Version::Debian);
}

#[test]
fn on_three_servers_every_promise_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let servers = Server::start_three(Version::Present, folder.path());
    let settings = Settings {
        replicas: 3,
        ..settings(servers.iter().map(Server::url))
    };
    run(&servers[0].url(), &settings);
}

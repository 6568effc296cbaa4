//! What a thousand activities cost, and what it costs that nothing changed: requests, bytes on the
//! wire, seconds.
//!
//!     cargo run --release -p raccord-connector-nextcloud-calendar --example thousand

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "an example that prints figures"
)]

#[path = "../tests/common/mod.rs"]
mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use common::{Stage, activity};
use futures_util::future::join_all;
use raccord_model::{Link, Observation};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const ALL: usize = 1_000;
/// As many as the connector says it stands.
const AT_ONCE: usize = 4;

/// Stands between the connector and the cloud, and counts.
async fn counting(port: u16) -> (String, Arc<AtomicU64>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/", listener.local_addr().unwrap());
    let bytes = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&bytes);
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
            let ((near_in, near_out), (far_in, far_out)) = (near.into_split(), far.into_split());
            tokio::spawn(pass(near_in, far_out, Arc::clone(&counted)));
            tokio::spawn(pass(far_in, near_out, Arc::clone(&counted)));
        }
    });
    (address, bytes)
}

async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    bytes: Arc<AtomicU64>,
) {
    let mut piece = vec![0; 16 * 1024];
    while let Ok(read) = from.read(&mut piece).await {
        if read == 0 || to.write_all(&piece[..read]).await.is_err() {
            return;
        }
        bytes.fetch_add(read as u64, Ordering::Relaxed);
    }
}

#[tokio::main]
async fn main() {
    let mut stage = Stage::open().await;
    let direct = stage.standin.url("/");
    let port = direct
        .trim_end_matches('/')
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let (address, bytes) = counting(port).await;
    let connector = raccord_connector_nextcloud_calendar::CONNECTOR;
    stage.tool = (connector.build)(common::settings(&address), &stage.kit).unwrap();
    let mut before = (0, 0);
    let mut told = |what: &str, start: Instant, stage: &Stage| {
        let now = (stage.standin.seen().len(), bytes.load(Ordering::Relaxed));
        let (requests, sent) = (now.0 - before.0, now.1 - before.1);
        before = now;
        println!(
            "{what}: {requests} requests, {sent} bytes, {:.2} s",
            start.elapsed().as_secs_f64()
        );
        (requests, sent)
    };

    let entities: Vec<_> = (0..ALL)
        .map(|n| {
            activity(
                n,
                json!({ "description": "Ouvert à toutes et tous.", "tags": ["jazz"] }),
            )
        })
        .collect();
    let start = Instant::now();
    let mut ours: Vec<(_, Link)> = Vec::new();
    for lot in entities.chunks(AT_ONCE) {
        let links = join_all(lot.iter().map(|entity| stage.put(entity, None))).await;
        ours.extend(lot.iter().map(|entity| entity.id).zip(links));
    }
    let (requests, _) = told("the first 1,000 activities", start, &stage);
    assert!(
        requests <= ALL + 20,
        "one request each, and a few to find the way"
    );

    let start = Instant::now();
    let first = stage.reading(None, &ours).await;
    told("the first reading", start, &stage);

    let start = Instant::now();
    let same = stage.read(first.cursor.as_deref(), &ours).await.unwrap();
    assert_eq!(same, Observation::Unchanged { cursor: None });
    let (requests, sent) = told("an unchanged poll", start, &stage);
    assert!(
        requests == 1 && sent < 3_000,
        "one small request per calendar"
    );

    let file = ours[500].1.external.rsplit('/').next().unwrap().to_owned();
    stage
        .cloud
        .member_edits("programme", &file, |text| text.replace("Concert", "Bal"));
    let start = Instant::now();
    let changed = stage.reading(first.cursor.as_deref(), &ours).await;
    assert_eq!(
        changed
            .edits
            .iter()
            .filter(|edit| !edit.fields.is_empty())
            .count(),
        1
    );
    let (requests, _) = told("a poll after one edit", start, &stage);
    assert!(requests <= 3);
}

//! Every way in which files cannot be written has its blame, and the site that is there stays
//! whole. The limit on the size of files is of the whole process: this file is one test.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use common::{TODAY, files, page, programme, publication, publish, remove, sample, site, write};
use raccord_kit::{Job, Tool};
use raccord_model::{Blame, Failure, Lang};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

/// What a process is told that writes more than it may.
const SIGXFSZ: i32 = 25;

async fn refused(tool: &dyn Tool, job: &Job) -> Failure {
    let failure = tool.sink().unwrap().apply(job).await.unwrap_err();
    for words in [&failure.text, &failure.mend] {
        assert!(!words.fr.is_empty() && words.fr != words.en, "{words:?}");
    }
    failure
}

fn blame(failure: &Failure) -> (Blame, &str) {
    (failure.blame, failure.code.as_str())
}

#[tokio::test]
async fn every_way_a_file_cannot_be_written_has_its_blame_and_the_site_stays_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (tool, _) = site(folder.path(), json!({ "output": "site" }));
    let month = sample();
    let half = &month[..20];
    publish(&*tool, half, Lang::Fr, TODAY).await;
    let root = folder.path().join("site");
    let before = files(&root);
    let whole = |members: &[_]| write(publication(), programme(&*tool, members, Lang::Fr, TODAY));
    let one = |n: usize| write(month[n].id, page(&*tool, &month[n]).unwrap());

    // The disk fills up, half-way through the longest file.
    let mut heard = signal(SignalKind::from_raw(SIGXFSZ)).unwrap();
    let room = getrlimit(Resource::Fsize);
    let little = Rlimit {
        current: Some(before[&root.join("activities.json")].len() as u64),
        maximum: room.maximum,
    };
    setrlimit(Resource::Fsize, little).unwrap();
    let failure = refused(&*tool, &whole(&month)).await;
    setrlimit(Resource::Fsize, room).unwrap();
    heard.recv().await.unwrap();
    assert_eq!(blame(&failure), (Blame::Transient, "files.full"));
    let after = files(&root);
    assert_eq!(
        before[&root.join("index.html")],
        after[&root.join("index.html")],
        "the front page waits until the rest is there"
    );
    let names = |files: &BTreeMap<PathBuf, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    let unfinished = |name: &PathBuf| name.to_string_lossy().contains("unfinished");
    assert!(!names(&after).iter().any(unfinished), "half a file stayed");

    // Somebody made a folder where a page belongs; somebody put a file where a folder belongs.
    let in_the_way = root.join(format!("activities/{}.html", month[30].id));
    std::fs::create_dir_all(&in_the_way).unwrap();
    let failure = refused(&*tool, &one(30)).await;
    assert_eq!(blame(&failure), (Blame::Data, "files.path"));
    std::fs::remove_dir(&in_the_way).unwrap();
    let kept = folder.path().join("kept");
    std::fs::rename(&root, &kept).unwrap();
    std::fs::write(&root, "in the way").unwrap();
    for job in [
        whole(&month),
        one(30),
        remove(month[2].id, "activities/x.html"),
    ] {
        let failure = refused(&*tool, &job).await;
        assert_eq!(blame(&failure), (Blame::Transient, "files.folder"));
    }
    std::fs::remove_file(&root).unwrap();

    // The folder turned out to be somebody else's.
    std::fs::create_dir(&root).unwrap();
    std::fs::write(root.join("index.html"), "<h1>Chez nous</h1>").unwrap();
    let (again, _) = site(folder.path(), json!({ "output": "site" }));
    let failure = refused(&*again, &whole(&month)).await;
    assert_eq!(blame(&failure), (Blame::Access, "website.not-ours"));
    std::fs::write(root.join(".raccord-website"), "another place").unwrap();
    let failure = refused(&*again, &whole(&month)).await;
    assert_eq!(blame(&failure), (Blame::Access, "website.other-place"));
    std::fs::remove_dir_all(&root).unwrap();
    std::fs::rename(&kept, &root).unwrap();

    // Nobody may write there, whoever asks: the system's own folder of devices and their rights.
    let (sealed, _) = site(Path::new("/sys"), json!({ "output": "raccord-site" }));
    let failure = refused(&*sealed, &whole(&month)).await;
    assert_eq!(blame(&failure), (Blame::Access, "files.forbidden"));

    // What no sink of this kind is ever asked is our own mistake.
    let entity = month[0].id;
    let failure = refused(&*tool, &Job::Seek { entity }).await;
    assert_eq!(blame(&failure), (Blame::Bug, "website.seek"));
    let mut odd = programme(&*tool, half, Lang::Fr, TODAY);
    odd.body = json!({ "unheard": "of" });
    let failure = refused(&*tool, &write(entity, odd)).await;
    assert_eq!(blame(&failure), (Blame::Bug, "website.body"));

    // And after all of that the whole month is written.
    publish(&*tool, &month, Lang::Fr, TODAY).await;
    let (fresh, _) = site(&folder.path().join("fresh"), json!({ "output": "site" }));
    publish(&*fresh, &month, Lang::Fr, TODAY).await;
    let mended: Vec<_> = files(&root)
        .keys()
        .map(|path| path.strip_prefix(&root).unwrap().to_owned())
        .collect();
    let root = folder.path().join("fresh/site");
    let fresh: Vec<_> = files(&root)
        .keys()
        .map(|path| path.strip_prefix(&root).unwrap().to_owned())
        .collect();
    assert_eq!(mended, fresh);
}

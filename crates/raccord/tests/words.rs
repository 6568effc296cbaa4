//! What a pass says where not everything is well.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::Place;
use raccord::report::Exit;
use serde_json::Value;

/// The texts of the notices the receiver took.
fn notices(place: &Place) -> Vec<String> {
    let writes = place.receiver.writes();
    writes
        .iter()
        .map(|seen| serde_json::from_slice::<Value>(&seen.body).unwrap())
        .filter(|event| event["type"].as_str().unwrap().contains(".notice."))
        .map(|event| event["data"].to_string())
        .collect()
}

#[test]
fn a_sheet_that_is_gone_is_told_once_and_without_empty_places() {
    let place = Place::new();
    place.run(&["sync"]);
    std::fs::remove_file(place.folder.path().join("programme.csv")).unwrap();
    let pass = place.json(&["sync"]);
    let unread = pass["unread"][0].as_object().unwrap();
    for key in ["sheet", "row", "column"] {
        assert!(!unread.contains_key(key), "{unread:?}");
    }
    let told = notices(&place);
    assert!(
        !told.is_empty() && !told.concat().contains(".."),
        "{told:?}"
    );
    // Not everything is well: nothing says so.
    for command in ["sync", "plan"] {
        let (exit, said) = place.run(&[command]);
        assert_eq!(exit, Exit::Attention);
        assert!(!said.contains("up to date"), "{said}");
    }
}

#[test]
fn a_rehearsal_is_not_asked_again_what_it_is() {
    let place = Place::new();
    place.run(&["sync"]);
    let (data, copy) = (
        place.folder.path().join("data"),
        place.folder.path().join("copy"),
    );
    std::fs::create_dir(&copy).unwrap();
    for file in std::fs::read_dir(&data).unwrap() {
        let file = file.unwrap();
        if file.file_type().unwrap().is_file() {
            std::fs::copy(file.path(), copy.join(file.file_name())).unwrap();
        }
    }
    std::fs::remove_dir_all(&data).unwrap();
    std::fs::rename(&copy, &data).unwrap();
    let pass = place.json(&["sync"]);
    assert!(pass["warnings"].to_string().contains("--copy"), "{pass:#}");
    place.run(&["unmute", "--copy"]);
    for command in ["sync", "check"] {
        let said = place.json(&[command]).to_string();
        assert!(
            said.contains("This place is a rehearsal") && !said.contains("--copy"),
            "{said}"
        );
    }
}

#[test]
fn a_source_that_is_gone_from_the_configuration_is_told_until_it_is_back() {
    let place = Place::new();
    place.sheet(&common::lines(3));
    place.run(&["sync"]);
    let config = std::fs::read_to_string(place.folder.path().join("raccord.toml")).unwrap();
    place.write(
        "raccord.toml",
        &config.replace("[connectors.sheet]", "[connectors.renamed]"),
    );
    let told = |command: &str| -> Vec<String> {
        let pass = place.json(&[command]);
        let all = pass["warnings"].as_array().cloned().unwrap_or_default();
        all.iter()
            .filter(|warning| warning["code"] == "source-gone")
            .map(|warning| warning["text"].as_str().unwrap().to_owned())
            .collect()
    };
    for command in ["plan", "sync", "sync"] {
        let said = told(command).concat();
        assert!(
            said.contains("“sheet” is no longer") && said.contains("3 coming activities"),
            "{command}: {said}"
        );
    }
    let told_once = notices(&place)
        .iter()
        .filter(|notice| notice.contains("is no longer in the configuration"))
        .count();
    assert_eq!(told_once, 1);
    place.write("raccord.toml", &config);
    place.run(&["sync"]);
    assert!(!told("sync").concat().contains("“sheet”"));
}

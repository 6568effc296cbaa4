//! What a template may not do, and what happens when it tries.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, Output, Stdio};

use raccord_typeset::{Refusal, Template, TypesetError, typeset};
use serde_json::{Value, json};

const CHILD: &str = env!("CARGO_BIN_EXE_raccord-typeset");

fn refused(main: &str) -> String {
    match typeset(&Template::of(main), &json!({})) {
        Err(TypesetError::Template { remarks }) => remarks[0].to_string(),
        other => panic!("{main}: {other:?}"),
    }
}

/// The child, with at most `seconds` of processor time.
fn child(template: &str, data: &Value, seconds: u32) -> Output {
    let mut child = Command::new("/bin/sh")
        .args([
            "-c",
            &format!("ulimit -S -t {seconds}; exec \"$0\" typeset"),
            CHILD,
        ])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let request = json!({"template": {"main": template}, "data": data}).to_string();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(request.as_bytes())
        .unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn a_template_reaches_nothing_but_its_own_files() {
    for main in [
        "#read(\"/etc/passwd\")",
        "#read(\"../../../../etc/passwd\")",
        "#read(\"Cargo.toml\")",
        "#image(\"/etc/hostname\")",
        "#import \"other.typ\": x",
        "#include \"src/lib.rs\"",
        "#import \"@preview/cetz:0.3.0\": *",
        "#import \"@local/own:0.1.0\": *",
        "#plugin(\"x.wasm\")",
        "#json(\"/proc/self/environ\")",
    ] {
        refused(main);
    }
    let mut template = Template::of("#import \"parts/head.typ\": head\n#head");
    template
        .files
        .insert("parts/head.typ".into(), "#let head = [Bonjour]".into());
    assert_eq!(typeset(&template, &json!({})).unwrap().pages, ["Bonjour\n"]);
    template.files.insert("../../etc/passwd".into(), "".into());
    assert!(matches!(
        typeset(&template, &json!({})),
        Err(TypesetError::FileName { .. })
    ));
}

#[test]
fn today_is_the_day_the_data_says() {
    let template = Template::of("#datetime.today().display()");
    let pdf = typeset(&template, &json!({"date": "2027-01-02"})).unwrap();
    assert_eq!(pdf.pages, ["2027-01-02\n"]);
    refused("#datetime.today().display()");
}

#[test]
fn every_fault_names_its_line() {
    assert!(refused("a\nb\n#nowhere").starts_with("line 3: unknown variable"));
    assert!(refused("#let x = (").starts_with("line 1: "));
    assert!(refused("#panic(\"no\")").contains("no"));
}

#[test]
fn title_date_and_keywords_come_from_the_data_where_the_template_is_silent() {
    let data = json!({"title": "Programme", "date": "2027-01-02", "keywords": ["raccord:abc"]});
    let pdf = typeset(&Template::of("Bonjour"), &data).unwrap();
    let holds = |text: &str| {
        pdf.bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    };
    for text in ["Programme", "20270102", "raccord:abc", "/StructTreeRoot"] {
        assert!(holds(text), "{text}");
    }
}

#[test]
fn a_template_without_end_is_stopped() {
    // Typst has a guard against `while true`; what it does not see, the limit does.
    let output = child(
        "#for a in range(100000) { for b in range(100000) { } }",
        &json!({}),
        1,
    );
    assert_eq!(output.status.signal(), Some(24), "{:?}", output.status);
    assert!(output.stdout.is_empty());
}

#[test]
fn a_child_that_stays_is_stopped_too_and_what_it_answered_before_is_whole() {
    let mut child = Command::new("/bin/sh")
        .args(["-c", "ulimit -t 2; exec \"$0\" typeset stay", CHILD])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    for template in [
        "Bonjour",
        "#for a in range(100000) { for b in range(100000) { } }",
    ] {
        writeln!(
            input,
            "{}",
            json!({"template": {"main": template}, "data": {}})
        )
        .unwrap();
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.status.signal().is_some(), "{:?}", output.status);
    assert!(output.stdout.starts_with(b"{\"bytes\":"));
    assert!(output.stdout.ends_with(b"%%EOF"));
}

#[test]
fn a_template_that_eats_memory_is_stopped() {
    let output = child("#range(1000000000).len()", &json!({}), 14);
    assert_eq!(output.status.signal(), Some(6), "{:?}", output.status);
    assert!(output.stdout.is_empty());
}

#[test]
fn the_child_answers_with_a_file_or_with_a_reason() {
    let output = child("Bonjour", &json!({}), 10);
    assert!(output.status.success());
    assert!(output.stdout.starts_with(b"%PDF-"));
    let output = child("#nowhere", &json!({}), 10);
    assert_eq!(output.status.code(), Some(1));
    let refusal: Refusal = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(refusal.code, "typeset.template");
    assert_eq!(refusal.remarks[0].line, Some(1));
}

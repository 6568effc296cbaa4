//! The month's programme, laid out for real: its pages, its text, its bytes, and the connector
//! with the true child.

#![allow(clippy::unwrap_used, missing_docs, reason = "tests")]

#[allow(dead_code, unreachable_pub, reason = "shared with the example")]
mod months;

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use raccord_kit::{Job, Tool};
use raccord_model::{Entity, EntityId, Found, Lang};
use raccord_typeset::{Pdf, typeset};
use serde_json::json;

const CHILD: &str = env!("CARGO_BIN_EXE_raccord-typeset");

fn tool(folder: &Path, lang: Lang) -> Box<dyn Tool> {
    months::tool(
        folder.to_owned(),
        PathBuf::from(CHILD),
        lang,
        json!({"output": "out"}),
    )
}

fn print(members: &[Entity], lang: Lang) -> Pdf {
    let tool = tool(Path::new("."), lang);
    let desired = months::desired(tool.as_ref(), members, lang);
    typeset(
        &months::template("programme"),
        &months::stamped(&desired.body["document"]),
    )
    .unwrap()
}

/// What stands on all pages, spaces as on a typewriter.
fn text(pdf: &Pdf) -> String {
    pdf.pages
        .join("\n---- page\n")
        .replace(['\u{202f}', '\u{a0}'], " ")
        .replace('\u{200b}', "")
}

fn holds(pdf: &Pdf, text: &str) -> bool {
    pdf.bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

#[test]
fn the_sample_month_fits_two_pages_with_everything_on_them() {
    let pdf = print(&months::january(), Lang::Fr);
    assert_eq!(pdf.pages.len(), 2);
    assert!(pdf.accessible);
    assert_eq!(pdf.warnings, []);
    insta::assert_snapshot!("january", text(&pdf));
    for secret in [
        "@example.org",
        "Comité programmation",
        "plénière",
        "docs.example.org",
    ] {
        assert!(
            !text(&pdf).contains(secret) && !holds(&pdf, secret),
            "{secret}"
        );
    }
}

/// Who listens to the page goes from day to day.
#[test]
fn each_day_is_a_heading_with_its_date() {
    let pdf = print(&months::january(), Lang::Fr);
    let tags = pdf.bytes.windows(5).filter(|part| part == b"/S/H3");
    assert_eq!(tags.count(), 24);
    assert!(text(&pdf).contains("Samedi 2 janvier"));
}

#[test]
fn the_file_is_tagged_titled_and_in_its_language() {
    for (lang, tag, title, word) in [
        (
            Lang::Fr,
            "/Lang(fr)",
            "Programme de janvier 2027",
            "À confirmer",
        ),
        (
            Lang::En,
            "/Lang(en)",
            "Programme for January 2027",
            "To be confirmed",
        ),
    ] {
        let pdf = print(&months::few(), lang);
        assert!(pdf.accessible, "PDF/UA-1");
        for part in ["/StructTreeRoot", "/MarkInfo", tag, title] {
            assert!(holds(&pdf, part), "{part}");
        }
        assert!(text(&pdf).contains(word));
    }
}

#[test]
fn a_quiet_month_is_one_page_and_a_busy_one_has_no_lonely_heading() {
    assert_eq!(print(&months::few(), Lang::Fr).pages.len(), 1);
    assert_eq!(print(&months::few()[4..], Lang::Fr).pages.len(), 1);
    let busy = print(&months::busy(), Lang::Fr);
    assert!(
        (4..=6).contains(&busy.pages.len()),
        "{} pages",
        busy.pages.len()
    );
    for n in 1..=120 {
        assert!(text(&busy).contains(&format!("({n})")), "{n}");
    }
    for page in &busy.pages {
        // The foot is written first or last; what is left ends in an activity, not in a week.
        let lines: Vec<&str> = page.lines().collect();
        let heading = lines
            .iter()
            .rposition(|line| line.starts_with("Du\u{a0}"))
            .unwrap_or(0);
        assert!(
            lines[heading..]
                .iter()
                .any(|line| line.contains('(') && !line.contains("suite")),
            "{page}"
        );
    }
}

#[test]
fn hostile_text_is_printed_and_never_obeyed() {
    let pdf = print(&months::hostile(), Lang::Fr);
    let text = text(&pdf).replace('\n', "");
    for part in [
        "#panic(\"x\")",
        "*gras* _it_ `code` $x^2$",
        "]#read(« /etc/passwd »)[",
        "{{7*7}}",
        "<script>alert(1)</script>",
        "=HYPERLINK(« http://x »)",
        "Ligne deux trois fin",
        "@all @here",
    ] {
        assert!(text.contains(part), "{part}");
    }
    for word in [
        "مرحبا",
        "ערב",
        "🎉",
        "👩\u{200d}🌾",
        "Привет",
        "Γειά",
        "Œuvre",
        "€",
    ] {
        assert!(text.contains(word), "{word}");
    }
    assert!(!text.contains('\u{202e}'));
}

#[tokio::test]
async fn the_same_month_ten_times_is_one_file_that_is_not_touched_again() {
    let folder = tempfile::tempdir().unwrap();
    let tool = tool(folder.path(), Lang::Fr);
    let sink = tool.sink().unwrap();
    let job = Job::Write {
        entity: EntityId::derive(&[b"2027-01"]),
        desired: months::desired(tool.as_ref(), &months::few(), Lang::Fr),
        link: None,
    };
    let path = folder.path().join("out/programme-2027-01.pdf");
    let first = sink.apply(&job).await.unwrap();
    assert!(!first.unchanged, "it was not there");
    let (bytes, inode) = (fs::read(&path).unwrap(), fs::metadata(&path).unwrap().ino());
    assert!(bytes.starts_with(b"%PDF-"));
    for _ in 0..9 {
        let again = sink.apply(&job).await.unwrap();
        assert_eq!(
            (again.applied, again.unchanged),
            (first.applied.clone(), true)
        );
    }
    assert_eq!(
        fs::read(&path).unwrap(),
        bytes,
        "the same bytes from another process"
    );
    assert_eq!(fs::metadata(&path).unwrap().ino(), inode);
    assert_eq!(fs::read_dir(folder.path().join("out")).unwrap().count(), 1);
    assert_eq!(sink.find(&job).await.unwrap(), Found::Yes(first.applied));
}

#[tokio::test]
async fn check_tries_the_template_of_the_place() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(tool(folder.path(), Lang::Fr).check().await, []);
    fs::write(
        folder.path().join("own.typ"),
        "#let data = json(\"data.json\")\n\n#data.nowhere",
    )
    .unwrap();
    let own = months::tool(
        folder.path().to_owned(),
        PathBuf::from(CHILD),
        Lang::Fr,
        json!({"output": "out", "template": "own.typ"}),
    );
    let findings = own.check().await;
    assert_eq!(findings[0].code, "programme.template");
    assert!(
        findings[0].text.fr.contains("line 3"),
        "{}",
        findings[0].text.fr
    );
}

/// A grey square as a PNG.
fn square() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 40, 40);
    encoder.set_color(png::ColorType::Grayscale);
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(&[99; 1600]).unwrap();
    drop(writer);
    bytes
}

#[tokio::test]
async fn a_logo_may_be_a_drawing_or_points_and_is_tried_before_it_is_printed() {
    let folder = tempfile::tempdir().unwrap();
    let with_logo = |name: &str, bytes: &[u8]| {
        fs::write(folder.path().join(name), bytes).unwrap();
        months::tool(
            folder.path().to_owned(),
            PathBuf::from(CHILD),
            Lang::Fr,
            json!({"output": "out", "logo": name, "layout": "both", "signup_sheets": true}),
        )
    };
    let drawing = b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><rect width='9' height='9'/></svg>";
    assert_eq!(with_logo("a.svg", drawing).check().await, []);
    let tool = with_logo("a.png", &square());
    assert_eq!(tool.check().await, []);
    let job = Job::Write {
        entity: EntityId::derive(&[b"2027-01"]),
        desired: months::desired(tool.as_ref(), &months::few(), Lang::Fr),
        link: None,
    };
    tool.sink().unwrap().apply(&job).await.unwrap();
    let pdf = fs::read(folder.path().join("out/programme-2027-01.pdf")).unwrap();
    let image = b"/Subtype/Image";
    assert!(pdf.windows(image.len()).any(|part| part == image));

    let mut torn = square();
    torn.truncate(45);
    let mut wide = square();
    wide[16..20].copy_from_slice(&90_000_u32.to_be_bytes());
    for (bytes, code) in [
        (&torn, "programme.template"),
        (&wide, "programme.logo"),
        (&b"Bonjour".to_vec(), "programme.logo"),
    ] {
        let findings = with_logo("b.png", bytes).check().await;
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].code, code, "{}", findings[0].text.fr);
        assert!(findings[0].place.contains("b.png"), "{:?}", findings[0]);
    }
}

//! Whole command lines, with a host that answers from memory.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::cell::RefCell;
use std::io::Cursor;
use std::path::Path;

use raccord_kit::Finding;
use raccord_model::{ConnectorName, DeliveryId, EntityId, HoldId};

use super::*;
use crate::shapes::{
    CodeShape, CompareShape, DeadListShape, Deed, DeedShape, HoldListShape, LedgerShape, LogLine,
    PersonShape, PlaceShape, PlanShape, ReadersShape, SyncShape, UnreadShape, VolunteeringShape,
    WalletsShape, WhyShape,
};

/// A host with an empty log; notes what it was asked.
#[derive(Default)]
struct Fake {
    asked: RefCell<Vec<String>>,
    waiting: bool,
    endless: bool,
}

impl Fake {
    fn note(&self, what: impl Into<String>) {
        self.asked.borrow_mut().push(what.into());
    }
    fn deed(&self, did: Deed, reference: &dyn ToString) -> DeedShape {
        self.note(format!("{did:?} {}", reference.to_string()));
        DeedShape {
            did,
            reference: reference.to_string(),
            effects: vec![],
            commits: None,
            bytes: None,
        }
    }
}

impl Host for Fake {
    fn check(&self, _: &Session, well: &[ConnectorName]) -> Vec<Finding> {
        self.note(format!("well {well:?}"));
        Vec::new()
    }
    fn plan(&self, _: &Session, out: Option<&Path>) -> Result<PlanShape, Problem> {
        self.note(format!("plan {out:?}"));
        let unread = self.waiting.then(|| UnreadShape {
            source: "programme-sheet".into(),
            sheet: "JANVIER".into(),
            row: 12,
            column: "D".into(),
            code: "time-unreadable".into(),
            found: "25h".into(),
            write: "Écrivez par exemple 18:30.".into(),
        });
        Ok(PlanShape {
            unread: unread.into_iter().collect(),
            ..PlanShape::default()
        })
    }
    fn sync(&self, _: &Session, pass: &Pass) -> Result<SyncShape, Problem> {
        self.note(format!("sync {pass:?}"));
        Ok(SyncShape::default())
    }
    fn person(&self, _: &Session, email: &str) -> Result<PersonShape, Problem> {
        Err(Problem::unknown_reference(email))
    }

    fn readers(&self, _: &Session, _: &ConnectorName) -> Result<ReadersShape, Problem> {
        Ok(ReadersShape::default())
    }

    fn code(&self, _: &Session, email: &str) -> Result<CodeShape, Problem> {
        Ok(CodeShape {
            email: email.to_owned(),
            code: "7K2M-9QXD".into(),
            until: "2027-01-03T08:00:00Z".parse().unwrap(),
        })
    }

    fn forget(&self, _: &Session, email: &str) -> Result<PersonShape, Problem> {
        Err(Problem::unknown_reference(email))
    }

    fn place(&self, session: &Session) -> PlaceShape {
        PlaceShape::refused(session.settings.place.id.clone(), Path::new("x"), &[])
    }

    fn run(&self, _: &Work) -> Result<(), Problem> {
        Ok(())
    }
    fn log(
        &self,
        _: &Session,
        _: bool,
        each: &mut dyn FnMut(&LogLine) -> io::Result<()>,
    ) -> Result<(), Problem> {
        let line = LogLine(serde_json::json!({"id": "1", "type": "org.raccord.notice.created.v1"}));
        while each(&line).is_ok() && self.endless {}
        Ok(())
    }
    fn why(&self, _: &Session, reference: &str) -> Result<WhyShape, Problem> {
        Err(Problem::unknown_reference(reference))
    }
    fn holds(&self, _: &Session) -> Result<HoldListShape, Problem> {
        Ok(HoldListShape::default())
    }
    fn approve(&self, _: &Session, hold: HoldId, only: &[EntityId]) -> Result<DeedShape, Problem> {
        self.note(format!("only {}", only.len()));
        Ok(self.deed(Deed::Approved, &hold))
    }
    fn reject(&self, _: &Session, hold: HoldId) -> Result<DeedShape, Problem> {
        Ok(self.deed(Deed::Rejected, &hold))
    }
    fn dead(&self, _: &Session) -> Result<DeadListShape, Problem> {
        Ok(DeadListShape::default())
    }
    fn retry(&self, _: &Session, delivery: DeliveryId) -> Result<DeedShape, Problem> {
        Ok(self.deed(Deed::Retried, &delivery))
    }
    fn switch_on(&self, _: &Session, connector: &ConnectorName) -> Result<DeedShape, Problem> {
        Ok(self.deed(Deed::SwitchedOn, connector))
    }
    fn give_up(&self, _: &Session, delivery: DeliveryId) -> Result<DeedShape, Problem> {
        Ok(self.deed(Deed::Dropped, &delivery))
    }
    fn printed(&self, _: &Session, wall: &Wall) -> Result<DeedShape, Problem> {
        self.note(format!("printed {wall:?}"));
        Ok(self.deed(Deed::Printed, &wall.month))
    }
    fn taken_down(&self, _: &Session, wall: &Wall) -> Result<DeedShape, Problem> {
        Ok(self.deed(Deed::TakenDown, &wall.month))
    }
    fn volunteering(&self, _: &Session, year: i16) -> Result<VolunteeringShape, Problem> {
        Ok(VolunteeringShape {
            year,
            ..VolunteeringShape::default()
        })
    }
    fn ledger(&self, _: &Session, _: Option<&str>) -> Result<LedgerShape, Problem> {
        Ok(LedgerShape::default())
    }
    fn compare(&self, _: &Session) -> Result<CompareShape, Problem> {
        Ok(CompareShape::default())
    }
    fn wallets(&self, _: &Session, _: &str) -> Result<WalletsShape, Problem> {
        Ok(WalletsShape::default())
    }
    fn receipts(&self, _: &Session, _: Option<&str>) -> Result<Receipts, Problem> {
        Ok(Receipts::default())
    }
    fn backup(&self, _: &Session, file: &Path) -> Result<DeedShape, Problem> {
        Ok(self.deed(Deed::Saved, &file.display()))
    }
    fn restore(&self, _: &Session, file: &Path) -> Result<DeedShape, Problem> {
        Ok(self.deed(Deed::Restored, &file.display()))
    }
    fn unmute(&self, _: &Session, what: Unmute) -> Result<DeedShape, Problem> {
        Ok(self.deed(Deed::Unmuted, &format!("{what:?}")))
    }
    fn support(&self, _: &Session) -> serde_json::Value {
        serde_json::json!({})
    }
    fn migrate(&self, _: &Session, to: &str) -> Result<DeedShape, Problem> {
        Ok(self.deed(Deed::Migrated, &to))
    }
    fn rebuild(&self, _: &Session) -> Result<DeedShape, Problem> {
        Ok(self.deed(Deed::Rebuilt, &""))
    }
}

struct Said {
    exit: Exit,
    out: String,
    err: String,
}

fn say_to(host: &Fake, env: &[(&str, &str)], input: &str, args: &[&str]) -> Said {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut shell = Shell {
        env: env
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect(),
        input: &mut Cursor::new(input.as_bytes().to_vec()),
        out: &mut out,
        err: &mut err,
        asks: !input.is_empty(),
        paints_out: false,
        paints_err: false,
        draws: false,
    };
    let words = ["raccord"].iter().chain(args).map(OsString::from);
    let exit = execute(words, &mut shell, host);
    Said {
        exit,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    }
}

fn raccord(args: &[&str]) -> Said {
    say_to(&Fake::default(), &[], "", args)
}

const SMALL: &str = r#"
[place]
id = "lieu"
name = "Le lieu"
timezone = "Europe/Paris"
language = "en"

[connectors.public-site]
kind = "website"
output = "out/site"
"#;

/// A folder with a small configuration, and the arguments that name it.
fn place(text: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("raccord.toml");
    std::fs::write(&file, text).unwrap();
    let file = file.display().to_string();
    (folder, file)
}

#[test]
fn bad_usage_ends_with_2_and_says_what_to_write() {
    for (args, fr) in [
        (&["snyc"][..], "Vouliez-vous écrire"),
        (&["sync", "--wiat", "1m"], "--wait"),
        (&["sync", "--wait", "soon"], "« soon » ne convient pas"),
        (&["sync", "--wait", "soon"], "30s, 10m, 2h"),
        (&["sync", "--wait"], "Il manque une valeur à --wait"),
        (&["why"], "Il manque"),
        (&["unmute"], "Il manque"),
        (&["unmute", "--moved", "--copy"], "ne vont pas ensemble"),
        (&["--lang", "de", "check"], "fr, en"),
        (&["completions", "tcsh"], "zsh"),
        (&["help", "snyc"], "sync"),
        (&["schema", "show", "activty"], "activity"),
    ] {
        let said = raccord(args);
        assert_eq!(said.exit, Exit::Usage, "{args:?} {}", said.err);
        let plain = said.err.replace(['\u{a0}', '\u{202f}'], " ");
        assert!(plain.contains(fr), "{args:?} {plain}");
        assert_eq!(said.out, "", "{args:?}");
    }
    assert_eq!(raccord(&[]).exit, Exit::Usage);
}

#[test]
fn mistakes_are_json_where_json_is_asked() {
    let said = raccord(&["--json", "--lang", "en", "snyc"]);
    let told: serde_json::Value = serde_json::from_str(&said.err).unwrap();
    assert_eq!(told["errors"][0]["code"], "command-unknown");
    assert_eq!(told["errors"][0]["mend"], "Did you mean “sync”?");
}

#[test]
fn a_missing_configuration_is_told_in_the_locale_s_language() {
    let args = ["--config", "/nowhere/raccord.toml", "plan"];
    let said = raccord(&args);
    assert_eq!(said.exit, Exit::Usage);
    assert!(said.err.contains("raccord init"), "{}", said.err);
    let said = say_to(&Fake::default(), &[("LANG", "en_GB.UTF-8")], "", &args);
    assert!(
        said.err.starts_with("error: There is no configuration"),
        "{}",
        said.err
    );
}

#[test]
fn answers_are_in_the_place_s_language_unless_asked_otherwise() {
    let (_folder, config) = place(SMALL);
    let en = raccord(&["plan", "--config", &config]);
    assert_eq!(
        (en.exit, en.out.as_str()),
        (Exit::Done, "Nothing to do: every tool is up to date.\n")
    );
    let fr = raccord(&["plan", "--config", &config, "--lang", "fr"]);
    assert!(fr.out.starts_with("Rien à faire"), "{}", fr.out);
    let json = raccord(&["plan", "--config", &config, "--json"]);
    assert_eq!(
        json.out,
        "{\"effects\":[],\"holds\":[],\"missing\":[],\"unread\":[]}\n"
    );
}

#[test]
fn a_waiting_person_makes_3_and_ok_if_waiting_makes_it_0() {
    let (_folder, config) = place(SMALL);
    let host = Fake {
        waiting: true,
        ..Fake::default()
    };
    let said = say_to(&host, &[], "", &["plan", "--config", &config]);
    assert_eq!(said.exit, Exit::Attention);
    let said = say_to(
        &host,
        &[],
        "",
        &["plan", "--config", &config, "--ok-if-waiting"],
    );
    assert_eq!(said.exit, Exit::Done);
}

#[test]
fn commands_reach_the_host_with_what_was_asked() {
    let (_folder, config) = place(SMALL);
    let host = Fake::default();
    let id = HoldId::derive(&[b"x"]).to_string();
    for args in [
        &["sync", "--plan", "p.json", "--wait", "10m"][..],
        &["plan", "--out", "p.json"],
        &["approve", &id, "--only", &id, &id],
        &["reject", &id],
        &["retry", &id],
        &["retry", "public-site"],
        &["drop", &id],
        &["backup", "b"],
        &["restore", "b"],
        &["unmute", "--copy"],
        &["rebuild"],
        &["migrate", "nats://127.0.0.1:4222"],
        &["run"],
        &["holds"],
        &["dead"],
        &["ledger"],
        &["report", "volunteering", "2026"],
        &["log"],
    ] {
        let args = [args, &["--config", &config]].concat();
        assert_eq!(say_to(&host, &[], "", &args).exit, Exit::Done, "{args:?}");
    }
    insta::assert_snapshot!("asked", host.asked.borrow().join("\n"));
}

#[test]
fn an_id_that_is_none_is_unknown_not_bad_usage() {
    let (_folder, config) = place(SMALL);
    for args in [["why", "x"], ["approve", "x"], ["retry", "../x"]] {
        let said = raccord(&[&args[..], &["--config", &config]].concat());
        assert_eq!(said.exit, Exit::Failed, "{args:?}");
    }
}

#[test]
fn check_reaches_every_tool_and_lists_what_it_finds() {
    let (folder, config) = place(SMALL);
    let said = raccord(&["check", "--config", &config]);
    assert_eq!(said.exit, Exit::Done, "{}{}", said.out, said.err);
    assert!(said.out.contains("✓ public-site (website)"), "{}", said.out);
    let token = SMALL.replace(
        "[connectors",
        "[web]\nadmin_token_file = 'none'\n\n[connectors",
    );
    std::fs::write(folder.path().join("raccord.toml"), token).unwrap();
    let said = raccord(&["check", "--config", &config, "--json"]);
    assert_eq!(said.exit, Exit::Failed);
    let list: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(list[0]["code"], "secret.unreadable");
    assert!(
        list[0]["where"]
            .as_str()
            .unwrap()
            .contains("raccord.toml:9:1 (web.admin_token_file)"),
        "{list}"
    );
    assert_eq!(list[0]["level"], "error");
}

#[test]
fn check_lists_configuration_mistakes_in_its_own_shape() {
    let (_folder, config) = place(&SMALL.replace("website", "websit"));
    let said = raccord(&["check", "--config", &config, "--json"]);
    assert_eq!(said.exit, Exit::Usage);
    let list: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(list[0]["code"], "kind-unknown");
    assert_eq!(list[0]["mend"], "Did you mean “website”?");
}

#[test]
fn a_wrong_clock_stops_every_command_that_reads_it() {
    let (_folder, config) = place(SMALL);
    let said = say_to(
        &Fake::default(),
        &[("RACCORD_NOW", "soon")],
        "",
        &["plan", "--config", &config],
    );
    assert_eq!(said.exit, Exit::Usage);
}

#[test]
fn init_writes_a_place_that_check_accepts_and_never_overwrites() {
    for lang in ["fr", "en"] {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("mon lieu");
        let dir = root.display().to_string();
        let said = raccord(&["init", "--yes", &dir, "--lang", lang]);
        assert_eq!(said.exit, Exit::Done, "{}", said.err);
        for file in ["raccord.toml", "programme.csv", "secrets/admin"] {
            assert!(said.out.contains(file), "{}", said.out);
        }
        let config = root.join("raccord.toml");
        let text = std::fs::read_to_string(&config).unwrap();
        assert!(
            text.contains("id = \"mon-lieu\"") && text.contains("name = \"mon lieu\""),
            "{text}"
        );
        let env = BTreeMap::new();
        settings::load(&config, &env).unwrap();
        let again = raccord(&["init", "--yes", &dir]);
        assert_eq!(again.exit, Exit::Failed);
        assert_eq!(std::fs::read_to_string(&config).unwrap(), text);
    }
}

/// Reads a place's sheet through its own connector: the number of lines, and what is said of them.
fn read_sheet(config: &Path) -> (usize, String) {
    let settings = settings::load(config, &BTreeMap::new()).unwrap();
    let clock: std::sync::Arc<dyn raccord_kit::Clock> =
        std::sync::Arc::new(raccord_kit::SystemClock::default());
    let tools = crate::connectors::build(&settings, &clock, Path::new("raccord")).unwrap();
    let sheet = &tools[&"programme-sheet".parse().unwrap()];
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let seen = runtime
        .block_on(sheet.source().unwrap().observe(None))
        .unwrap();
    let raccord_model::Observation::Complete(reading) = seen else {
        panic!("a first look is complete");
    };
    let said = format!("{:?} {:?}", reading.unread, reading.remarks);
    (reading.lines.len(), said)
}

#[test]
fn the_sample_sheet_is_read_without_a_word() {
    for lang in ["fr", "en"] {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().display().to_string();
        raccord(&["init", "--yes", &dir, "--lang", lang]);
        let read = read_sheet(&folder.path().join("raccord.toml"));
        assert_eq!(read, (4, "[] []".to_owned()), "{lang}");
    }
}

#[test]
fn the_example_s_sheet_holds_its_45_activities() {
    let config = Path::new("../../examples/la-raffinerie/raccord.toml");
    assert_eq!(read_sheet(config), (45, "[] []".to_owned()));
}

#[test]
fn init_asks_and_asks_again_what_it_does_not_understand() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().display().to_string();
    let answers = "La \"Belle\" Friche\nParis\nIndian/Reunion\nde\nen\n";
    let said = say_to(
        &Fake::default(),
        &[("RACCORD_NOW", "2027-01-01T08:00:00Z")],
        answers,
        &["init", &dir],
    );
    assert_eq!(said.exit, Exit::Done, "{}", said.err);
    let text = std::fs::read_to_string(folder.path().join("raccord.toml")).unwrap();
    let settings = settings::load(&folder.path().join("raccord.toml"), &BTreeMap::new()).unwrap();
    assert_eq!(settings.place.name, "La \"Belle\" Friche");
    assert_eq!(settings.place.zone, "Indian/Reunion");
    assert_eq!(settings.place.lang, Lang::En, "{text}");
    let sheet = std::fs::read_to_string(folder.path().join("programme.csv")).unwrap();
    assert!(
        sheet.contains("2027-01-09,14:00,18:00,Repair café"),
        "{sheet}"
    );
}

#[test]
fn schemas_are_listed_shown_and_checked_against() {
    let list = raccord(&["schema", "list", "--json"]);
    let names: Vec<String> = serde_json::from_str(&list.out).unwrap();
    for name in ["activity.created/v1", "credit.granted/v1", "config"] {
        assert!(names.iter().any(|known| known == name), "{names:?}");
    }
    for name in [
        "activity",
        "activity.created",
        "org.raccord.activity.created.v1",
        "config",
    ] {
        let said = raccord(&["schema", "show", name]);
        assert_eq!(said.exit, Exit::Done, "{name}");
        let schema: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        assert!(schema.get("$schema").is_some(), "{name}");
    }
    let (folder, config) = place(SMALL);
    assert_eq!(raccord(&["schema", "validate", &config]).exit, Exit::Done);
    let file = folder.path().join("events.json");
    let wrong = r#"{"specversion":"1.0","id":"","source":"x","type":"y"}
        [{"specversion":"1.0","id":"","source":"x","type":"org.raccord.activity.created.v1","data":{}},
         {"specversion":"1.0","id":"1","source":"x","type":"com.example.other"}]"#;
    std::fs::write(&file, wrong).unwrap();
    let said = raccord(&["schema", "validate", &file.display().to_string(), "--json"]);
    assert_eq!(said.exit, Exit::Failed);
    let verdict: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(verdict["checked"], 3);
    let events: Vec<_> = verdict["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| fault["event"].as_u64().unwrap())
        .collect();
    assert!(
        [1, 2, 3].iter().all(|event| events.contains(event)),
        "{verdict}"
    );
    // A fault of the envelope hides none of the data.
    let said = verdict["faults"].to_string();
    assert!(said.contains("\"/id\"") && said.contains("\"/data/title\""));
    std::fs::write(&file, "{").unwrap();
    assert_eq!(
        raccord(&["schema", "validate", &file.display().to_string()]).exit,
        Exit::Failed
    );
}

#[test]
fn connectors_are_listed_with_their_keys() {
    let said = raccord(&["connector", "list", "--json"]);
    let list: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let site = list
        .as_array()
        .unwrap()
        .iter()
        .find(|kind| kind["kind"] == "website")
        .unwrap();
    let mut keys = site["keys"].as_array().unwrap().iter();
    let output = keys.find(|key| key["key"] == "output").unwrap();
    assert_eq!(output["required"], true);
    assert_eq!(site["title"]["fr"], "Site web");
    let said = raccord(&["connector", "list", "--lang", "fr"]);
    assert!(
        said.out.contains("website  Site web (écrit)"),
        "{}",
        said.out
    );
}

#[test]
fn a_clock_set_by_hand_is_told_in_one_line_where_it_decides_and_nowhere_else() {
    let (_folder, config) = place(SMALL);
    let env = [("RACCORD_NOW", "2027-01-02T08:00:00Z")];
    let said = say_to(&Fake::default(), &env, "", &["plan", "--config", &config]);
    assert_eq!(said.err, "RACCORD_NOW: it is Sat 2 Jan 09:00.\n");
    for args in [&["holds"][..], &["log"], &["plan", "--json"]] {
        let args = [args, &["--config", &config]].concat();
        assert_eq!(
            say_to(&Fake::default(), &env, "", &args).err,
            "",
            "{args:?}"
        );
    }
}

/// A reader that went away.
struct Gone(usize);

impl Write for Gone {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        self.0 += 1;
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn who_stops_listening_ends_the_log_without_a_word() {
    let (_folder, config) = place(SMALL);
    let host = Fake {
        endless: true,
        ..Fake::default()
    };
    let (mut out, mut err) = (Gone(0), Vec::new());
    let mut shell = Shell {
        env: BTreeMap::new(),
        input: &mut Cursor::new(Vec::new()),
        out: &mut out,
        err: &mut err,
        asks: false,
        paints_out: false,
        paints_err: false,
        draws: false,
    };
    let words = ["raccord", "log", "--follow", "--config", &config];
    let exit = execute(words.iter().map(OsString::from), &mut shell, &host);
    assert_eq!(exit, Exit::Done);
    assert_eq!((out.0, err), (1, Vec::new()));
}

#[test]
fn completions_and_manual_are_made_from_the_command_line() {
    assert!(raccord(&["completions", "bash"]).out.contains("_raccord"));
    let man = raccord(&["man", "--lang", "fr"]);
    assert!(
        man.out.contains(".SH NOM") && man.out.contains("sync"),
        "{}",
        man.out
    );
    assert!(raccord(&["man", "sync"]).out.contains("\\-\\-wait"));
    let help = raccord(&["help", "sync", "--lang", "fr"]);
    assert!(help.out.contains("Utilisation"), "{}", help.out);
    let help = raccord(&["sync", "-h", "--lang", "en"]);
    assert_eq!(help.exit, Exit::Done);
    assert!(help.out.contains("Make one pass"), "{}", help.out);
    assert!(
        raccord(&["--version"])
            .out
            .contains(env!("CARGO_PKG_VERSION"))
    );
}

//! Credits against a Lespass and a Fedow that misbehave: the rules of the quality scale.

#![allow(clippy::unwrap_used, reason = "tests")]

#[path = "common/purse.rs"]
#[allow(dead_code, reason = "shared with the proof over schedules")]
mod purse;

use std::path::Path;
use std::sync::{Arc, Mutex};

use purse::{ASSET, Purse, QUIRKS, SECRET, Trouble};
use raccord_connector_cashless::CONNECTOR;
use raccord_kit::conformance::{self, HttpSink, noticed};
use raccord_kit::standin::{Play, Reply, Seen, Standin};
use raccord_kit::testing::{Logs, NOON, kit};
use raccord_kit::{Entry, Job, Kit, Tool};
use raccord_model::{
    Blame, Cause, Class, EntityId, EntityKind, Envelope, Event, EventId, Found, Mode, Verb,
};
use serde_json::{Value, json};

fn settings(url: &str) -> Value {
    json!({ "system": "lespass", "url": url, "key": SECRET, "asset": ASSET })
}

fn with_fedow(url: &str) -> Value {
    let mut settings = settings(url);
    settings["fedow_url"] = json!(url);
    settings["fedow_key"] = json!("fedow.key");
    settings
}

fn tool(settings: Value, kit: &Kit) -> Box<dyn Tool> {
    (CONNECTOR.build)(settings, kit).unwrap()
}

#[expect(clippy::needless_pass_by_value, reason = "said as it is written")]
fn credit(number: usize, more: Value) -> Job {
    let entity = EntityId::derive(&[b"credit", &number.to_be_bytes()]);
    let mut data = json!({
        "person": EntityId::derive(&[b"person"]), "amount": 150, "reason": "Bar",
        "task": EntityId::derive(&[b"task", &number.to_be_bytes()]), "grant": 1,
        "email": "Zoe@example.org",
    });
    let fields = data.as_object_mut().unwrap();
    for (name, value) in more.as_object().unwrap() {
        fields.insert(name.clone(), value.clone());
    }
    fields.retain(|_, value| !value.is_null());
    let back = data["amount"].as_i64().is_some_and(|amount| amount < 0);
    let id = EventId::derive(&[b"event", &number.to_be_bytes()]);
    let event = Event {
        id,
        kind: EntityKind::Credit,
        verb: if back { Verb::Reversed } else { Verb::Granted },
        entity,
        revision: 1,
        changed: Vec::new(),
        source: "raccord".to_owned(),
        time: NOON,
        family: entity,
        correlation: id,
        causation: None,
        hops: 0,
        trace: None,
        cause: Cause::Time,
        data: serde_json::from_value(data).unwrap(),
    };
    let envelope = Envelope::of(&event, &kit().place.id);
    let body = serde_json::to_vec(&envelope).unwrap();
    Job::Send {
        event: Box::new(event),
        body,
    }
}

fn job(number: usize) -> Job {
    credit(number, json!({}))
}

fn key(seen: &Seen) -> String {
    seen.header("idempotency-key").to_owned()
}

fn played() -> HttpSink<'static> {
    HttpSink {
        connector: &CONNECTOR,
        settings: &settings,
        job: &job,
        key: &key,
        yes: Reply::status(201).body(r#"{"identifier":"tx-1","amount":150}"#),
    }
}

/// A Lespass and a Fedow behind one address, with the troubles of the coming calls.
async fn lieu(
    purse: Purse,
    troubles: impl IntoIterator<Item = Trouble>,
) -> (Standin, Arc<Mutex<Purse>>) {
    let standin = Standin::start().await;
    let shared = Arc::new(Mutex::new(purse));
    let theirs = Arc::clone(&shared);
    let mut troubles = troubles.into_iter().collect::<Vec<_>>().into_iter();
    standin.direct(move |seen| {
        let trouble = || troubles.next().unwrap_or(Trouble::None);
        theirs.lock().unwrap().answer(seen, trouble)
    });
    (standin, shared)
}

#[test]
fn the_claims_of_quality_toml_are_true() {
    conformance::quality(Path::new(".")).unwrap();
}

#[test]
fn b01_the_card_says_what_the_connector_does() {
    let manifest = tool(settings("http://h/"), &kit()).describe();
    conformance::card(&CONNECTOR, &manifest).unwrap();
    assert_eq!(manifest.handles.len(), 1);
    let handling = &manifest.handles[0];
    assert_eq!((handling.mode, handling.class), (Mode::Each, Class::Find));
    assert!(
        handling.settle_s >= 120,
        "credits are never taken for lost sooner"
    );
    assert_eq!(manifest.parallel, 1, "one credit in flight per place");
}

#[test]
fn b02_broken_settings_are_refused_by_their_key() {
    let without = |name: &str| {
        let mut settings = settings("https://lieu.example.org");
        settings.as_object_mut().unwrap().remove(name);
        settings
    };
    let with = |name: &str, value: Value| {
        let mut settings = with_fedow("https://lieu.example.org");
        settings[name] = value;
        settings
    };
    conformance::b02_config(
        &CONNECTOR,
        &[
            json!({ "system": "ledger" }),
            settings("https://lieu.example.org"),
            with_fedow("https://lieu.example.org"),
            json!({ "system": "lespass", "url": "https://lieu.example.org", "key_file": "secrets/lespass", "asset": ASSET }),
        ],
        &[
            (json!({}), "system"),
            (json!({ "system": "paypal" }), "system"),
            (without("url"), "url"),
            (without("key"), "key_file"),
            (without("asset"), "asset"),
            (with("url", json!("lieu")), "url"),
            (with("url", json!("https://a:b@lieu.example.org/")), "url"),
            (with("fedow_key", Value::Null), "fedow_key_file"),
            (with("assets", json!("x")), "assets"),
            (with("key_file", json!("x")), "key"),
            (with("serves", json!(["ana@example.org"])), "serves"),
            (with("spend_at", json!("le bar")), "spend_at"),
        ],
    );
}

#[tokio::test]
async fn b03_check_tells_mistakes_apart_and_writes_nothing() {
    played()
        .b03_check(&[
            ("a wrong key", Reply::status(403).into()),
            ("no Lespass", Reply::login_page().into()),
            ("a Lespass that is not well", Reply::status(503).into()),
            ("something else than a web server", Play::Garbage),
        ])
        .await;
}

fn codes(findings: &[raccord_kit::Finding]) -> Vec<&str> {
    findings.iter().map(|found| found.code.as_str()).collect()
}

#[tokio::test]
async fn check_warns_of_what_makes_credits_money_or_pays_twice() {
    let (standin, purse) = lieu(Purse::default(), []).await;
    let url = standin.url("/");
    let alone = tool(settings(&url), &kit()).check().await;
    assert_eq!(codes(&alone), ["cashless.no-reading-back"]);
    let reads = tool(with_fedow(&url), &kit());
    assert_eq!(codes(&reads.check().await), ["cashless.face-value"]);
    let choices = reads.choices().await.unwrap();
    assert_eq!(choices.len(), 1, "only what can be credited: {choices:?}");
    purse.lock().unwrap().credit(None, "zoe@example.org", 100);
    assert_eq!(codes(&reads.check().await), ["cashless.face-value"]);
    // Lespass pays whoever's ticket is scanned, and says no key.
    let sent = json!({ "sent_at": "2027-01-02T08:00:00+00:00" });
    let scan = json!([{ "uuid": "s", "action": "REF", "metadata": { "rewarded_from_ticket_scanned": sent } }]);
    let assets = json!([{ "uuid": ASSET, "name": "Temps", "category": "TNF" }]);
    standin.direct(move |seen| match seen.path.as_str() {
        "/transaction/" => Reply::ok(scan.to_string()).into(),
        "/asset/get_accepted_assets/" => Reply::ok(assets.to_string()).into(),
        _ => Reply::status(405).into(),
    });
    assert_eq!(codes(&reads.check().await), ["cashless.pays-scans"]);
    assert!(standin.writes().is_empty());
}

#[tokio::test]
async fn b06_ten_calls_for_a_credit_are_one_credit() {
    played().b06_idempotent().await;
}

#[tokio::test]
async fn b07_a_lost_answer_is_one_credit() {
    played().b07_lost_answer().await;
}

#[tokio::test]
async fn b11_the_secret_is_never_shown() {
    let logs = Logs::listen();
    let standin = Standin::start().await;
    standin.always(Reply::status(403).body(SECRET));
    let tool = tool(settings(&standin.url("/")), &kit());
    let failure = tool.sink().unwrap().apply(&job(0)).await.unwrap_err();
    let findings = tool.check().await;
    conformance::b11_secrets(SECRET, &[&failure, &findings, &tool.describe()]);
    conformance::b11_secrets(SECRET, &[&logs.text()]);
    conformance::b11_secrets("example.org", &[&failure, &findings, &logs.text()]);
}

#[tokio::test]
async fn b12_no_answer_holds_or_fills_it() {
    played().b12_bounded().await;
}

#[test]
fn b14_the_guide_is_complete_in_both_languages() {
    conformance::b14_guide(include_str!("../README.md"));
}

#[tokio::test]
async fn s01_every_failure_has_its_blame() {
    played()
        .s01_error_classes(&[
            (409, Blame::Unknown),
            (500, Blame::Unknown),
            (502, Blame::Unknown),
            (504, Blame::Unknown),
        ])
        .await;
}

#[tokio::test]
async fn s02_the_server_s_wish_to_wait_is_handed_on() {
    played().s02_retry_after().await;
}

#[test]
fn the_quirks_are_told() {
    conformance::quirks(Path::new("."), &QUIRKS);
}

/// A place without one quirk, or with all.
fn purse(without: bool, quirk: &'static str) -> Purse {
    let mut purse = Purse::default();
    if without {
        purse.without.insert(quirk);
    }
    purse
}

#[tokio::test]
async fn a_repeat_after_a_good_answer_credits_nothing() {
    noticed("a-key-is-remembered", |without| async move {
        let purse = purse(without, "a-key-is-remembered");
        let (standin, purse) = lieu(purse, []).await;
        let tool = tool(settings(&standin.url("/")), &kit());
        let first = tool.sink().unwrap().apply(&job(0)).await.unwrap();
        let second = tool.sink().unwrap().apply(&job(0)).await.unwrap();
        assert_eq!(first, second, "the same transfer answers");
        assert_eq!(purse.lock().unwrap().balance("zoe@example.org"), 150);
    })
    .await;
}

#[tokio::test]
async fn what_is_said_to_have_failed_is_looked_for_and_not_repeated() {
    noticed("failed-may-be-credited", |without| async move {
        let purse = purse(without, "failed-may-be-credited");
        let (standin, purse) = lieu(purse, [Trouble::FailsAfter]).await;
        let tool = tool(with_fedow(&standin.url("/")), &kit());
        let sink = tool.sink().unwrap();
        let failure = sink.apply(&job(0)).await.unwrap_err();
        assert_eq!(
            failure.blame,
            Blame::Unknown,
            "502 says nothing: {failure:?}"
        );
        let found = sink.find(&job(0)).await.unwrap();
        assert!(matches!(found, Found::Yes(_)), "{found:?}");
        // A repeat would have credited again.
        sink.apply(&job(0)).await.unwrap();
        assert_eq!(purse.lock().unwrap().balance("zoe@example.org"), 300);
    })
    .await;
}

#[tokio::test]
async fn what_is_begun_for_ever_is_asked_about() {
    noticed("begun-for-ever", |without| async move {
        let purse = purse(without, "begun-for-ever");
        let (standin, purse) = lieu(purse, [Trouble::DiesBefore]).await;
        let tool = tool(with_fedow(&standin.url("/")), &kit());
        let sink = tool.sink().unwrap();
        assert_eq!(
            sink.apply(&job(0)).await.unwrap_err().blame,
            Blame::Unknown,
            "the answer was lost"
        );
        let first = sink.find(&job(0)).await.unwrap();
        assert_eq!(first, Found::No { listed: NOON });
        let again = sink.apply(&job(0)).await.unwrap_err();
        assert_eq!(again.code, "cashless.begun");
        assert_eq!(
            sink.find(&job(0)).await.unwrap(),
            Found::CannotTell,
            "a person is asked"
        );
        // What was credited all the same is found.
        purse
            .lock()
            .unwrap()
            .credit(Some(&key(&standin.writes()[0])), "zoe@example.org", 150);
        assert!(matches!(sink.find(&job(0)).await.unwrap(), Found::Yes(_)));
    })
    .await;
}

#[tokio::test]
async fn nobody_is_written_to_more_than_once_for_a_credit() {
    noticed("mail-at-every-call", |without| async move {
        let purse = purse(without, "mail-at-every-call");
        let (standin, purse) = lieu(purse, [Trouble::Unheard]).await;
        let tool = tool(with_fedow(&standin.url("/")), &kit());
        let sink = tool.sink().unwrap();
        sink.apply(&job(0)).await.unwrap_err();
        assert!(matches!(sink.find(&job(0)).await.unwrap(), Found::Yes(_)));
        assert_eq!(purse.lock().unwrap().mails, ["zoe@example.org"]);
        // A replay, which is never made, would write again.
        sink.apply(&job(0)).await.unwrap();
        assert_eq!(purse.lock().unwrap().mails.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_key_is_refused_with_403_and_stops_everything() {
    noticed("refusals-are-403", |without| async move {
        let purse = purse(without, "refusals-are-403");
        let (standin, _) = lieu(purse, []).await;
        let mut settings = settings(&standin.url("/"));
        settings["key"] = json!("wrong.key");
        let failure = tool(settings, &kit())
            .sink()
            .unwrap()
            .apply(&job(0))
            .await
            .unwrap_err();
        assert_eq!(
            (failure.blame, failure.code.as_str()),
            (Blame::Access, "cashless.key-refused")
        );
        let raw = raw(&standin, "wrong.key", &json!({})).await;
        assert_eq!(raw, 403);
    })
    .await;
}

#[tokio::test]
async fn more_than_the_server_takes_at_once_is_never_sent() {
    noticed("ten-thousand-at-most", |without| async move {
        let purse = purse(without, "ten-thousand-at-most");
        let (standin, purse) = lieu(purse, []).await;
        let tool = tool(settings(&standin.url("/")), &kit());
        let sink = tool.sink().unwrap();
        let much = credit(0, json!({ "amount": 10_001 }));
        let failure = sink.apply(&much).await.unwrap_err();
        assert_eq!(
            (failure.blame, failure.code.as_str()),
            (Blame::Data, "cashless.too-much")
        );
        assert!(standin.seen().is_empty());
        let body = json!({ "email": "z@example.org", "asset": ASSET, "amount": 10_001 });
        assert_eq!(raw(&standin, SECRET, &body).await, 422);
        assert_eq!(purse.lock().unwrap().balance("z@example.org"), 0);
    })
    .await;
}

#[tokio::test]
async fn what_lespass_paid_for_a_scan_is_not_paid_again() {
    noticed("a-scan-is-paid", |without| async move {
        let mut purse = purse(without, "a-scan-is-paid");
        purse
            .scanned
            .push(("zoe@example.org", "2027-01-02T12:30:00+00:00"));
        let (standin, purse) = lieu(purse, []).await;
        let tool = tool(with_fedow(&standin.url("/")), &kit());
        let sink = tool.sink().unwrap();
        let of = |number, who: &str, day: &str| {
            let person = EntityId::derive(&[who.as_bytes()]);
            credit(
                number,
                json!({ "person": person, "email": who, "day": day }),
            )
        };
        // Nobody can tell whose wallet it is: a person decides.
        let day = "2027-01-02";
        let failure = sink
            .apply(&of(0, "zoe@example.org", day))
            .await
            .unwrap_err();
        assert_eq!(
            (failure.blame, failure.code.as_str()),
            (Blame::Data, "cashless.paid-by-scan")
        );
        assert!(failure.text.en.contains("does not say whom"), "{failure:?}");
        assert!(standin.writes().is_empty());
        // What she did on another day is another matter, and tells her wallet.
        sink.apply(&of(1, "zoe@example.org", "2026-12-20"))
            .await
            .unwrap();
        assert_eq!(purse.lock().unwrap().balance("zoe@example.org"), 150);
        let again = self::tool(with_fedow(&standin.url("/")), &kit());
        let sink = again.sink().unwrap();
        let failure = sink
            .apply(&of(0, "zoe@example.org", day))
            .await
            .unwrap_err();
        assert!(failure.text.en.contains("this person"), "{failure:?}");
        // Now it is known that it was hers: everybody else is credited.
        sink.apply(&of(2, "ann@example.org", day)).await.unwrap();
        assert_eq!(standin.writes().len(), 2);
    })
    .await;
}

/// The status of a call that this connector never makes.
async fn raw(standin: &Standin, secret: &str, body: &Value) -> u16 {
    use raccord_kit::http::{Http, Request, Target};
    let http = Http::new("test", &kit()).unwrap();
    let target = Target::configured("url", &standin.url("/api/v2/wallet-refills/")).unwrap();
    let request = Request::post(&target, body.to_string())
        .header(
            http::header::AUTHORIZATION,
            format!("Api-Key {secret}").as_str(),
        )
        .header(
            http::HeaderName::from_static("idempotency-key"),
            "somebody-else",
        );
    http.send(request).await.unwrap().status.as_u16()
}

#[tokio::test]
async fn what_is_taken_back_is_asked_and_nothing_is_called() {
    let (standin, _) = lieu(Purse::default(), []).await;
    let tool = tool(settings(&standin.url("/")), &kit());
    let sink = tool.sink().unwrap();
    let back = credit(0, json!({ "amount": -150, "reverses": "x" }));
    let why = sink.by_hand(&back).unwrap();
    assert!(
        why.fr.contains("1,50") && why.en.contains("1.50"),
        "{why:?}"
    );
    assert!(
        !why.fr.contains("example.org"),
        "no address stands in the log"
    );
    assert!(matches!(sink.find(&back).await.unwrap(), Found::No { .. }));
    let kept = credit(1, json!({ "reverses": "y" }));
    assert!(sink.by_hand(&kept).is_none());
    sink.apply(&kept).await.unwrap();
    assert!(standin.seen().is_empty());
}

#[tokio::test]
async fn whoever_is_forgotten_is_not_credited_anywhere() {
    let (standin, _) = lieu(Purse::default(), []).await;
    let tool = tool(settings(&standin.url("/")), &kit());
    let gone = credit(0, json!({ "email": null }));
    let failure = tool.sink().unwrap().apply(&gone).await.unwrap_err();
    assert_eq!(failure.code, "cashless.no-address");
    assert!(standin.seen().is_empty());
}

#[tokio::test]
async fn what_fedow_holds_is_compared_and_nothing_is_written() {
    let (standin, purse) = lieu(Purse::default(), []).await;
    let reads = tool(with_fedow(&standin.url("/")), &kit());
    let sink = reads.sink().unwrap();
    sink.apply(&job(0)).await.unwrap();
    let entry = |number: usize, more: Value, done: bool| {
        let Job::Send { event, .. } = credit(number, more) else {
            panic!("an event")
        };
        Entry {
            event: *event,
            done,
        }
    };
    let forgotten = json!({ "email": null });
    let calm = [
        entry(0, forgotten.clone(), true),
        entry(1, json!({}), false),
        entry(2, json!({ "amount": -150, "reverses": "x" }), true),
    ];
    assert_eq!(sink.compare(&calm).await.unwrap(), Some(Vec::new()));
    purse.lock().unwrap().credited.clear();
    let drift = sink.compare(&calm).await.unwrap().unwrap();
    assert_eq!(drift.len(), 1, "{drift:?}");
    assert!(drift[0].text.fr.contains("n’est pas dans Fedow"));
    assert!(
        drift[0].text.fr.contains("« Bar »"),
        "what it is for: {drift:?}"
    );
    assert_eq!(standin.writes().len(), 1, "only the credit itself");
    // A person says yes: it is sent once more, and the server does not take it for the first.
    let Job::Send { event, .. } = &job(0) else {
        panic!("an event")
    };
    assert_eq!(drift[0].lacks, Some(event.entity));
    let again = json!({ "again": 1 });
    sink.apply(&credit(0, again.clone())).await.unwrap();
    assert_eq!(purse.lock().unwrap().balance("zoe@example.org"), 150);
    let repaired = [entry(0, again, true), entry(1, json!({}), false)];
    assert_eq!(sink.compare(&repaired).await.unwrap(), Some(Vec::new()));
    let alone = tool(settings(&standin.url("/")), &kit());
    assert_eq!(alone.sink().unwrap().compare(&calm).await.unwrap(), None);
    standin.always(Reply::login_page());
    let unread = sink.compare(&calm).await.unwrap_err();
    assert_eq!(unread.code, "cashless.no-fedow", "silence is no agreement");
}

#[tokio::test]
async fn a_wallet_s_statement_tells_also_what_was_spent_and_writes_nothing() {
    let mut purse = Purse::default();
    purse.scanned = vec![("zoe@example.org", "2027-01-03T20:00:00Z")];
    purse.spent = vec![
        ("zoe@example.org", 120, "2027-01-04T20:00:00Z"),
        ("bob@example.org", 50, "2027-01-04T20:00:00Z"),
    ];
    let (standin, _) = lieu(purse, []).await;
    let reads = tool(with_fedow(&standin.url("/")), &kit());
    let sink = reads.sink().unwrap();
    sink.apply(&job(0)).await.unwrap();
    let Job::Send { event, .. } = job(0) else {
        panic!("an event")
    };
    let sent = [Entry {
        event: *event,
        done: true,
    }];
    let told = sink.wallet(&sent).await.unwrap().unwrap();
    let told: Vec<_> = told.iter().map(|one| (one.amount, &*one.what.fr)).collect();
    assert_eq!(
        told,
        [
            (150, "Crédits bénévoles : Bar"),
            (100, "Donné par Lespass pour un billet scanné"),
            (-120, "Dépensé à une caisse"),
        ]
    );
    assert_eq!(sink.wallet(&[]).await.unwrap(), Some(Vec::new()));
    assert_eq!(standin.writes().len(), 1, "only the credit itself");
    let alone = tool(settings(&standin.url("/")), &kit());
    assert_eq!(alone.sink().unwrap().wallet(&sent).await.unwrap(), None);
    standin.always(Reply::login_page());
    let unread = sink.wallet(&sent).await.unwrap_err();
    assert_eq!(
        unread.code, "cashless.no-fedow",
        "silence is no empty wallet"
    );
}

#[tokio::test]
async fn without_fedow_nobody_can_tell() {
    let (standin, _) = lieu(Purse::default(), [Trouble::Unheard]).await;
    let tool = tool(settings(&standin.url("/")), &kit());
    let sink = tool.sink().unwrap();
    sink.apply(&job(0)).await.unwrap_err();
    assert_eq!(sink.find(&job(0)).await.unwrap(), Found::CannotTell);
    assert_eq!(standin.writes().len(), 1);
}

#[tokio::test]
async fn a_page_that_says_200_is_no_credit() {
    let standin = Standin::start().await;
    standin.always(Reply::login_page());
    let tool = tool(settings(&standin.url("/")), &kit());
    let failure = tool.sink().unwrap().apply(&job(0)).await.unwrap_err();
    assert_eq!(failure.blame, Blame::Unknown);
}

#[tokio::test]
async fn raccord_s_own_ledger_needs_no_call() {
    // Who changes the system alone would believe that the wallet still gets credits.
    let mut left = with_fedow("https://lieu.example.org");
    left["system"] = json!("ledger");
    let findings = (CONNECTOR.build)(left, &kit()).err().unwrap();
    let places: Vec<&str> = findings.iter().map(|found| &*found.place).collect();
    assert_eq!(places, ["url", "key", "asset", "fedow_url", "fedow_key"]);
    let tool = tool(json!({ "system": "ledger" }), &kit());
    assert_eq!(tool.describe().handles[0].class, Class::Address);
    let counter =
        json!({ "system": "ledger", "serves": ["Ana@example.org"], "spend_at": "le bar" });
    let counter = self::tool(counter, &kit());
    let till = counter.till().unwrap();
    assert!(till.serves("ana@Example.org") && !till.serves("bob@example.org"));
    assert_eq!(till.spend_at(), "le bar");
    assert!(tool.check().await.is_empty());
    let sink = tool.sink().unwrap();
    for amount in [150, -150] {
        let job = credit(0, json!({ "amount": amount }));
        assert!(sink.by_hand(&job).is_none());
        sink.apply(&job).await.unwrap();
    }
}

//! Letters handed to a real mail server that misbehaves at every step.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::path::PathBuf;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use raccord_kit::secret::{Inline, SecretSource};
use raccord_kit::testing;
use raccord_mail::{Draft, Letter, Limits, Login, Mailbox, Post, Refusal, Server as Address};
use raccord_model::{Blame, Failure, Lang};
use raccord_tests::smtp::{Server, Tls};
use tempfile::TempDir;

/// A server that hangs before the letter is given up soon.
const HASTY: Limits = Limits {
    step: Duration::from_millis(1_500),
    letter: Duration::from_secs(60),
};
/// One that hangs after it.
const HASTY_AT_LAST: Limits = Limits {
    step: Duration::from_secs(60),
    letter: Duration::from_millis(1_500),
};

fn from() -> Mailbox {
    "La Raffinerie <hello@example.org>".parse().unwrap()
}

fn letter(key: &str, to: &str) -> Letter {
    Letter::compose(&Draft {
        key,
        from: &from(),
        to: &to.parse().unwrap(),
        subject: "Inscription confirmée",
        text: "À demain.\n.\nUn point seul ne finit pas la lettre.\n",
        lang: Lang::Fr,
        date: "2027-01-02T08:00:00Z".parse().unwrap(),
        follows: None,
    })
    .unwrap()
}

fn post(address: &str, login: Option<Login>) -> Post {
    let server = Address::configured("url", address).unwrap();
    Post::new(server, login, &from(), Limits::default())
}

fn hasty(server: &Server, limits: Limits) -> Post {
    let address = format!("smtp://127.0.0.1:{}", server.port());
    let address = Address::configured("url", &address).unwrap();
    Post::new(address, None, &from(), limits)
}

fn open_to(server: &Server) -> Post {
    post(&format!("smtp://127.0.0.1:{}", server.port()), None)
}

fn login(password: &str) -> Login {
    let inline: Inline = serde_json::from_value(password.into()).unwrap();
    let kit = testing::kit();
    let password = SecretSource::new("password", Some(inline), None, &kit);
    Login {
        user: "raccord".to_owned(),
        password: password.unwrap().unwrap(),
    }
}

async fn refused(post: &Post) -> Failure {
    let letter = letter("k", "ana@example.org");
    post.send(&letter).await.unwrap_err()
}

#[tokio::test]
async fn a_letter_arrives_as_it_was_composed_and_a_repeat_is_the_same_mail() {
    let server = Server::start().unwrap();
    let letter = letter("k", "ana@example.org");
    let post = open_to(&server);
    post.send(&letter).await.unwrap();
    post.send(&letter).await.unwrap();
    let taken = server.took(2).unwrap();
    assert_eq!(taken[0], taken[1]);
    assert_eq!(taken[0].data.as_bytes(), letter.bytes());
    assert_eq!(taken[0].header("Message-ID"), Some(letter.id()));
    assert_eq!(
        taken[0].text(),
        "À demain.\n.\nUn point seul ne finit pas la lettre.\n"
    );
    assert_eq!(taken[0].to, "ana@example.org");
}

#[tokio::test]
async fn what_a_server_answers_at_each_step_has_its_blame() {
    use Blame::{Access, Data, Transient};
    for (step, act, blame, code) in [
        ("connect", "421", Transient, "mail.later"),
        ("connect", "554", Access, "mail.sender"),
        ("mail", "451", Transient, "mail.later"),
        ("mail", "550", Access, "mail.sender"),
        ("mail", "530", Access, "mail.login"),
        ("rcpt", "450", Transient, "mail.later"),
        ("rcpt", "550", Data, "mail.recipient"),
        ("data", "451", Transient, "mail.later"),
        ("data", "554", Data, "mail.content"),
        ("content", "452", Transient, "mail.later"),
        ("content", "554", Data, "mail.content"),
    ] {
        let server = Server::that(step, act, 1).unwrap();
        let failure = refused(&open_to(&server)).await;
        assert_eq!(
            (failure.blame, failure.code.as_str()),
            (blame, code),
            "{step} {act}"
        );
        assert!(!format!("{failure:?}").contains("ana@"), "{failure:?}");
        assert_eq!(server.taken().unwrap(), [], "{step} {act}");
        open_to(&server)
            .send(&letter("k", "ana@example.org"))
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn a_cut_before_the_letter_is_for_later_and_one_after_it_is_unknown() {
    for act in ["cut", "hang"] {
        for step in ["connect", "ehlo", "mail", "rcpt", "data"] {
            let server = Server::that(step, act, 1).unwrap();
            let failure = refused(&hasty(&server, HASTY)).await;
            assert_eq!(failure.blame, Blame::Transient, "{step} {act}");
            assert_eq!(failure.code, "mail.unreachable", "{step} {act}");
            assert_eq!(server.taken().unwrap(), []);
        }
        let server = Server::that("content", act, 1).unwrap();
        let failure = refused(&hasty(&server, HASTY_AT_LAST)).await;
        assert_eq!(
            (failure.blame, failure.code.as_str()),
            (Blame::Unknown, "mail.lost")
        );
    }
    // It was taken, and nobody was told: why the same may not be sent again unasked.
    let server = Server::that("content", "taken-cut", 1).unwrap();
    assert_eq!(refused(&open_to(&server)).await.blame, Blame::Unknown);
    assert_eq!(server.took(1).unwrap().len(), 1);
}

#[tokio::test]
async fn nobody_there_is_for_later() {
    let port = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    };
    let failure = refused(&post(&format!("smtp://127.0.0.1:{port}"), None)).await;
    assert_eq!(
        (failure.blame, failure.code.as_str()),
        (Blame::Transient, "mail.unreachable")
    );
}

#[tokio::test]
async fn over_one_connection_the_refusal_of_one_address_stops_no_other() {
    let server = Server::that("rcpt", "550", 1).unwrap();
    let post = open_to(&server);
    let mut session = post.open().await.unwrap();
    let first = session.send(&letter("1", "gone@example.org")).await;
    assert_eq!(first, Err(Refusal::Recipient(550)));
    for key in ["2", "3"] {
        session.send(&letter(key, "ana@example.org")).await.unwrap();
    }
    session.close().await;
    assert_eq!(server.took(2).unwrap().len(), 2);
    assert_eq!(server.heard("ehlo"), 1, "one connection");
}

#[tokio::test]
async fn who_logs_in_is_let_in_and_a_wrong_password_is_told() {
    let server = Server::with(Tls::None, &["--user", "raccord", "canary"]).unwrap();
    let address = format!("smtp://127.0.0.1:{}", server.port());
    let known = post(&address, Some(login("canary")));
    known.send(&letter("k", "ana@example.org")).await.unwrap();
    assert_eq!(known.check(&from()).await, []);
    for wrong in [Some(login("canary-wrong")), None] {
        let post = post(&address, wrong);
        let failure = refused(&post).await;
        assert_eq!(
            (failure.blame, failure.code.as_str()),
            (Blame::Access, "mail.login")
        );
        assert!(!format!("{failure:?}{post:?}").contains("canary"));
        let findings = post.check(&from()).await;
        assert_eq!(findings[0].place, "user");
    }
    // A server that cannot think of passwords now is not one that refuses them.
    let words = ["--user", "raccord", "canary", "--at", "auth", "454"];
    let server = Server::with(Tls::None, &words).unwrap();
    let address = format!("smtp://127.0.0.1:{}", server.port());
    let failure = refused(&post(&address, Some(login("canary")))).await;
    assert_eq!(failure.code, "mail.later");
}

#[tokio::test]
async fn a_password_is_never_shown_in_clear_to_another_machine() {
    let server = Server::with(Tls::None, &["--user", "raccord", "canary"]).unwrap();
    let address = format!("smtp://127.0.0.1:{}?tls=none", server.port());
    let failure = refused(&post(&address, Some(login("canary")))).await;
    assert_eq!(
        (failure.blame, failure.code.as_str()),
        (Blame::Access, "mail.password-in-clear")
    );
    assert!(failure.mend.en.contains("?tls=none"), "{failure:?}");
    assert_eq!(server.heard("ehlo"), 0);
}

#[tokio::test]
async fn a_server_without_a_login_is_not_told_as_a_wrong_password() {
    let server = Server::with(Tls::None, &["--no-login"]).unwrap();
    let address = format!("smtp://127.0.0.1:{}", server.port());
    let failure = refused(&post(&address, Some(login("canary")))).await;
    assert_eq!(
        (failure.blame, failure.code.as_str()),
        (Blame::Access, "mail.no-login")
    );
}

#[tokio::test]
async fn what_drips_is_given_up_in_time_and_what_never_ends_before_it_fills_the_memory() {
    for step in ["connect", "ehlo", "rcpt"] {
        let server = Server::that(step, "drip", 1).unwrap();
        let failure = refused(&hasty(&server, HASTY)).await;
        assert_eq!(failure.code, "mail.unreachable", "{step}");
        // With all the time in the world: it is the length that ends it.
        let server = Server::that(step, "endless", 1).unwrap();
        let began = Instant::now();
        let failure = refused(&hasty(&server, HASTY_AT_LAST)).await;
        assert_eq!(failure.code, "mail.unreachable", "{step}");
        assert!(began.elapsed() < HASTY_AT_LAST.step / 2, "{step}");
    }
    let server = Server::that("content", "endless", 1).unwrap();
    let began = Instant::now();
    let failure = refused(&hasty(&server, HASTY)).await;
    assert_eq!(failure.blame, Blame::Unknown);
    assert!(began.elapsed() < HASTY.letter / 2);
}

/// A certificate for `localhost`, and its key, in a folder.
fn certificate() -> (TempDir, PathBuf, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let (certificate, key) = (folder.path().join("cert"), folder.path().join("key"));
    let write = |path: &PathBuf, label: &str, der: &[u8]| {
        let body = STANDARD.encode(der);
        std::fs::write(
            path,
            format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n"),
        )
        .unwrap();
    };
    write(&certificate, "CERTIFICATE", made.cert.der());
    write(&key, "PRIVATE KEY", &made.signing_key.serialize_der());
    (folder, certificate, key)
}

#[tokio::test]
async fn a_certificate_of_an_unknown_authority_is_refused_and_a_trusted_one_is_taken() {
    let (_folder, certificate, key) = certificate();
    let server = Server::with(Tls::First(&certificate, &key), &[]).unwrap();
    let url = format!("smtps://localhost:{}", server.port());
    let failure = refused(&post(&url, None)).await;
    assert_eq!(
        (failure.blame, failure.code.as_str()),
        (Blame::Access, "mail.insecure")
    );
    let pem = std::fs::read(&certificate).unwrap();
    let trusted = Address::configured("url", &url).unwrap().trusting(&pem);
    let post = Post::new(trusted.unwrap(), None, &from(), Limits::default());
    post.send(&letter("k", "ana@example.org")).await.unwrap();
    assert_eq!(server.took(1).unwrap().len(), 1);
}

#[tokio::test]
async fn starttls_is_insisted_on_and_its_certificate_is_looked_at() {
    let (_folder, certificate, key) = certificate();
    let pem = std::fs::read(&certificate).unwrap();
    let words = ["--user", "raccord", "canary"];
    let server = Server::with(Tls::Start(&certificate, &key), &words).unwrap();
    let url = |host: &str, server: &Server| {
        let url = format!("smtp://{host}:{}?tls=starttls", server.port());
        Address::configured("url", &url).unwrap()
    };
    let through = |address: Address| {
        let login = Some(login("canary"));
        Post::new(address, login, &from(), Limits::default())
    };
    // An authority that nobody knows; one that we were given; a name that is not in it.
    let failure = refused(&through(url("localhost", &server))).await;
    assert_eq!(failure.code, "mail.insecure");
    let foreign = url("127.0.0.1", &server).trusting(&pem).unwrap();
    assert_eq!(refused(&through(foreign)).await.code, "mail.insecure");
    let trusted = url("localhost", &server).trusting(&pem).unwrap();
    let trusted = through(trusted);
    trusted.send(&letter("k", "ana@example.org")).await.unwrap();
    assert_eq!(trusted.check(&from()).await, []);
    assert!(server.took(1).unwrap()[0].encrypted, "under TLS");
    assert_eq!(server.heard("starttls"), 4);
    // Somebody between us and the server takes the offer out: nothing is said to them.
    let stripped = Server::with(Tls::None, &words).unwrap();
    let bare = url("localhost", &stripped).trusting(&pem).unwrap();
    let failure = refused(&through(bare)).await;
    assert_eq!(
        (failure.blame, failure.code.as_str()),
        (Blame::Access, "mail.insecure")
    );
    assert_eq!(stripped.heard("mail"), 0);
    // It says that it begins, and does not.
    let words = ["--at", "starttls", "454", "1"];
    let busy = Server::with(Tls::Start(&certificate, &key), &words).unwrap();
    let later = Post::new(
        url("localhost", &busy).trusting(&pem).unwrap(),
        None,
        &from(),
        Limits::default(),
    );
    assert_eq!(refused(&later).await.code, "mail.later");
    later.send(&letter("k", "ana@example.org")).await.unwrap();
}

#[tokio::test]
async fn a_check_says_what_is_wrong_and_sends_nothing() {
    let server = Server::start().unwrap();
    assert_eq!(open_to(&server).check(&from()).await, []);
    let strict = Server::that("mail", "550", 9).unwrap();
    let findings = open_to(&strict).check(&from()).await;
    assert_eq!(
        (findings[0].place.as_str(), findings[0].code.as_str()),
        ("from", "mail.sender")
    );
    assert_eq!(server.taken().unwrap(), []);
    assert_eq!(strict.taken().unwrap(), []);
}

//! Getting in: credentials, certificates, settings.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use nkeys::KeyPair;
use raccord_bus::LogError;
use raccord_bus::jetstream::servers::Version;
use raccord_bus::jetstream::{ClusterError, Identity, Jetstream, Settings};

use crate::world::{RUNTIME, World};

fn connect(settings: &Settings) -> Result<Jetstream, ClusterError> {
    Jetstream::connect(RUNTIME.handle().clone(), settings).map_err(|error| match error {
        LogError::Cluster(error) => error,
        other => panic!("{other:?}"),
    })
}

#[test]
fn wrong_credentials_are_refused_and_never_printed() {
    let more = "authorization { user: raccord, password: \"s3cr3t-word\" }";
    let world = World::with(Version::Present, more);
    let user = |password: &str| Settings {
        identity: Identity::User {
            name: "raccord".to_owned(),
            password: password.to_owned(),
        },
        ..world.settings()
    };
    connect(&user("s3cr3t-word")).unwrap();
    assert!(!format!("{:?}", user("s3cr3t-word")).contains("s3cr3t"));
    for settings in [
        user("guessed-word"),
        world.settings(),
        Settings {
            identity: Identity::Token("guessed-token".to_owned()),
            ..world.settings()
        },
    ] {
        let told = connect(&settings).unwrap_err();
        assert!(matches!(told, ClusterError::Credentials), "{told:?}");
        let said = format!("{told:?} {told} {:?} {:?}", told.text(), told.mend());
        assert!(!said.contains("guessed"), "{said}");
    }
}

#[test]
fn a_token_opens_the_door() {
    let world = World::with(
        Version::Present,
        "authorization { token: \"shared-token\" }",
    );
    let settings = Settings {
        identity: Identity::Token("shared-token".to_owned()),
        ..world.settings()
    };
    connect(&settings).unwrap();
}

/// A signed statement, as NATS's operators make them.
fn signed(by: &KeyPair, about: &KeyPair, name: &str, claims: &str) -> String {
    let claims = format!(
        "{{\"jti\":\"{name}\",\"iat\":1700000000,\"iss\":\"{}\",\"name\":\"{name}\",\"sub\":\"{}\",\
         \"nats\":{{{claims}\"version\":2}}}}",
        by.public_key(),
        about.public_key()
    );
    let text = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode("{\"typ\":\"JWT\",\"alg\":\"ed25519-nkey\"}"),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = by.sign(text.as_bytes()).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

#[test]
fn a_credentials_file_opens_the_door_and_another_operators_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let (operator, system, account, user) = (
        KeyPair::new_operator(),
        KeyPair::new_account(),
        KeyPair::new_account(),
        KeyPair::new_user(),
    );
    let limits = "\"limits\":{\"subs\":-1,\"data\":-1,\"payload\":-1,\"imports\":-1,\"exports\":-1,\
                  \"wildcards\":true,\"conn\":-1,\"leaf\":-1,\"mem_storage\":-1,\"disk_storage\":-1,\
                  \"streams\":-1,\"consumer\":-1},\"type\":\"account\",";
    let more = format!(
        "operator: {}\nsystem_account: {}\nresolver: MEMORY\n\
         resolver_preload: {{ {}: {}, {}: {} }}",
        signed(&operator, &operator, "operator", "\"type\":\"operator\","),
        system.public_key(),
        system.public_key(),
        signed(&operator, &system, "system", "\"type\":\"account\","),
        account.public_key(),
        signed(&operator, &account, "places", limits)
    );
    let world = World::with(Version::Present, &more);
    let file = |name: &str, by: &KeyPair| {
        let path = folder.path().join(name);
        let may = "\"pub\":{},\"sub\":{},\"subs\":-1,\"data\":-1,\"payload\":-1,\"type\":\"user\",";
        let text = format!(
            "-----BEGIN NATS USER JWT-----\n{}\n------END NATS USER JWT------\n\n\
             -----BEGIN USER NKEY SEED-----\n{}\n------END USER NKEY SEED------\n",
            signed(by, &user, "node", may),
            user.seed().unwrap()
        );
        std::fs::write(&path, text).unwrap();
        Settings {
            identity: Identity::CredentialsFile(path),
            ..world.settings()
        }
    };
    connect(&file("node.creds", &account)).unwrap();
    let stranger = KeyPair::new_account();
    let told = connect(&file("stranger.creds", &stranger)).unwrap_err();
    assert!(matches!(told, ClusterError::Credentials), "{told:?}");
    assert!(!format!("{told:?} {told}").contains(&user.seed().unwrap()));
}

#[test]
fn settings_that_cannot_be_used_are_named() {
    let world = World::new();
    let small = World::with(Version::Present, "max_payload: 100KB");
    let name = |settings: Settings| match connect(&settings).unwrap_err() {
        ClusterError::Setting { name, .. } => name,
        other => panic!("{other:?}"),
    };
    assert_eq!(name(Settings::new(Vec::<String>::new())), "servers");
    assert_eq!(name(Settings::new(["http://here"])), "servers");
    assert_eq!(name(small.settings()), "max_payload");
    let told = connect(&Settings::new(["nats://me:my-word@localhost:4222"])).unwrap_err();
    assert!(!format!("{told:?} {told}").contains("my-word"));
    assert_eq!(
        name(Settings {
            replicas: 2,
            ..world.settings()
        }),
        "replicas"
    );
    assert_eq!(
        name(Settings {
            identity: Identity::CredentialsFile("nowhere.creds".into()),
            ..world.settings()
        }),
        "credentials"
    );
}

#[test]
fn servers_that_are_away_are_told() {
    let mut world = World::new();
    let settings = world.settings();
    world.server.kill();
    let told = connect(&settings).unwrap_err();
    assert!(matches!(told, ClusterError::Unreachable { .. }), "{told:?}");
}

fn write(path: &Path, what: &str, bytes: &[u8]) {
    let text = STANDARD.encode(bytes);
    let pem = format!("-----BEGIN {what}-----\n{text}\n-----END {what}-----\n");
    std::fs::write(path, pem).unwrap();
}

#[test]
fn both_sides_of_an_encrypted_connection_prove_who_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let certificate = authority.self_signed(&authority_key).unwrap();
    write(&path("authority.pem"), "CERTIFICATE", certificate.der());
    let issuer = rcgen::Issuer::new(authority, authority_key);
    for name in ["server", "node"] {
        let key = rcgen::KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = rcgen::CertificateParams::new(names).unwrap();
        params.extended_key_usages = vec![
            rcgen::ExtendedKeyUsagePurpose::ServerAuth,
            rcgen::ExtendedKeyUsagePurpose::ClientAuth,
        ];
        let certificate = params.signed_by(&key, &issuer).unwrap();
        write(
            &path(&format!("{name}.pem")),
            "CERTIFICATE",
            certificate.der(),
        );
        write(
            &path(&format!("{name}.key")),
            "PRIVATE KEY",
            &key.serialize_der(),
        );
    }
    let more = format!(
        "tls {{ cert_file: {:?}, key_file: {:?}, ca_file: {:?}, verify: true }}",
        path("server.pem"),
        path("server.key"),
        path("authority.pem")
    );
    let world = World::with(Version::Present, &more);
    let with = Settings {
        authorities: vec![path("authority.pem")],
        certificate: Some((path("node.pem"), path("node.key"))),
        ..world.settings()
    };
    connect(&with).unwrap();
    for without in [
        Settings {
            certificate: None,
            ..with.clone()
        },
        Settings {
            authorities: Vec::new(),
            ..with
        },
    ] {
        let told = connect(&without).unwrap_err();
        assert!(
            matches!(
                told,
                ClusterError::Tls { .. } | ClusterError::Unreachable { .. }
            ),
            "{told:?}"
        );
    }
}

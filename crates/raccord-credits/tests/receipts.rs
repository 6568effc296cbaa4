//! Receipts: checked here, and by the page that members keep.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::prelude::*;
use raccord_credits::{
    Chain, Proof, Receipt, ReceiptError, Signer, leaf, page, path, proves, public_key, root, short,
};
use raccord_model::Lang;

const FORGED: &[u8] = br#"{"amount":15000}"#;

fn contents(many: usize) -> Vec<Vec<u8>> {
    (1..=many)
        .map(|entry| {
            format!(r#"{{"amount":150,"entry":{entry},"reason":"Tenir le bar, été"}}"#).into_bytes()
        })
        .collect()
}

fn leaves(contents: &[Vec<u8>]) -> Vec<Chain> {
    contents.iter().map(|content| leaf(content)).collect()
}

fn receipt(signer: &Signer, all: &[Vec<u8>], at: usize) -> Receipt {
    let proof = Proof {
        index: at as u64,
        size: all.len() as u64,
        path: path(&leaves(all), at),
    };
    signer.sign(all[at].clone(), Some(proof))
}

proptest! {
    #[test]
    fn every_leaf_leads_to_the_root_and_no_other_does(many in 1..70_usize, at in any::<prop::sample::Index>(), other in any::<prop::sample::Index>()) {
        let leaves = leaves(&contents(many));
        let root = root(&leaves).unwrap();
        let (at, other) = (at.index(many), other.index(many));
        let way = path(&leaves, at);
        let of = |leaf, index: usize| proves(leaf, index as u64, many as u64, &way);
        prop_assert_eq!(of(leaves[at], at), Some(root));
        if other != at {
            prop_assert_ne!(of(leaves[other], at), Some(root));
            prop_assert_ne!(of(leaves[at], other), Some(root));
        }
        prop_assert_eq!(of(leaves[at], many), None);
    }

    #[test]
    fn whatever_is_read_never_panics(text in ".{0,300}") {
        prop_assert!(Receipt::decode(&text).is_err());
        let marked = ["RACCORD1", &text, &text].join(".");
        prop_assert!(Receipt::decode(&marked).is_err());
    }
}

#[test]
fn a_receipt_is_signed_and_stands_in_its_month() {
    let signer = Signer::from_seed(&[7; 32]);
    let key = public_key(&signer.public()).unwrap();
    let all = contents(5);
    let printed = short(root(&leaves(&all)).unwrap());
    assert_eq!(printed.len(), 24);
    for at in 0..all.len() {
        let read = Receipt::decode(&receipt(&signer, &all, at).encode()).unwrap();
        assert_eq!(read.check(&key), Ok(()));
        assert_eq!(read.check_root(&printed), Ok(()));
        assert_eq!(read.check_root(&printed[..10]), Err(ReceiptError::Root));
    }
    let first = receipt(&signer, &all, 0);
    let mut changed = first.clone();
    changed.content = FORGED.to_vec();
    assert_eq!(changed.check(&key), Err(ReceiptError::Signature));
    let other = public_key(&Signer::from_seed(&[8; 32]).public()).unwrap();
    assert_eq!(first.check(&other), Err(ReceiptError::Signature));
    let open = signer.sign(all[0].clone(), None);
    assert_eq!(open.check_root(&printed), Err(ReceiptError::Open));
    // A ledger in which one entry was changed, taken out or put elsewhere has another root.
    let mut without = all.clone();
    without.remove(2);
    let mut swapped = all.clone();
    swapped.swap(1, 2);
    let mut altered = all.clone();
    altered[4].push(b' ');
    for others in [without, swapped, altered] {
        let printed = short(root(&leaves(&others)).unwrap());
        assert_eq!(first.check_root(&printed), Err(ReceiptError::Root));
    }
}

/// The page's own script answers as we do. Needs Node, which the browser tests need anyhow.
#[test]
fn the_page_of_members_answers_the_same_without_a_network() {
    let signer = Signer::from_seed(&[7; 32]);
    let all = contents(5);
    let printed = short(root(&leaves(&all)).unwrap());
    let good = receipt(&signer, &all, 3).encode();
    let open = signer.sign(all[3].clone(), None).encode();
    let mut without = all.clone();
    without.remove(3);
    let removed = short(root(&leaves(&without)).unwrap());
    let mut swapped = all.clone();
    swapped.swap(3, 4);
    let swapped = short(root(&leaves(&swapped)).unwrap());
    let mut forged = receipt(&signer, &all, 3);
    forged.content = FORGED.to_vec();
    let page = page("L'été & <nous>", &signer.public(), Lang::Fr);
    assert!(page.contains("L'été &amp; &lt;nous&gt;") && !page.contains("{{"));
    assert!(page.lines().count() <= 110, "a page that people can read");
    assert!(!page.contains("http:") && !page.contains("https:") && !page.contains("fetch("));
    let script = script(&page);
    let cases = [
        (good.as_str(), printed.as_str(), "stands"),
        (&good, "", "undefined"),
        (&good, &removed, "wrong"),
        (&good, &swapped, "wrong"),
        (&good, &printed[..9], "wrong"),
        (&open, &printed, "open"),
        (&forged.encode(), &printed, "signature"),
        ("RACCORD1.x", &printed, "form"),
        ("RACCORD1.@@.@@", &printed, "form"),
    ];
    let calls: Vec<(&str, &str)> = cases.iter().map(|(text, root, _)| (*text, *root)).collect();
    let calls = serde_json::to_string(&calls).unwrap();
    let key = signer.public();
    let program = format!(
        "{script}\n(async () => {{ for (const [text, root] of {calls}) {{ const known = await verify(text, root, '{key}'); console.log(known.fault ?? String(known.root)); }} }})();"
    );
    let told = node(&program);
    let expected: Vec<&str> = cases.iter().map(|(_, _, expected)| *expected).collect();
    assert_eq!(told.lines().collect::<Vec<_>>(), expected);
}

/// A browser that knows no Ed25519 says so, and calls no true receipt false.
#[test]
fn the_page_of_members_says_when_a_browser_cannot_check() {
    let signer = Signer::from_seed(&[7; 32]);
    let good = receipt(&signer, &contents(5), 3).encode();
    let key = signer.public();
    for missing in [
        "crypto.subtle.importKey = async () => { throw new Error('NotSupportedError'); };",
        "Object.defineProperty(crypto, 'subtle', { value: undefined });",
    ] {
        for lang in [Lang::Fr, Lang::En] {
            let script = script(&page("Le lieu", &key, lang));
            let program = format!(
                "{missing}\n{script}\n(async () => {{ const {{ fault }} = await verify('{good}', '', '{key}'); console.log(fault, Boolean(TEXT.fr[fault] && TEXT.en[fault])); }})();"
            );
            assert_eq!(node(&program).trim(), "browser true", "{missing}");
        }
    }
}

fn script(page: &str) -> String {
    let (_, script) = page.split_once("<script>").unwrap();
    script.split_once("</script>").unwrap().0.to_owned()
}

/// What a program prints, run as browsers run it.
fn node(program: &str) -> String {
    let node = Command::new("node")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let mut node = node.expect("node is there: the page is tried as browsers run it");
    let mut input = node.stdin.take().unwrap();
    input.write_all(program.as_bytes()).unwrap();
    drop(input);
    String::from_utf8(node.wait_with_output().unwrap().stdout).unwrap()
}

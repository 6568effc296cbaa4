//! The short campaigns of kills that every change must pass.

#![allow(clippy::unwrap_used, reason = "tests")]

use raccord_tests::cards::System;

#[test]
fn thirty_kills_lose_nothing_and_double_nothing() {
    let report = raccord_tests::torture::run(30, 2027).unwrap();
    assert!(report.events > 60, "too little happened: {report:?}");
}

/// Of Lespass and Fedow, whose answers get lost and which die by themselves.
#[test]
fn thirty_kills_leave_every_card_as_decided() {
    let report = raccord_tests::cards::torture(System::Lespass, 30, 2027).unwrap();
    assert!(report.grants > 30 && report.looks > 3, "{report}");
    assert!(report.in_flight > 5, "too calm: {report}");
}

#[test]
fn thirty_kills_leave_the_ledger_as_decided() {
    let report = raccord_tests::cards::torture(System::Ledger, 30, 2027).unwrap();
    assert!(report.grants > 30 && report.looks > 3, "{report}");
}

#[test]
fn what_was_accepted_while_the_receiver_refused_arrives_once_after_a_kill() {
    raccord_tests::torture::refused_then_killed(500).unwrap();
}

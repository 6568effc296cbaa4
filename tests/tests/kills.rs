//! The short campaign of kills that every change must pass.

#[test]
fn thirty_kills_lose_nothing_and_double_nothing() {
    let report = raccord_tests::torture::run(30, 2027).unwrap();
    assert!(report.events > 60, "too little happened: {report:?}");
}

#[test]
fn what_was_accepted_while_the_receiver_refused_arrives_once_after_a_kill() {
    raccord_tests::torture::refused_then_killed(500).unwrap();
}

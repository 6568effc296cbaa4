//! The short campaign of faults that every change must pass: ten things that go wrong in a cluster.

use raccord_tests::faults::{Campaign, run};

#[test]
fn ten_faults_in_a_cluster_lose_nothing_and_double_nothing() {
    let report = run(&Campaign {
        faults: 10,
        seed: 9217,
        upgrade: false,
    })
    .unwrap_or_else(|broken| panic!("{broken:#}"));
    assert_eq!(report.faults, 10, "{report}");
    assert!(report.effects > 60, "too little happened: {report}");
}

//! OCECO, played after its source: the whole program makes each action once, whatever happens to it,
//! and knows who took it.

#![allow(clippy::unwrap_used, reason = "tests")]

use raccord_tests::registers::{Kind, planned, torture};

#[test]
fn an_oceco_holds_each_task_once_however_often_the_program_is_killed() {
    let report = torture(Kind::Oceco, 8, 7).unwrap();
    assert!(report.made > 0 && report.sign_ups > 0, "{report:?}");
}

#[test]
fn a_plan_makes_nothing_in_oceco_and_the_pass_after_it_makes_exactly_that() {
    planned(Kind::Oceco).unwrap();
}

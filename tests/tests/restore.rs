//! A log that went back in time, and a log that was copied.

#[test]
fn a_restored_place_tells_nothing_twice_that_cannot_be_recognised() {
    raccord_tests::restore::backed_up_and_restored().unwrap();
}

#[test]
fn a_copied_data_folder_sends_nothing() {
    raccord_tests::restore::copied().unwrap();
}

#![no_main]
#![allow(missing_docs, reason = "libFuzzer's entry")]

libfuzzer_sys::fuzz_target!(|data: &[u8]| raccord_fuzz::dav(data));

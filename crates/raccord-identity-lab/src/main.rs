//! dump
fn main() {}

//! Declares the cfg that plants faults, so that a misspelt one is told.

#![allow(clippy::print_stdout, reason = "cargo reads a build script's output")]

fn main() {
    println!("cargo::rustc-check-cfg=cfg(raccord_faults)");
    println!("cargo::rerun-if-changed=build.rs");
}

//! How the program is linked.

#![expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script everything by the environment"
)]

use std::env::var;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |part: &str| var(format!("CARGO_CFG_TARGET_{part}")).unwrap_or_default();
    // Typesetter and schemas bring more than a hundred thousand addresses that the loader sets
    // right at each start: packed they take kilobytes, not megabytes, of the file and of memory.
    if target("OS") == "linux" && target("ENV") == "gnu" {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

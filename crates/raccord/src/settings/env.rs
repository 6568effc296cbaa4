//! The environment, read once: the only place of the program that looks at it.

use std::collections::BTreeMap;

/// The process's environment. Variables that are not text are left out.
pub fn read() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(key, value)| Some((key.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

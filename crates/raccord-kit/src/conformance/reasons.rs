//! B03: `check` tells everything that may be wrong apart, in both languages. And settings with one of
//! them wrong.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::Finding;
use crate::standin::{Reply, Standin};

/// The reasons that `check` told so far.
#[derive(Debug, Default)]
pub struct Reasons(BTreeSet<String>);

impl Reasons {
    /// Holds `check` to telling `what`, by a code that it told of nothing before.
    ///
    /// # Panics
    /// When it says nothing, the same in both languages, or nothing but what it said of something else.
    pub fn tells(&mut self, what: &str, findings: &[Finding]) {
        assert!(!findings.is_empty(), "{what} is not told");
        for found in findings {
            assert!(!found.text.fr.is_empty() && found.text.fr != found.text.en);
            assert!(!found.mend.fr.is_empty() && found.mend.fr != found.mend.en);
        }
        let fresh = findings
            .iter()
            .filter(|one| self.0.insert(one.code.clone()));
        assert!(fresh.count() > 0, "{what} is not told apart: {findings:?}");
    }

    /// Holds `check` to what may be wrong at the door of any server that is asked over HTTP; it is told
    /// the address.
    ///
    /// # Panics
    /// As [`Reasons::tells`].
    pub async fn at_the_door(&mut self, check: impl AsyncFn(String) -> Vec<Finding>) {
        self.tells("nobody there", &check(Standin::nobody().await).await);
        let tls = Standin::start_tls().await;
        self.tells("a wrong certificate", &check(tls.url("/")).await);
        let plain = Standin::start().await;
        let insecure = plain.url("/").replace("http:", "https:");
        self.tells("a server without https", &check(insecure).await);
        plain.always(Reply::login_page());
        self.tells("another page", &check(plain.url("/")).await);
    }
}

/// Settings that are right, to make others from.
#[derive(Clone, Debug)]
pub struct Given(pub Value);

impl Given {
    /// The same with this value at `key`.
    #[must_use]
    pub fn with(&self, key: &str, value: Value) -> Value {
        let mut all = self.0.clone();
        all[key] = value;
        all
    }

    /// The same without `key`.
    #[must_use]
    pub fn without(&self, key: &str) -> Value {
        let mut all = self.0.clone();
        all.as_object_mut().and_then(|all| all.remove(key));
        all
    }
}

//! What is wrong with the way to Lespass, told before anything is written.

use raccord_kit::secret::SecretSource;
use raccord_kit::{Choice, Finding, Level};
use raccord_model::{Blame, Failure, Words};

use crate::{Lespass, failure};

impl Lespass {
    /// Tries each right of the keys. Writes nothing.
    pub(crate) async fn look(&self) -> Vec<Finding> {
        let mut findings = match &self.api.key {
            Some(key) => key.findings(),
            None => vec![Finding::of("key_file", &failure::no_key(false))],
        };
        findings.extend(self.api.scan_key.iter().flat_map(SecretSource::findings));
        findings.extend(self.hook_secret.iter().flat_map(SecretSource::findings));
        if findings.iter().any(|found| found.level == Level::Error) {
            return findings;
        }
        let mut tell = |key: &str, failure: &Failure| findings.push(Finding::of(key, failure));
        let events = self.api.coming(1).await.err();
        let refused = |failure: &Failure| failure.blame == Blame::Access;
        // A server that is away is told once.
        if let Some(failure) = events.as_ref().filter(|failure| !refused(failure)) {
            tell("url", failure);
            return findings;
        }
        let listed = self.api.reservations().await.err();
        match (events, listed) {
            // A key that is good for nothing, too.
            (Some(events), Some(listed)) if refused(&listed) => tell("key_file", &events),
            (Some(_), None) => tell("key_file", &failure::no_events(self.api.host())),
            (Some(failure), Some(_)) | (None, Some(failure)) => tell("key_file", &failure),
            (None, None) => {}
        }
        if self.api.scan_key.is_some()
            && let Err(failure) = self.api.scanner().await
        {
            tell("scan_key_file", &failure);
        }
        if !self.settings.products.is_empty() {
            match self.api.products().await {
                Err(failure) => tell("products", &failure),
                Ok(all) => {
                    let known = |id: &str| all.iter().any(|product| product.identifier == id);
                    if !self.settings.products.iter().all(|id| known(id)) {
                        tell("products", &failure::no_product(self.api.host(), &all));
                    }
                }
            }
        }
        if self.api.scan_key.is_none() {
            findings.push(no_attendance());
        }
        findings
    }

    /// What events can be booked with.
    pub(crate) async fn pick(&self) -> Result<Vec<Choice>, Failure> {
        let products = self.api.products().await?.into_iter();
        Ok(products
            .map(|product| Choice {
                key: "products".to_owned(),
                value: product.identifier,
                title: product.name,
            })
            .collect())
    }
}

fn no_attendance() -> Finding {
    Finding {
        place: "scan_key_file".to_owned(),
        code: "lespass.no-attendance".to_owned(),
        level: Level::Warning,
        text: Words::new(
            "Sans clé de scanner, Raccord sait qui s’est inscrit dans Lespass, et pas qui est venu.",
            "Without a scanner’s key Raccord knows who signed up in Lespass, and not who came.",
        ),
        mend: Words::new(
            "Dans l’administration de Lespass\u{a0}: Applications de scan, Ajouter\u{202f}; ouvrez une fois le lien d’appairage, et mettez la clé («\u{a0}api_key\u{a0}») dans le fichier de «\u{a0}scan_key_file\u{a0}». Ou notez la présence dans Raccord.",
            "In Lespass’s administration: Scan apps, Add; open its pairing link once, and put the key (“api_key”) into the file of “scan_key_file”. Or note attendance in Raccord.",
        ),
    }
}

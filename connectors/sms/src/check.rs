//! Reaches what sends, and says what is wrong with it. Sends nothing.

use jiff::SignedDuration;
use raccord_kit::{Choice, Finding, Level};
use raccord_model::{Failure, Words};

use crate::android::Android;
use crate::gammu::Gammu;
use crate::{Carrier, Sms};

/// A message that waits longer in the outbox is not taken.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

impl Sms {
    pub(crate) async fn look(&self) -> Vec<Finding> {
        match &self.carrier {
            Carrier::Gammu(gammu) => self.spool(gammu),
            Carrier::Android(android) => self.phone(android).await,
        }
    }

    fn spool(&self, gammu: &Gammu) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (key, folder) in gammu.folders() {
            if !folder.is_dir() {
                let failure = crate::failure::unreadable(key, folder);
                findings.push(Finding::of(key, &failure));
            }
        }
        if !findings.is_empty() {
            return findings;
        }
        if let Err(failure) = raccord_kit::files::can_write(&gammu.outbox) {
            findings.push(Finding::of("outbox", &failure));
        }
        let since = self.civil().saturating_sub(PATIENCE);
        match gammu.stuck(since) {
            Ok(0) => {}
            Ok(many) => findings.push(warning(
                "outbox",
                "sms.stuck",
                Words::new(
                    format!("{many} SMS attendent depuis plus d’un quart d’heure : gammu-smsd ne les prend pas."),
                    format!("{many} short messages have waited for more than a quarter of an hour: gammu-smsd does not take them."),
                ),
                Words::new(
                    "Tapez systemctl status gammu-smsd, et regardez son journal : clé débranchée, carte SIM sans crédit, code PIN.",
                    "Type systemctl status gammu-smsd, and see its log: modem unplugged, SIM card without credit, PIN code.",
                ),
            )),
            Err(failure) => findings.push(Finding::of("outbox", &failure)),
        }
        match gammu.failed(self.today()) {
            Ok(0) => {}
            Ok(many) => findings.push(failed("errors", many as u64)),
            Err(failure) => findings.push(Finding::of("errors", &failure)),
        }
        findings
    }

    async fn phone(&self, android: &Android) -> Vec<Finding> {
        let mut findings: Vec<Finding> = android
            .password()
            .map(raccord_kit::secret::SecretSource::findings)
            .unwrap_or_default();
        if android.password().is_none() {
            let failure = crate::failure::no_password();
            findings.push(Finding::of("password_file", &failure));
        }
        if findings.iter().any(|found| found.level == Level::Error) {
            return findings;
        }
        let devices = match android.devices().await {
            Ok(devices) => devices,
            Err(failure) => {
                findings.push(Finding::of("url", &failure));
                return findings;
            }
        };
        let known = |id: &str| devices.iter().any(|device| device.id == id);
        match android.device() {
            Some(id) if !known(id) => findings.push(Finding {
                place: "device".to_owned(),
                code: "sms.no-device".to_owned(),
                level: Level::Error,
                text: Words::new(
                    "Le téléphone de « device » n’est pas connu là.",
                    "The phone of “device” is not known there.",
                ),
                mend: pick(),
            }),
            None if devices.is_empty() => findings.push(Finding {
                place: "url".to_owned(),
                code: "sms.no-phone".to_owned(),
                level: Level::Error,
                text: Words::new(
                    "Aucun téléphone n’est relié à ce serveur.",
                    "No phone is connected to this server.",
                ),
                mend: Words::new(
                    "Ouvrez l’application sur le téléphone, choisissez « Serveur cloud » et mettez-la en ligne.",
                    "Open the app on the phone, choose “Cloud server” and put it online.",
                ),
            }),
            // Each phone knows its own repeats only.
            None if devices.len() > 1 => findings.push(Finding {
                place: "device".to_owned(),
                code: "sms.which-device".to_owned(),
                level: Level::Error,
                text: Words::new(
                    format!("Ce serveur a {} téléphones : le même SMS pourrait partir de deux d’entre eux.", devices.len()),
                    format!("This server has {} phones: the same message could leave from two of them.", devices.len()),
                ),
                mend: pick(),
            }),
            _ => {}
        }
        let day = self.midnight();
        match android.count(day, Some("Failed")).await {
            Ok(None | Some(0)) => {}
            Ok(Some(many)) => findings.push(failed("url", many)),
            Err(failure) => findings.push(Finding::of("url", &failure)),
        }
        match android.count(day, None).await {
            Ok(Some(_)) | Err(_) => {}
            Ok(None) => findings.push(warning(
                "per_day",
                "sms.uncounted",
                Words::new(
                    "Ce téléphone ne dit pas combien de SMS il a envoyés aujourd’hui : « per_day » est compté depuis le dernier démarrage de Raccord seulement.",
                    "This phone does not tell how many messages it sent today: “per_day” is counted from Raccord's last start only.",
                ),
                Words::new(
                    "Mettez l’application à jour, ou donnez à ce compte le droit de lire les messages.",
                    "Update the app, or give this account the right to read messages.",
                ),
            )),
        }
        findings
    }

    /// The phones that can be picked.
    pub(crate) async fn pick(&self) -> Result<Vec<Choice>, Failure> {
        let Carrier::Android(android) = &self.carrier else {
            return Ok(Vec::new());
        };
        let devices = android.devices().await?;
        let choice = |device: crate::android::Device| Choice {
            key: "device".to_owned(),
            value: device.id,
            title: device.name,
        };
        Ok(devices.into_iter().map(choice).collect())
    }
}

fn pick() -> Words {
    Words::new(
        "Choisissez-en un : raccord connector list les nomme ; écrivez-le dans « device ».",
        "Pick one: raccord connector list names them; write it into “device”.",
    )
}

fn failed(place: &str, many: u64) -> Finding {
    warning(
        place,
        "sms.failed",
        Words::new(
            format!("{many} SMS d’aujourd’hui ne sont pas partis."),
            format!("{many} of today's short messages did not go out."),
        ),
        Words::new(
            "Regardez le crédit de la carte SIM et le réseau. Raccord ne les renvoie pas : prévenez ces personnes vous-même.",
            "See the credit of the SIM card and the network. Raccord does not send them again: tell these people yourself.",
        ),
    )
}

fn warning(place: &str, code: &str, text: Words, mend: Words) -> Finding {
    Finding {
        place: place.to_owned(),
        code: code.to_owned(),
        level: Level::Warning,
        text,
        mend,
    }
}

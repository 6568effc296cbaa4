//! Calls to Lespass and Fedow.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use http::{HeaderName, header};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use raccord_kit::http::{Answer, Http, Request, Target};
use raccord_kit::secret::SecretSource;
use raccord_kit::{Finding, Kit, Level};
use raccord_model::{Applied, Blame, Difference, EntityId, Event, Failure, Found, Movement, Words};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::Value;

use crate::refill::{Begun, Drift, Listing, Meaning, Refill, listing, meaning};
use crate::scans::{Paid, Rewards};
use crate::statement::statement;
use crate::{KIND, failure};

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Fedow lists everything it ever did, in one answer.
const LISTING: u64 = 64_000_000;
/// How long a Fedow without rewards for scans is taken to have none.
const SCANS: SignedDuration = SignedDuration::from_hours(1);

/// Where refills go.
pub(crate) struct Lespass {
    pub(crate) http: Http,
    pub(crate) kit: Kit,
    pub(crate) url: Target,
    pub(crate) secret: SecretSource,
    pub(crate) asset: String,
    pub(crate) fedow: Option<Fedow>,
    pub(crate) begun: Mutex<Begun>,
    pub(crate) scans: Mutex<Option<Scans>>,
}

/// What Fedow said last of rewards that Lespass pays by itself.
#[derive(Clone)]
pub(crate) struct Scans {
    /// When it was asked.
    at: Timestamp,
    /// The listing, where there were any.
    listing: Option<Arc<Listing>>,
}

/// Where lost answers are looked for.
pub(crate) struct Fedow {
    pub(crate) url: Target,
    pub(crate) secret: SecretSource,
}

#[derive(Deserialize)]
struct Transfer {
    #[serde(default)]
    identifier: String,
}

#[derive(Deserialize)]
struct Asset {
    #[serde(default)]
    uuid: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    name: String,
}

fn signed(request: Request, secret: &SecretSource) -> Result<Request, Failure> {
    let text = format!("Api-Key {}", secret.read()?.expose_secret());
    Ok(request.secret(header::AUTHORIZATION, &text.into()))
}

impl Lespass {
    fn refills(&self) -> Result<Target, Failure> {
        self.url.join("/api/v2/wallet-refills/")
    }

    /// Credits a wallet.
    pub(crate) async fn refill(&self, refill: &Refill) -> Result<Applied, Failure> {
        let body = serde_json::to_vec(refill).map_err(|_| failure::no_credit())?;
        let request = Request::post(&self.refills()?, body)
            .header(header::CONTENT_TYPE, "application/json")
            .header(KEY, refill.key.as_str())
            .once();
        let answer = self.http.send(signed(request, &self.secret)?).await?;
        match meaning(answer.status.as_u16()) {
            Meaning::Credited => {
                let made: Option<Transfer> = serde_json::from_slice(&answer.body).ok();
                // Any page can answer 200; what was credited has a name.
                let made = made.filter(|made| !made.identifier.is_empty());
                made.map(|made| applied(&made.identifier))
                    .ok_or_else(failure::unknown)
            }
            Meaning::Begun => {
                let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
                begun.note(&refill.key);
                Err(failure::begun())
            }
            Meaning::Unknown => Err(failure::unknown()),
            Meaning::Refused => Err(failure::key_refused(&self.secret.key())),
            Meaning::Never if answer.status.as_u16() == 410 => {
                Err(self.http.refusal(&answer, true).into())
            }
            Meaning::Never => Err(failure::never(answer.status.as_u16())),
            Meaning::NotYet => Err(self.http.refusal(&answer, true).into()),
        }
    }

    /// Looks whether a wallet was credited.
    pub(crate) async fn find(&self, refill: &Refill) -> Result<Found, Failure> {
        let Some(fedow) = &self.fedow else {
            return Ok(Found::CannotTell);
        };
        let listed = self.kit.clock.now();
        let known = self.transactions(fedow).await?;
        let mut begun = self.begun.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(begun.look(known.as_ref(), &refill.key, listed))
    }

    /// What Fedow holds otherwise than it was sent; nothing where it cannot be asked.
    pub(crate) async fn compare(
        &self,
        sent: &[(Refill, bool)],
        known_as: &BTreeMap<String, (EntityId, &str)>,
    ) -> Result<Option<Vec<Difference>>, Failure> {
        let Some(fedow) = &self.fedow else {
            return Ok(None);
        };
        let known = self.transactions(fedow).await?;
        let place = &self.kit.place.id;
        let known = known.ok_or_else(|| failure::no_fedow(fedow.url.host()))?;
        let drift = known.compare(place, &self.asset, sent);
        let told = |drift: &Drift| {
            let about = known_as.get(drift.key());
            Difference {
                text: failure::drift(drift, about.map(|(_, reason)| *reason)),
                lacks: match drift {
                    Drift::Missing(_) => about.map(|(credit, _)| *credit),
                    _ => None,
                },
            }
        };
        Ok(Some(drift.iter().map(told).collect()))
    }

    /// What Fedow tells of the wallet that `ours` went to; nothing where it cannot be asked.
    pub(crate) async fn wallet(
        &self,
        ours: &BTreeMap<String, &str>,
    ) -> Result<Option<Vec<Movement>>, Failure> {
        let Some(fedow) = &self.fedow else {
            return Ok(None);
        };
        let known = self.transactions(fedow).await?;
        let known = known.ok_or_else(|| failure::no_fedow(fedow.url.host()))?;
        Ok(Some(statement(&known, &self.asset, ours)))
    }

    /// Goes on where Lespass did not pay the same work by itself, when it scanned a ticket; else a person
    /// decides. Where Fedow cannot be asked, nobody can tell.
    pub(crate) async fn is_not_paid(&self, refill: &Refill, event: &Event) -> Result<(), Failure> {
        let Some(fedow) = &self.fedow else {
            return Ok(());
        };
        let Some(listing) = self.rewards(fedow, event.time).await? else {
            return Ok(());
        };
        let zone = TimeZone::get(&self.kit.place.zone).unwrap_or(TimeZone::UTC);
        let day = event.data.get("day").and_then(Value::as_str);
        let day = day.and_then(|day| day.parse().ok());
        let rewards = Rewards::of(&listing, &self.kit.place.id, &self.asset);
        match rewards.paid(refill, day, &zone) {
            Paid::No => Ok(()),
            paid => Err(failure::paid_by_scan(paid)),
        }
    }

    /// A listing with rewards, made since `since` where Lespass pays any; one that has none is believed
    /// for an hour.
    async fn rewards(
        &self,
        fedow: &Fedow,
        since: Timestamp,
    ) -> Result<Option<Arc<Listing>>, Failure> {
        let now = self.kit.clock.now();
        let known = || self.scans.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Scans { at, listing }) = known().clone() {
            let fresh = match &listing {
                Some(_) => at >= since,
                None => now.duration_since(at) < SCANS,
            };
            if fresh {
                return Ok(listing);
            }
        }
        let listing = self.transactions(fedow).await?;
        let listing = listing.ok_or_else(|| Failure {
            blame: Blame::Transient,
            ..failure::no_fedow(fedow.url.host())
        })?;
        let listing = listing.pays_scans().then(|| Arc::new(listing));
        *known() = Some(Scans {
            at: now,
            listing: listing.clone(),
        });
        Ok(listing)
    }

    async fn transactions(&self, fedow: &Fedow) -> Result<Option<Listing>, Failure> {
        let request = Request::get(&fedow.url.join("/transaction/")?).size(LISTING);
        let answer = self.http.call(signed(request, &fedow.secret)?).await?;
        Ok(listing(&answer.body))
    }

    async fn assets(&self, fedow: &Fedow) -> Result<Vec<Asset>, Failure> {
        let request = Request::get(&fedow.url.join("/asset/get_accepted_assets/")?);
        let answer = self.http.call(signed(request, &fedow.secret)?).await?;
        Ok(serde_json::from_slice(&answer.body).unwrap_or_default())
    }

    /// The assets a refill may bring, as Fedow knows them.
    pub(crate) async fn pick(&self) -> Result<Vec<(String, String)>, Failure> {
        let Some(fedow) = &self.fedow else {
            return Ok(Vec::new());
        };
        let all = self.assets(fedow).await?.into_iter();
        let refillable = all.filter(|asset| ["TNF", "TIM", "FID"].contains(&&*asset.category));
        Ok(refillable.map(|asset| (asset.uuid, asset.name)).collect())
    }

    /// What is wrong on the way to the wallets. Writes nothing.
    pub(crate) async fn look(&self) -> Vec<Finding> {
        let mut findings = self.secret.findings();
        if findings.iter().all(|found| found.level != Level::Error) {
            findings.extend(self.look_at_lespass().await);
        }
        let Some(fedow) = &self.fedow else {
            findings.push(unread());
            return findings;
        };
        let theirs = fedow.secret.findings();
        let readable = theirs.iter().all(|found| found.level != Level::Error);
        findings.extend(theirs);
        if readable {
            findings.extend(self.look_at_fedow(fedow).await);
        }
        findings
    }

    /// The route takes posts only, and looks at the key before it says so.
    async fn look_at_lespass(&self) -> Option<Finding> {
        let asked = async {
            let request = signed(Request::get(&self.refills()?), &self.secret)?;
            Ok::<Answer, Failure>(self.http.send(request).await?)
        };
        match asked.await {
            Err(failure) => Some(Finding::of("url", &failure)),
            Ok(answer) => {
                let page = answer.media_type().as_deref() == Some("text/html");
                match answer.status.as_u16() {
                    401 | 403 => {
                        let key = self.secret.key();
                        Some(Finding::of(key.clone(), &failure::key_refused(&key)))
                    }
                    405 => None,
                    200..=299 if !page => None,
                    500.. => Some(Finding::of(
                        "url",
                        &self.http.refusal(&answer, false).into(),
                    )),
                    _ => Some(Finding::of("url", &failure::no_lespass(self.url.host()))),
                }
            }
        }
    }

    async fn look_at_fedow(&self, fedow: &Fedow) -> Vec<Finding> {
        let all = match self.assets(fedow).await {
            Ok(all) => all,
            Err(failure) => return vec![Finding::of("fedow_url", &failure)],
        };
        let ours = all.iter().find(|asset| asset.uuid == self.asset);
        let mut findings = Vec::new();
        match ours.map(|asset| asset.category.as_str()) {
            None => findings.push(no_asset()),
            Some("TIM") => findings.push(face_value()),
            Some("TNF" | "FID") => {}
            Some(_) => findings.push(not_refillable()),
        }
        let known = self.transactions(fedow).await;
        if known.is_ok_and(|known| known.is_some_and(|known| known.pays_scans())) {
            findings.push(pays_scans());
        }
        findings
    }
}

fn applied(uuid: &str) -> Applied {
    Applied {
        external: uuid.to_owned(),
        ..Applied::default()
    }
}

fn finding(key: &str, code: &str, level: Level, text: Words, mend: Words) -> Finding {
    Finding {
        place: key.to_owned(),
        code: format!("{KIND}.{code}"),
        level,
        text,
        mend,
    }
}

fn unread() -> Finding {
    finding(
        "fedow_url",
        "no-reading-back",
        Level::Warning,
        Words::new(
            "Sans l’accès à Fedow, une réponse perdue ne peut pas être vérifiée : chacune devient une question pour vous.",
            "Without access to Fedow a lost answer cannot be verified: each becomes a question for you.",
        ),
        Words::new(
            "Si vous hébergez Fedow, ajoutez « fedow_url » et « fedow_key_file ».",
            "If you host Fedow, add “fedow_url” and “fedow_key_file”.",
        ),
    )
}

fn no_asset() -> Finding {
    finding(
        "asset",
        "no-asset",
        Level::Error,
        Words::new(
            "Fedow ne connaît pas cette monnaie pour ce lieu.",
            "Fedow does not know this asset for this place.",
        ),
        Words::new(
            "Copiez l’identifiant de la monnaie depuis l’administration de Lespass.",
            "Copy the asset’s id from the administration of Lespass.",
        ),
    )
}

fn not_refillable() -> Finding {
    finding(
        "asset",
        "not-refillable",
        Level::Error,
        Words::new(
            "Cette monnaie ne peut pas être créditée par Lespass : il faut une monnaie cadeau, temps ou fidélité.",
            "Lespass cannot credit this asset: it takes a gift, time or loyalty asset.",
        ),
        Words::new(
            "Choisissez une autre monnaie dans « asset », et une clé pour elle.",
            "Choose another asset in “asset”, and a key for it.",
        ),
    )
}

fn face_value() -> Finding {
    finding(
        "asset",
        "face-value",
        Level::Warning,
        Words::new(
            "C’est une monnaie temps : une caisse LaBoutik qui l’accepte la prend pour de l’argent, 1,00 pour 1 euro.",
            "This is a time asset: a LaBoutik till that accepts it takes it for money, 1.00 for 1 euro.",
        ),
        Words::new(
            "Dans LaBoutik, regardez si elle est parmi les monnaies acceptées, et décidez si c’est voulu.",
            "In LaBoutik, see whether it is among the accepted assets, and decide whether that is wanted.",
        ),
    )
}

fn pays_scans() -> Finding {
    finding(
        "asset",
        "pays-scans",
        Level::Warning,
        Words::new(
            "Lespass crédite déjà lui-même des gens dont le billet est scanné.",
            "Lespass already credits people by itself whose ticket is scanned.",
        ),
        Words::new(
            "Enlevez « scan » de [credits] validated_by : sinon la même présence est payée deux fois.",
            "Take “scan” out of [credits] validated_by: otherwise the same attendance is paid twice.",
        ),
    )
}

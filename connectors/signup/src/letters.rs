//! What the mails say, in French and in English. Pure.

use raccord_kit::SignIn;
use raccord_look::dates::{self, Span};
use raccord_model::{ABOUT, Activity, Entity, Fields, Lang, Place, UNDATED};
use serde_json::{Value, json};

/// The mail with the link by which somebody signs in: subject and text.
pub(crate) fn link(link: &SignIn, place: &str) -> (String, String) {
    let (address, minutes) = (&link.address, link.minutes);
    match link.lang {
        Lang::Fr => (
            format!("Votre lien pour entrer – {place}"),
            format!(
                "Bonjour,\n\nPour entrer sur ces pages, ouvrez ce lien, puis appuyez sur « Entrer » :\n\n{address}\n\nIl sert une seule fois, dans les {minutes} minutes. Si vous n’avez rien demandé, ne faites rien : sans vous, il n’ouvre rien.\n\n{place}\n"
            ),
        ),
        Lang::En => (
            format!("Your link to sign in – {place}"),
            format!(
                "Hello,\n\nTo sign in on these pages, open this link and press “Sign in”:\n\n{address}\n\nIt is good once, within {minutes} minutes. If you did not ask for it, do nothing: without you it opens nothing.\n\n{place}\n"
            ),
        ),
    }
}

/// What somebody is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Registered,
    Promoted,
    Waits,
    /// They had a place, and there are fewer now.
    WaitsAgain,
    SignedOff,
    CalledOff,
    OnAgain,
    Moved,
}

/// Somebody, what they are told, and about what.
pub(crate) struct Told<'a> {
    what: What,
    entity: &'a Entity,
    before: Option<&'a Fields>,
}

/// The first mail about a sign-up; nothing for whoever has no address here.
pub(crate) fn first(entity: &Entity) -> Option<Told<'_>> {
    let what = match entity.text("state") {
        "waitlisted" => What::Waits,
        "cancelled" => What::SignedOff,
        _ => What::Registered,
    };
    told(entity, what, None)
}

/// A later one; nothing where what changed concerns nobody.
pub(crate) fn moved<'a>(entity: &'a Entity, before: &'a Fields) -> Option<Told<'a>> {
    let was = |name: &str| before.get(name).and_then(Value::as_str).unwrap_or_default();
    let status = field(entity, "status");
    let off = |status: &str| matches!(status, "cancelled" | "draft");
    let stays = entity.text("state") == was("state");
    let what = match (was("state"), entity.text("state")) {
        ("waitlisted", "registered") => What::Promoted,
        ("registered", "waitlisted") => What::WaitsAgain,
        ("cancelled", "registered") => What::Registered,
        ("cancelled", "waitlisted") => What::Waits,
        ("registered" | "waitlisted", "cancelled") => What::SignedOff,
        (_, "registered" | "waitlisted") if stays && off(status) && !off(was("status")) => {
            What::CalledOff
        }
        (_, "registered" | "waitlisted") if stays && !off(status) && off(was("status")) => {
            What::OnAgain
        }
        (_, "registered" | "waitlisted")
            if stays
                && ["start", "end", "room"]
                    .iter()
                    .any(|name| field(entity, name) != was(name)) =>
        {
            What::Moved
        }
        _ => return None,
    };
    told(entity, what, Some(before))
}

fn told<'a>(entity: &'a Entity, what: What, before: Option<&'a Fields>) -> Option<Told<'a>> {
    let told = Told {
        what,
        entity,
        before,
    };
    (!told.to().is_empty() && is_mailed(entity)).then_some(told)
}

/// Whether whoever signed up is told by mail: unless they chose another way, or none (ADR 20).
fn is_mailed(entity: &Entity) -> bool {
    matches!(entity.text("told"), "" | "mail")
}

/// A field of what a sign-up is for.
fn field<'a>(entity: &'a Entity, name: &str) -> &'a str {
    let about = entity.fields.get(ABOUT);
    about
        .and_then(|about| about[name].as_str())
        .unwrap_or_default()
}

impl Told<'_> {
    pub(crate) fn to(&self) -> &str {
        self.entity.text("email")
    }

    pub(crate) fn name(&self) -> &str {
        self.entity.text("name")
    }

    /// What it is for, as people call it.
    pub(crate) fn title(&self) -> &str {
        let task = field(self.entity, "task");
        if task.is_empty() {
            field(self.entity, "title")
        } else {
            task
        }
    }

    /// The language they read, else `usual`.
    pub(crate) fn lang(&self, usual: Lang) -> Lang {
        self.entity.text("language").parse().unwrap_or(usual)
    }

    /// Subject and text.
    pub(crate) fn say(&self, lang: Lang, place: &Place) -> (String, String) {
        let title = self.title();
        let (subject, opening) = self.opening(lang, title);
        let hello = match (lang, self.name()) {
            (Lang::Fr, "") => "Bonjour,".to_owned(),
            (Lang::Fr, name) => format!("Bonjour {name},"),
            (Lang::En, "") => "Hello,".to_owned(),
            (Lang::En, name) => format!("Hello {name},"),
        };
        let mut parts = vec![hello, opening, self.facts(lang).join("\n")];
        let address = &place.public_url;
        if !address.is_empty() {
            parts.push(match lang {
                Lang::Fr => format!("Vos inscriptions, et vous désinscrire :\n{address}/hands/me"),
                Lang::En => format!("Your sign-ups, and signing off:\n{address}/hands/me"),
            });
        }
        parts.push(place.name.clone());
        let mut text = parts.join("\n\n");
        text.push('\n');
        (subject, text)
    }

    fn opening(&self, lang: Lang, title: &str) -> (String, String) {
        let position = self.entity.fields.get("position").and_then(Value::as_u64);
        let place = match (lang, position) {
            (_, None) => String::new(),
            (Lang::Fr, Some(1)) => " : vous êtes en tête".to_owned(),
            (Lang::Fr, Some(n)) => format!(" : vous êtes au rang {n}"),
            (Lang::En, Some(1)) => ": you are first".to_owned(),
            (Lang::En, Some(n)) => format!(": you are number {n}"),
        };
        let (subject, text) = match (self.what, lang) {
            (What::Registered, Lang::Fr) => (
                "Inscription confirmée",
                format!("Vous êtes inscrit·e : « {title} »."),
            ),
            (What::Registered, Lang::En) => (
                "You are on the list",
                format!("You have signed up: “{title}”."),
            ),
            (What::Promoted, Lang::Fr) => (
                "Une place pour vous",
                format!("Une place s’est libérée, elle est à vous : « {title} »."),
            ),
            (What::Promoted, Lang::En) => (
                "A place for you",
                format!("A place became free, and it is yours: “{title}”."),
            ),
            (What::Waits, Lang::Fr) => (
                "Liste d’attente",
                format!(
                    "C’est complet : « {title} ». Vous êtes sur la liste d’attente{place}. Nous vous écrivons dès qu’une place se libère."
                ),
            ),
            (What::Waits, Lang::En) => (
                "Waiting list",
                format!(
                    "It is full: “{title}”. You are on the waiting list{place}. We write as soon as a place becomes free."
                ),
            ),
            (What::WaitsAgain, Lang::Fr) => (
                "Liste d’attente",
                format!(
                    "Il y a moins de places que prévu : « {title} ». Vous passez sur la liste d’attente{place}."
                ),
            ),
            (What::WaitsAgain, Lang::En) => (
                "Waiting list",
                format!(
                    "There are fewer places than planned: “{title}”. You are on the waiting list now{place}."
                ),
            ),
            (What::SignedOff, Lang::Fr) => (
                "Désinscription",
                format!("Vous n’êtes plus inscrit·e : « {title} »."),
            ),
            (What::SignedOff, Lang::En) => (
                "Signed off",
                format!("You are not on the list any more: “{title}”."),
            ),
            (What::CalledOff, Lang::Fr) => (
                "Annulé",
                format!("C’est annulé : « {title} ». Vous n’avez rien à faire."),
            ),
            (What::CalledOff, Lang::En) => (
                "Cancelled",
                format!("It is cancelled: “{title}”. You need do nothing."),
            ),
            (What::OnAgain, Lang::Fr) => (
                "Finalement maintenu",
                format!(
                    "C’est finalement maintenu : « {title} ». Votre inscription compte de nouveau."
                ),
            ),
            (What::OnAgain, Lang::En) => (
                "On again",
                format!("It takes place after all: “{title}”. Your sign-up counts again."),
            ),
            (What::Moved, Lang::Fr) => (
                "Changement",
                format!(
                    "L’heure ou le lieu a changé : « {title} ». Si vous ne pouvez plus venir, désinscrivez-vous : la place ira à quelqu’un d’autre."
                ),
            ),
            (What::Moved, Lang::En) => (
                "Changed",
                format!(
                    "Its time or place has changed: “{title}”. If you cannot come any more, sign off: the place goes to somebody else."
                ),
            ),
        };
        let colon = if lang == Lang::Fr { " :" } else { ":" };
        (format!("{subject}{colon} {title}"), text)
    }

    /// When and where; where that moved, how it was.
    fn facts(&self, lang: Lang) -> Vec<String> {
        let own = self.entity.fields.get(ABOUT).and_then(Value::as_object);
        let now = |name: &str| own.and_then(|own| own.get(name)).cloned();
        let mut lines = Vec::new();
        let undated = now(UNDATED) == Some(Value::Bool(true));
        let to_be_chosen = || dates::undated(lang).to_owned();
        if self.title() != field(self.entity, "title") && !field(self.entity, "title").is_empty() {
            lines.push(field(self.entity, "title").to_owned());
        }
        let shown = |at: Option<String>, room: String| {
            at.into_iter().chain((!room.is_empty()).then_some(room))
        };
        lines.extend(shown(
            when(now("start"), now("end"), lang).or_else(|| undated.then(to_be_chosen)),
            field(self.entity, "room").to_owned(),
        ));
        if self.what == What::Moved
            && let Some(before) = self.before
        {
            let was = |name: &str| before.get(name).cloned();
            let room = was("room").and_then(|room| Some(room.as_str()?.to_owned()));
            let before: Vec<String> = shown(
                when(was("start"), was("end"), lang).or_else(|| {
                    // A moment that came or went: the other one is no date.
                    (now("start").is_some() || undated).then(to_be_chosen)
                }),
                room.unwrap_or_default(),
            )
            .collect();
            let label = match lang {
                Lang::Fr => "Avant : ",
                Lang::En => "Before: ",
            };
            lines.push(format!("{label}{}", before.join(", ")));
        }
        lines
    }
}

/// "samedi 2 janvier 2027, 10 h – 12 h".
fn when(start: Option<Value>, end: Option<Value>, lang: Lang) -> Option<String> {
    let mut fields = json!({ "id": "00000000-0000-0000-0000-000000000000", "title": "x" });
    fields["start"] = start?;
    if let Some(end) = end {
        fields["end"] = end;
    }
    let activity: Activity = serde_json::from_value(fields).ok()?;
    Some(dates::when(lang, Span::of(&activity)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use raccord_model::EntityKind;

    fn sign_up(state: &str, about: &Value) -> Entity {
        let fields = json!({
            "state": state, "email": "ana@example.org", "name": "Ana", "about": about,
        });
        Entity {
            id: "00000000-0000-4000-8000-000000000001".parse().unwrap(),
            kind: EntityKind::Registration,
            revision: 1,
            source: "raccord".to_owned(),
            fields: serde_json::from_value(fields).unwrap(),
        }
    }

    fn ball() -> Value {
        json!({ "title": "Bal", "start": "2027-01-15T20:00", "room": "Halle", "status": "confirmed" })
    }

    fn place() -> Place {
        let mut place = raccord_kit::testing::kit().place;
        "https://lieu.example.org".clone_into(&mut place.public_url);
        place
    }

    fn subject(told: Option<Told<'_>>) -> Option<String> {
        told.map(|told| told.say(Lang::En, &place()).0)
    }

    #[test]
    fn a_date_that_is_to_be_chosen_is_said_so_before_and_after() {
        let mut to_be_chosen = ball();
        to_be_chosen.as_object_mut().unwrap().remove("start");
        to_be_chosen["undated"] = json!(true);
        let (undated, dated) = (
            sign_up("registered", &to_be_chosen),
            sign_up("registered", &ball()),
        );
        let spaces = ['\u{a0}', '\u{202f}'];
        let mail = |told: Option<Told<'_>>| {
            let (_, text) = told.unwrap().say(Lang::Fr, &place());
            text.replace(spaces, " ")
        };
        assert!(mail(first(&undated)).contains("\ndate à fixer\nHalle\n"));
        let chosen = mail(moved(&dated, &raccord_model::told_of(&undated)));
        assert!(
            chosen.contains("\nvendredi 15 janvier 2027, 20"),
            "{chosen}"
        );
        assert!(
            chosen.contains("\nAvant : date à fixer, Halle\n"),
            "{chosen}"
        );
        let again = mail(moved(&undated, &raccord_model::told_of(&dated)));
        assert!(
            again.contains("\ndate à fixer\nHalle\nAvant : vendredi"),
            "{again}"
        );
    }

    #[test]
    fn each_change_that_concerns_somebody_has_its_mail_and_no_other_has_one() {
        let before = |state: &str, about: &Value| raccord_model::told_of(&sign_up(state, about));
        for (was, is, mail) in [
            ("waitlisted", "registered", Some("A place for you: Bal")),
            ("registered", "waitlisted", Some("Waiting list: Bal")),
            ("registered", "cancelled", Some("Signed off: Bal")),
            ("cancelled", "registered", Some("You are on the list: Bal")),
            ("registered", "attended", None),
            ("registered", "absent", None),
            ("attended", "registered", None),
            ("registered", "registered", None),
        ] {
            let now = sign_up(is, &ball());
            let before = before(was, &ball());
            let told = moved(&now, &before);
            assert_eq!(subject(told).as_deref(), mail, "{was} -> {is}");
        }
        let with = |name: &str, value: &str| {
            let mut about = ball();
            about[name] = json!(value);
            about
        };
        for (about, mail) in [
            (with("start", "2027-01-16T20:00"), Some("Changed: Bal")),
            (with("room", "Jardin"), Some("Changed: Bal")),
            (with("status", "cancelled"), Some("Cancelled: Bal")),
            (with("status", "full"), None),
            (with("title", "Grand bal"), None),
        ] {
            let now = sign_up("registered", &about);
            let before = before("registered", &ball());
            let told = moved(&now, &before);
            assert_eq!(subject(told).as_deref(), mail, "{about}");
        }
    }

    #[test]
    fn every_mail_says_in_both_languages_what_became_of_it() {
        let off = |status: &str| {
            let mut about = ball();
            about["status"] = json!(status);
            about
        };
        let second = |mut waits: Entity| {
            waits.fields.insert("position".into(), json!(2));
            waits
        };
        let (on, waits) = (
            sign_up("registered", &ball()),
            sign_up("waitlisted", &ball()),
        );
        let called_off = sign_up("registered", &off("cancelled"));
        let was = raccord_model::told_of;
        for (now, before, fr, en) in [
            (waits.clone(), None, "vous êtes en tête", "you are first"),
            (second(waits.clone()), None, "au rang 2", "you are number 2"),
            (
                on.clone(),
                Some(was(&waits)),
                "elle est à vous",
                "it is yours",
            ),
            (
                second(waits),
                Some(was(&on)),
                "moins de places",
                "fewer places",
            ),
            (
                sign_up("cancelled", &ball()),
                None,
                "n’êtes plus",
                "not on the list",
            ),
            (
                called_off.clone(),
                Some(was(&on)),
                "C’est annulé",
                "is cancelled",
            ),
            (on, Some(was(&called_off)), "maintenu", "after all"),
        ] {
            let mut now = now;
            now.fields.entry("position".into()).or_insert(json!(1));
            let told = match &before {
                None => first(&now),
                Some(before) => moved(&now, before),
            };
            let told = told.unwrap();
            for (lang, hello, words) in
                [(Lang::Fr, "Bonjour Ana,", fr), (Lang::En, "Hello Ana,", en)]
            {
                let (subject, text) = told.say(lang, &place());
                assert!(subject.contains("Bal"), "{subject}");
                assert!(text.contains(hello) && text.contains(words), "{text}");
                assert!(!text.contains("  "), "{text}");
            }
        }
    }

    #[test]
    fn whoever_chose_to_be_told_elsewhere_gets_no_mail() {
        let before = raccord_model::told_of(&sign_up("registered", &ball()));
        for (way, mailed) in [("mail", true), ("chat", false), ("nothing", false)] {
            let mut now = sign_up("cancelled", &ball());
            now.fields.insert("told".into(), json!(way));
            assert_eq!(first(&now).is_some(), mailed, "{way}");
            assert_eq!(moved(&now, &before).is_some(), mailed, "{way}");
        }
    }

    #[test]
    fn a_mail_says_what_when_where_and_how_to_sign_off() {
        let now = sign_up("registered", &ball());
        let (subject, text) = first(&now).unwrap().say(Lang::Fr, &place());
        assert_eq!(subject, "Inscription confirmée : Bal");
        for words in [
            "Bonjour Ana",
            "vendredi 15\u{a0}janvier 2027",
            "Halle",
            "https://lieu.example.org/hands/me",
            "La Raffinerie",
        ] {
            assert!(text.contains(words), "{text}");
        }
        let mut moved_to = ball();
        moved_to["room"] = json!("Jardin");
        let before = raccord_model::told_of(&now);
        let now = sign_up("registered", &moved_to);
        let (_, text) = moved(&now, &before).unwrap().say(Lang::Fr, &place());
        assert!(text.contains("Jardin\nAvant : vendredi"), "{text}");
    }

    #[test]
    fn a_task_is_called_by_its_own_name_beside_its_activity() {
        let mut about = ball();
        about["task"] = json!("Bar");
        let mut waiting = sign_up("waitlisted", &about);
        waiting.fields.insert("position".into(), json!(2));
        let (subject, text) = first(&waiting).unwrap().say(Lang::En, &place());
        assert_eq!(subject, "Waiting list: Bar");
        assert!(
            text.contains("number 2") && text.contains("\nBal\n"),
            "{text}"
        );
    }
}

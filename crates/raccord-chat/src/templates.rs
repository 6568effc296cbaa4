//! Templates: what a message says, by kind and language, and a place's own in their stead.
//!
//! Handlebars, strict: a name that does not exist is told when the settings are read, not when a
//! message is due. Every value is [escaped](crate::rich::escape), so that it stays words whatever
//! it holds. Besides Handlebars' own helpers there are `date`, `hour`, `relative`, `plural`, `cut`
//! and `share`.

use handlebars::Handlebars;
use raccord_kit::{Finding, Kit, Level};
use raccord_look::clean;
use raccord_model::{Lang, Words};
use serde_json::Value;

use crate::rich::{self, Rich};
use crate::{helpers, view};

/// What a template is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// An activity.
    Announcement,
    /// A notice to organisers.
    Notice,
    /// What moved.
    Reply,
    /// What takes place in seven days.
    Week,
    /// Hands that are missing.
    Hands,
    /// A month's programme.
    Month,
    /// An answer.
    Answer,
    /// How somebody's sign-up stands.
    Mine,
    /// Hands missing in what somebody likes.
    Liked,
}

impl Form {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Announcement,
        Self::Notice,
        Self::Reply,
        Self::Week,
        Self::Hands,
        Self::Month,
        Self::Answer,
        Self::Mine,
        Self::Liked,
    ];

    const fn usual(self, lang: Lang) -> &'static str {
        macro_rules! text {
            ($name:literal) => {
                match lang {
                    Lang::Fr => include_str!(concat!("../templates/fr/", $name, ".hbs")),
                    Lang::En => include_str!(concat!("../templates/en/", $name, ".hbs")),
                }
            };
        }
        match self {
            Self::Announcement => text!("announcement"),
            Self::Notice => text!("notice"),
            Self::Reply => text!("reply"),
            Self::Week => text!("week"),
            Self::Hands => text!("hands"),
            Self::Month => text!("month"),
            Self::Answer => text!("answer"),
            Self::Mine => text!("mine"),
            Self::Liked => text!("liked"),
        }
    }

    fn name(self, lang: Lang) -> String {
        format!("{self:?} {lang}")
    }
}

/// All templates of one connector, compiled.
#[derive(Debug)]
pub struct Templates(Handlebars<'static>);

impl Templates {
    /// Ours, and those the routes to this connector name.
    ///
    /// # Errors
    /// Every template that cannot be read or used, with what is wrong in it.
    pub fn new(kit: &Kit) -> Result<Self, Vec<Finding>> {
        let mut registry = registry();
        for form in Form::ALL {
            for lang in [Lang::Fr, Lang::En] {
                registry
                    .register_template_string(&form.name(lang), form.usual(lang))
                    .expect("a test compiles our own templates");
            }
        }
        let mut wrong = Vec::new();
        for (name, text) in kit.templates.iter() {
            let Some(text) = text else {
                wrong.push(unreadable(name));
                continue;
            };
            let own = own(name);
            if let Err(error) = registry.register_template_string(&own, text) {
                wrong.push(faulty(name, &error.reason().to_string()));
                continue;
            }
            // What it is for is not known here: it must fit one of the things a route can bring.
            let tries = [Form::Announcement, Form::Week, Form::Hands]
                .map(|form| registry.render(&own, &view::sample(form)));
            if let [Err(error), Err(_), Err(_)] = tries {
                wrong.push(faulty(name, &error.reason().to_string()));
            }
        }
        if wrong.is_empty() {
            Ok(Self(registry))
        } else {
            Err(wrong)
        }
    }

    /// What `view` says in form `form`, or in a place's own template `named` where it has one.
    pub fn render(&self, form: Form, lang: Lang, named: Option<&str>, view: &Value) -> Rich {
        let named = named.map(own).filter(|name| self.0.has_template(name));
        let text = named
            .and_then(|name| self.0.render(&name, view).ok())
            .or_else(|| self.0.render(&form.name(lang), view).ok())
            .unwrap_or_default();
        rich::parse(&text)
    }
}

fn own(name: &str) -> String {
    format!("own {name}")
}

fn registry() -> Handlebars<'static> {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.register_escape_fn(rich::escape);
    helpers::register(&mut registry);
    registry
}

fn unreadable(name: &str) -> Finding {
    finding(
        "template-unreadable",
        Words::new(
            format!(
                "Le modèle de message « {name} » ne peut pas être lu : un fichier de texte de 64 ko au plus."
            ),
            format!("The message template “{name}” cannot be read: a text file of at most 64 kB."),
        ),
        Words::new(
            "Vérifiez le chemin à la clé « template » de la route ; il part du dossier de raccord.toml.",
            "Check the path at the key “template” of the route; it starts at the folder of raccord.toml.",
        ),
    )
}

fn faulty(name: &str, why: &str) -> Finding {
    let why = clean::line(why, 300);
    finding(
        "template-faulty",
        Words::new(
            format!("Le modèle de message « {name} » ne peut pas servir : {why}"),
            format!("The message template “{name}” cannot be used: {why}"),
        ),
        Words::new(
            "Corrigez-le ; la page du connecteur liste les noms et les aides qu’un modèle connaît.",
            "Correct it; the connector's page lists the names and helpers a template knows.",
        ),
    )
}

fn finding(code: &str, text: Words, mend: Words) -> Finding {
    Finding {
        place: "template".to_owned(),
        code: format!("chat.{code}"),
        level: Level::Error,
        text,
        mend,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use super::*;
    use crate::dialect::{Dialect as _, Markdown};

    fn kit(templates: &[(&str, Option<&str>)]) -> Kit {
        let texts: BTreeMap<_, _> = templates
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.map(str::to_owned)))
            .collect();
        Kit {
            templates: Arc::new(texts),
            ..raccord_kit::testing::kit()
        }
    }

    #[test]
    fn every_form_says_something_in_both_languages() {
        let templates = Templates::new(&kit(&[])).unwrap();
        for form in Form::ALL {
            for lang in [Lang::Fr, Lang::En] {
                let mut view = view::sample(form);
                view["lang"] = lang.to_string().into();
                let rich = templates.render(form, lang, None, &view);
                let text = Markdown::MATTERMOST.write(&rich).text;
                assert!(!text.trim().is_empty(), "{form:?} {lang}");
                insta::assert_snapshot!(format!("{form:?}_{lang}").to_lowercase(), text);
            }
        }
    }

    #[test]
    fn a_date_that_is_to_be_chosen_is_said_so_with_its_poll() {
        let templates = Templates::new(&kit(&[])).unwrap();
        let place = raccord_kit::testing::kit().place;
        let context = raccord_model::Context {
            place: &place,
            lang: Lang::Fr,
            today: jiff::civil::date(2027, 1, 2),
            route: None,
        };
        let poll = "https://framadate.org/Bal";
        let fields =
            serde_json::json!({ "title": "Bal", "undated": true, "poll": poll, "room": "Halle" });
        let bal = raccord_model::Entity {
            id: raccord_model::EntityId::derive(&[b"bal"]),
            kind: raccord_model::EntityKind::Activity,
            revision: 1,
            source: "sheet".to_owned(),
            fields: serde_json::from_value(fields).unwrap(),
        };
        let view = view::activity(&bal, &context).unwrap();
        let rich = templates.render(Form::Announcement, Lang::Fr, None, &view);
        let text = Markdown::MATTERMOST.write(&rich).text;
        assert!(text.contains("**Bal**\ndate à fixer · Halle"), "{text}");
        assert!(text.contains(poll), "{text}");
        let mut dated = bal.clone();
        dated.fields.remove("undated");
        dated
            .fields
            .insert("start".into(), "2027-01-16T20:00".into());
        let moved = view::moved(&dated, &raccord_model::told_of(&bal), &context).unwrap();
        assert_eq!(moved["changes"][0]["before"], "date à fixer");
    }

    #[test]
    fn a_places_own_template_is_used_and_its_slips_are_told() {
        let own = "{{title}} le {{date start}} à {{hour start}}, {{relative start}} : {{plural 2 \"place\" \"places\"}}, {{cut title 3}}";
        let templates = Templates::new(&kit(&[("a.hbs", Some(own))])).unwrap();
        let view = view::sample(Form::Announcement);
        let rich = templates.render(Form::Announcement, Lang::Fr, Some("a.hbs"), &view);
        assert_eq!(
            Markdown::MATTERMOST.write(&rich).text,
            "Concert de jazz le samedi 2\u{a0}janvier à 20\u{202f}h\u{202f}30, aujourd’hui : 2\u{a0}places, Con…"
        );
        for (text, seen) in [
            (Some("{{titel}}"), "titel"),
            (Some("{{#if title}}"), "template-faulty"),
            (Some("{{nothing title}}"), "nothing"),
            (None, "template-unreadable"),
        ] {
            let findings = Templates::new(&kit(&[("b.hbs", text)])).unwrap_err();
            assert!(format!("{findings:?}").contains(seen), "{findings:?}");
            assert!(findings[0].text.fr.contains("b.hbs"));
        }
    }
}

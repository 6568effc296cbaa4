//! Templates: what a message says, by kind and language, and a place's own in their stead.
//!
//! Handlebars, strict: a name that does not exist is told when the settings are read, not when a
//! message is due. Every value is [escaped](crate::rich::escape), so that it stays words whatever
//! it holds. Besides Handlebars' own helpers there are `date`, `hour`, `relative`, `plural`, `cut`
//! and `share`.

use handlebars::{
    Context, Handlebars, Helper, HelperResult, Output, RenderContext, RenderError,
    RenderErrorReason,
};
use jiff::civil::Date;
use raccord_kit::{Finding, Kit, Level};
use raccord_look::{clean, dates, hour};
use raccord_model::{Civil, Lang, Words};
use serde_json::Value;

use crate::rich::{self, Rich};
use crate::{view, words};

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
    registry.register_helper("date", Box::new(date));
    registry.register_helper("hour", Box::new(time));
    registry.register_helper("relative", Box::new(relative));
    registry.register_helper("plural", Box::new(plural));
    registry.register_helper("cut", Box::new(cut));
    registry.register_helper("share", Box::new(share));
    registry
}

/// The language and the day of a message.
fn scene(context: &Context) -> (Lang, Option<Date>) {
    let lang = match context.data()["lang"].as_str() {
        Some("en") => Lang::En,
        _ => Lang::Fr,
    };
    let today = context.data()["today"].as_str();
    (lang, today.and_then(|day| day.parse().ok()))
}

fn text<'v>(helper: &'v Helper<'_>, index: usize) -> &'v str {
    helper
        .param(index)
        .and_then(|param| param.value().as_str())
        .unwrap_or_default()
}

fn write(out: &mut dyn Output, text: &str) -> HelperResult {
    Ok(out.write(&rich::escape(text))?)
}

/// `{{date start}}`: "samedi 2 janvier".
fn date(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    context: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let (lang, _) = scene(context);
    match text(helper, 0).parse::<Civil>() {
        Ok(at) => write(out, &dates::day(lang, at.date())),
        Err(_) => Ok(()),
    }
}

/// `{{hour start}}`: "20 h 30"; nothing for whole days.
fn time(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    context: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let (lang, _) = scene(context);
    let at = text(helper, 0).parse::<Civil>().ok();
    match at.and_then(Civil::time) {
        Some(time) => write(out, &hour(time, lang)),
        None => Ok(()),
    }
}

/// `{{relative start}}`: "demain", "samedi", "samedi 16 janvier", as seen from the message's day.
fn relative(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    context: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let (lang, today) = scene(context);
    match (text(helper, 0).parse::<Civil>(), today) {
        (Ok(at), Some(today)) => write(out, &words::relative(lang, today, at.date())),
        _ => Ok(()),
    }
}

/// `{{plural 3 "place" "places"}}`: "3 places".
fn plural(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    context: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let (lang, _) = scene(context);
    let count = helper.param(0).and_then(|param| param.value().as_i64());
    let Some(count) = count else {
        return Err(asks("plural", "a number and two words"));
    };
    let noun = if words::is_many(lang, count) {
        text(helper, 2)
    } else {
        text(helper, 1)
    };
    write(out, &format!("{count}\u{a0}{noun}"))
}

/// `{{cut description 600}}`: at most so many characters, cut at a word.
fn cut(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let most = helper.param(1).and_then(|param| param.value().as_u64());
    let Some(most) = most.and_then(|most| usize::try_from(most).ok()) else {
        return Err(asks("cut", "a text and a number"));
    };
    write(out, &clean::prose(text(helper, 0), most).0)
}

/// `{{share text}}`: the address that offers a text to somebody's own WhatsApp groups.
fn share(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    write(out, &words::share_link(text(helper, 0)))
}

fn asks(helper: &str, what: &str) -> RenderError {
    RenderErrorReason::Other(format!("the helper {helper} asks for {what}")).into()
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

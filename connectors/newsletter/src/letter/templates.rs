//! The two templates of a letter, ours or a place's own.
//!
//! Handlebars, strict: a name that does not exist is told when the settings are read. A place's own
//! file is MJML; what follows a line `===== text =====` in it is the text part, for which ours serves
//! otherwise.

use handlebars::{
    Context, Handlebars, Helper, HelperResult, Output, RenderContext, html_escape, no_escape,
};
use mrml::prelude::parser::ParserOptions;
use mrml::prelude::parser::noop_loader::NoopIncludeLoader;
use mrml::prelude::render::RenderOptions;
use raccord_chat::helpers;
use raccord_kit::{Finding, Kit, Level};
use raccord_look::clean;
use raccord_model::Words;
use serde_json::Value;

use super::{LARGEST, Written};

/// What stands between the two parts of a place's own file.
const BETWEEN: &str = "===== text =====";
/// The names of ours.
const HTML: &str = "html";
const TEXT: &str = "text";

/// Compiled templates. Two registries, for what is escaped differs.
#[derive(Debug)]
pub(crate) struct Templates {
    html: Handlebars<'static>,
    text: Handlebars<'static>,
}

/// Why a template makes no letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// A name, a helper or the markup is wrong.
    Faulty(String),
    /// The HTML is longer than mail programs show.
    TooLong(usize),
}

impl Templates {
    /// Ours, and those the routes to this connector name; each is tried on `sample`.
    ///
    /// # Errors
    /// Every template that cannot be read or used, with what is wrong in it.
    pub(crate) fn new(kit: &Kit, sample: &Value) -> Result<Self, Vec<Finding>> {
        let mut all = Self {
            html: registry(html_escape),
            text: registry(no_escape),
        };
        all.text.register_helper("upper", Box::new(upper));
        all.html
            .register_template_string(HTML, include_str!("../../templates/letter.mjml.hbs"))
            .expect("a test compiles our own templates");
        all.text
            .register_template_string(TEXT, include_str!("../../templates/letter.txt.hbs"))
            .expect("a test compiles our own templates");
        let mut wrong = Vec::new();
        for (name, text) in kit.templates.iter() {
            match text {
                None => wrong.push(unreadable(name)),
                Some(text) => {
                    let tried = all
                        .add(name, text)
                        .and_then(|()| all.write(Some(name), sample).map(drop));
                    if let Err(why) = tried {
                        wrong.push(faulty(name, &why));
                    }
                }
            }
        }
        if wrong.is_empty() {
            Ok(all)
        } else {
            Err(wrong)
        }
    }

    fn add(&mut self, name: &str, file: &str) -> Result<(), Unfit> {
        let own = own(name);
        let reason = |error: handlebars::TemplateError| Unfit::Faulty(error.reason().to_string());
        let (html, text) = match file.split_once(BETWEEN) {
            Some((html, text)) => (html, Some(text.trim_start_matches(['\r', '\n']))),
            None => (file, None),
        };
        self.html
            .register_template_string(&own, html)
            .map_err(reason)?;
        if let Some(text) = text {
            self.text
                .register_template_string(&own, text)
                .map_err(reason)?;
        }
        Ok(())
    }

    /// The letter that `view` gives in a place's own template, where that is named and known.
    ///
    /// # Errors
    /// What is wrong with the template.
    pub(crate) fn write(&self, named: Option<&str>, view: &Value) -> Result<Written, Unfit> {
        let own = named.map(own);
        let of = |registry: &Handlebars<'_>, usual: &str| {
            let own = own.as_deref().filter(|name| registry.has_template(name));
            let text = registry.render(own.unwrap_or(usual), view);
            text.map_err(|error| Unfit::Faulty(error.reason().to_string()))
        };
        let html = html(&of(&self.html, HTML)?)?;
        if html.len() > LARGEST {
            return Err(Unfit::TooLong(html.len()));
        }
        let text = spaced(&of(&self.text, TEXT)?);
        let subject = ["heading", "place"].map(|name| view[name].as_str().unwrap_or_default());
        Ok(Written {
            subject: clean::line(&subject.join(" – "), 200),
            html,
            text,
        })
    }
}

/// MJML as HTML. Nothing is included from anywhere.
fn html(mjml: &str) -> Result<String, Unfit> {
    let faulty = |error: &dyn std::fmt::Display| Unfit::Faulty(error.to_string());
    let options = ParserOptions {
        include_loader: Box::new(NoopIncludeLoader),
    };
    let parsed = mrml::parse_with_options(mjml, &options).map_err(|error| faulty(&error))?;
    // A missing include and an unknown attribute are slips of the template, and told.
    if let Some(warning) = parsed.warnings.first() {
        return Err(faulty(warning));
    }
    let options = RenderOptions {
        disable_comments: true,
        // Fonts are the reader's own: nothing is fetched when a letter is opened.
        fonts: std::collections::HashMap::default(),
        ..RenderOptions::default()
    };
    let html = parsed.element.render(&options);
    let html = html.map_err(|error| faulty(&error))?;
    Ok(squeezed(&html))
}

/// Without the indents of the template, which would be a quarter of the mail.
fn squeezed(html: &str) -> String {
    let lines = html.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut out = String::with_capacity(html.len());
    for line in lines {
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// One empty line where a template leaves several, and none at the ends.
fn spaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        if !line.trim().is_empty() || !(out.is_empty() || out.ends_with("\n\n")) {
            out.push_str(line);
            out.push('\n');
        }
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn registry(escape: fn(&str) -> String) -> Handlebars<'static> {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.register_escape_fn(escape);
    helpers::register(&mut registry);
    registry
}

/// `{{upper day}}`: what stands out in plain text.
fn upper(
    helper: &Helper<'_>,
    _: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let text = helper.param(0).and_then(|param| param.value().as_str());
    Ok(out.write(&text.unwrap_or_default().to_uppercase())?)
}

fn own(name: &str) -> String {
    format!("own {name}")
}

fn unreadable(name: &str) -> Finding {
    finding(
        "template-unreadable",
        Words::new(
            format!(
                "Le modèle de lettre « {name} » ne peut pas être lu : un fichier de texte de 64 ko au plus."
            ),
            format!("The letter's template “{name}” cannot be read: a text file of at most 64 kB."),
        ),
        Words::new(
            "Vérifiez le chemin à la clé « template » de la route ; il part du dossier de raccord.toml.",
            "Check the path at the key “template” of the route; it starts at the folder of raccord.toml.",
        ),
    )
}

fn faulty(name: &str, why: &Unfit) -> Finding {
    let (fr, en) = match why {
        Unfit::Faulty(why) => {
            let why = clean::line(why, 300);
            (why.clone(), why)
        }
        Unfit::TooLong(bytes) => {
            let kb = bytes / 1_000;
            (
                format!("la lettre d’essai pèse {kb} ko, les messageries coupent à 100 ko"),
                format!("the letter it was tried on has {kb} kB, and mail programs cut at 100 kB"),
            )
        }
    };
    finding(
        "template-faulty",
        Words::new(
            format!("Le modèle de lettre « {name} » ne peut pas servir : {fr}"),
            format!("The letter's template “{name}” cannot be used: {en}"),
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
        code: format!("newsletter.{code}"),
        level: Level::Error,
        text,
        mend,
    }
}

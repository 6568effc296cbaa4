//! The files `init` writes.

use jiff::civil::Date;
use raccord_model::Lang;

use super::Answers;

/// The commented configuration.
pub(super) fn configuration(answers: &Answers) -> String {
    let template = match answers.lang {
        Lang::Fr => include_str!("fr.toml"),
        Lang::En => include_str!("en.toml"),
    };
    template
        .replace("@id@", answers.id.as_str())
        .replace(
            "\"@name@\"",
            &toml::Value::from(answers.name.as_str()).to_string(),
        )
        .replace("@zone@", &answers.zone)
}

/// The sample sheet: four lines from `saturday` on, to be replaced by the place's own.
pub(super) fn sheet(lang: Lang, saturday: Date) -> String {
    let template = match lang {
        Lang::Fr => include_str!("fr.csv"),
        Lang::En => include_str!("en.csv"),
    };
    let mut text = template.to_owned();
    for (mark, days) in [("@0@", 0), ("@3@", 3), ("@5@", 5), ("@7@", 7)] {
        let day = saturday.saturating_add(jiff::Span::new().days(days));
        text = text.replace(mark, &day.to_string());
    }
    text
}

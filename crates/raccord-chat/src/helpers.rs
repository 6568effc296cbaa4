//! What templates can do besides naming: `date`, `hour`, `relative`, `plural`, `cut`, `share`. Each
//! value is escaped as its template escapes values.

use handlebars::{
    Context, Handlebars, Helper, HelperResult, Output, RenderContext, RenderError,
    RenderErrorReason,
};
use jiff::civil::Date;
use raccord_look::{clean, dates, hour};
use raccord_model::{Civil, Lang};

use crate::words;

/// Adds them. A view says in `lang` and `today` in which language it speaks, and on which day.
pub fn register(registry: &mut Handlebars<'_>) {
    registry.register_helper("date", Box::new(date));
    registry.register_helper("hour", Box::new(time));
    registry.register_helper("relative", Box::new(relative));
    registry.register_helper("plural", Box::new(plural));
    registry.register_helper("cut", Box::new(cut));
    registry.register_helper("share", Box::new(share));
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

fn write(registry: &Handlebars<'_>, out: &mut dyn Output, text: &str) -> HelperResult {
    Ok(out.write(&(registry.get_escape_fn())(text))?)
}

/// `{{date start}}`: "samedi 2 janvier".
fn date(
    helper: &Helper<'_>,
    registry: &Handlebars<'_>,
    context: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let (lang, _) = scene(context);
    match text(helper, 0).parse::<Civil>() {
        Ok(at) => write(registry, out, &dates::day(lang, at.date())),
        Err(_) => Ok(()),
    }
}

/// `{{hour start}}`: "20 h 30"; nothing for whole days.
fn time(
    helper: &Helper<'_>,
    registry: &Handlebars<'_>,
    context: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let (lang, _) = scene(context);
    let at = text(helper, 0).parse::<Civil>().ok();
    match at.and_then(Civil::time) {
        Some(time) => write(registry, out, &hour(time, lang)),
        None => Ok(()),
    }
}

/// `{{relative start}}`: "demain", "samedi", "samedi 16 janvier", as seen from the message's day.
fn relative(
    helper: &Helper<'_>,
    registry: &Handlebars<'_>,
    context: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let (lang, today) = scene(context);
    match (text(helper, 0).parse::<Civil>(), today) {
        (Ok(at), Some(today)) => write(registry, out, &words::relative(lang, today, at.date())),
        _ => Ok(()),
    }
}

/// `{{plural 3 "place" "places"}}`: "3 places".
fn plural(
    helper: &Helper<'_>,
    registry: &Handlebars<'_>,
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
    write(registry, out, &format!("{count}\u{a0}{noun}"))
}

/// `{{cut description 600}}`: at most so many characters, cut at a word.
fn cut(
    helper: &Helper<'_>,
    registry: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    let most = helper.param(1).and_then(|param| param.value().as_u64());
    let Some(most) = most.and_then(|most| usize::try_from(most).ok()) else {
        return Err(asks("cut", "a text and a number"));
    };
    write(registry, out, &clean::prose(text(helper, 0), most).0)
}

/// `{{share text}}`: the address that offers a text to somebody's own WhatsApp groups.
fn share(
    helper: &Helper<'_>,
    registry: &Handlebars<'_>,
    _: &Context,
    _: &mut RenderContext<'_, '_>,
    out: &mut dyn Output,
) -> HelperResult {
    write(registry, out, &words::share_link(text(helper, 0)))
}

fn asks(helper: &str, what: &str) -> RenderError {
    RenderErrorReason::Other(format!("the helper {helper} asks for {what}")).into()
}

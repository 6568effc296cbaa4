//! From the tree of keys to typed settings: what a schema can tell first, then what it cannot.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;

use ipnet::IpNet;
use jiff::tz::TimeZone;
use raccord_kit::Finding;
use raccord_kit::settings::{Number, Span, Text, by_schema};
use raccord_model::{
    ConnectorName, Crediting, Guards, Place, PlaceId, Recipe, Roundup, RoundupOf, Route,
    TaskTemplate, Words,
};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::document::{Document, Places};
use super::mistakes::{Mistakes, about, did_you_mean};
use super::{HourValue, Instance, Settings, Token, Web, alone, cluster, raw, schema, trial, when};
use crate::connectors;

/// Where `run` listens unless told otherwise.
pub(super) const LISTEN: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7070);

/// Reads `document`, which stands at `file`.
///
/// # Errors
/// Every mistake in it.
pub(super) fn read(file: &Path, document: &Document) -> Result<Settings, Vec<Finding>> {
    let tree = &document.tree;
    let mut mistakes = Mistakes::new(&document.places);
    if !raw::Raw::takes(tree) {
        mistakes.schema(&[], by_schema(&schema::ours(), tree));
    }
    let base = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => std::path::PathBuf::from("."),
    };
    let raw_place: Option<raw::Place> = section(tree, &["place"], &mut mistakes);
    let raw_web: Option<raw::Web> = section(tree, &["web"], &mut mistakes);
    let raw_cluster: Option<raw::Cluster> = section(tree, &["cluster"], &mut mistakes);
    let raw_guards: Option<raw::Guards> = section(tree, &["guards"], &mut mistakes);
    let connectors = connectors(&tree["connectors"], &document.places, &mut mistakes);
    alone::check(&connectors, &base, &mut mistakes);
    let recipes = items(tree, "recipes", &mut mistakes, |raw, path, mistakes| {
        Some(recipe(raw, path, mistakes))
    });
    let names: Vec<&str> = tree["connectors"]
        .as_object()
        .map(|all| all.keys().map(String::as_str).collect())
        .unwrap_or_default();
    let routes = items(tree, "routes", &mut mistakes, |raw, path, mistakes| {
        route(raw, path, &names, mistakes)
    });
    let raw_credits: Option<raw::Credits> = section(tree, &["credits"], &mut mistakes);
    let crediting = crediting(raw_credits.unwrap_or_default(), &mut mistakes);
    let guards = guards(&raw_guards.unwrap_or_default(), crediting, &mut mistakes);
    let raw_hours: Option<raw::Volunteering> = section(tree, &["volunteering"], &mut mistakes);
    let hour = hour(raw_hours.unwrap_or_default(), &mut mistakes);
    let web_raw = raw_web.unwrap_or_default();
    let public_url = public_url(web_raw.public_url.as_deref(), &mut mistakes);
    let web = web(web_raw, &base, &mut mistakes);
    let colour = raw_place.as_ref().and_then(|raw| raw.colour.clone());
    let bus = raw_place.as_ref().and_then(|raw| raw.bus.clone());
    let reach = cluster::read(raw_cluster, &base, &mut mistakes);
    let cluster = bus.and_then(|bus| match reach.at(&bus) {
        Ok(cluster) => Some(cluster),
        Err(cluster::Wrong(code, text, mend)) => {
            mistakes.add(&["place", "bus"], code, text, mend);
            None
        }
    });
    let place = raw_place.and_then(|raw| place(raw, public_url, &base, &mut mistakes));
    if mistakes.any() || place.is_none() {
        trial::look(document, &base, &mut mistakes);
    }
    let findings = mistakes.findings();
    match place {
        Some((place, zone, data)) if findings.is_empty() => Ok(Settings {
            file: file.to_owned(),
            base,
            place,
            colour: colour.unwrap_or_default(),
            zone,
            data,
            cluster,
            reach,
            web,
            connectors,
            recipes,
            routes,
            guards,
            hour,
            places: document.places.clone(),
        }),
        _ => Err(findings),
    }
}

/// Reads one part of the tree. A fault that the schema did not already tell is noted.
fn section<T: DeserializeOwned>(
    tree: &Value,
    path: &[&str],
    mistakes: &mut Mistakes<'_>,
) -> Option<T> {
    let mut here = tree;
    for part in path {
        here = match here {
            Value::Array(items) => part.parse::<usize>().ok().and_then(|n| items.get(n))?,
            table => table.get(*part)?,
        };
    }
    // What was told already is left out, so that one mistake hides no other.
    let mut here = here.clone();
    mistakes.take_out(path, &mut here);
    match T::deserialize(here) {
        Ok(value) => Some(value),
        Err(cause) => {
            if !mistakes.told(path) {
                // Our own types do not repeat values in their messages beyond what schemas allow.
                mistakes.add(
                    path,
                    "value-wrong",
                    Words::new(
                        format!("Cette partie n'est pas comprise ({cause})."),
                        format!("This part is not understood ({cause})."),
                    ),
                    Words::new("Corrigez-la.", "Correct it."),
                );
            }
            None
        }
    }
}

/// Reads every item of an array of tables.
fn items<R: DeserializeOwned, T>(
    tree: &Value,
    name: &str,
    mistakes: &mut Mistakes<'_>,
    read: impl Fn(R, &[&str], &mut Mistakes<'_>) -> Option<T>,
) -> Vec<T> {
    let count = tree[name].as_array().map_or(0, Vec::len);
    (0..count)
        .filter_map(|index| {
            let index = index.to_string();
            let path = [name, index.as_str()];
            let raw = section(tree, &path, mistakes)?;
            read(raw, &path, mistakes)
        })
        .collect()
}

fn place(
    raw: raw::Place,
    public_url: String,
    base: &Path,
    mistakes: &mut Mistakes<'_>,
) -> Option<(Place, TimeZone, std::path::PathBuf)> {
    let id = raw.id.as_deref().map(str::parse::<PlaceId>);
    if let Some(Err(wrong)) = &id {
        mistakes.add(
            &["place", "id"],
            "place-id-wrong",
            about(
                &wrong.found,
                "ne peut pas nommer un lieu : de 1 à 64 caractères a-z, 0-9 et -.",
                "cannot name a place: 1 to 64 characters of a-z, 0-9 and -.",
            ),
            Words::new(
                "Écrivez par exemple \"la-raffinerie\".",
                "Write for example \"la-raffinerie\".",
            ),
        );
    }
    if raw.name.as_ref().is_some_and(|name| name.trim().is_empty()) {
        mistakes.add(
            &["place", "name"],
            "place-name-empty",
            Words::new("Le nom du lieu est vide.", "The place's name is empty."),
            Words::new(
                "Écrivez le nom que les gens lui donnent.",
                "Write the name people call it by.",
            ),
        );
    }
    let zone = raw
        .timezone
        .as_deref()
        .and_then(|name| zone(name, mistakes));
    let data = base.join(raw.data.unwrap_or_else(|| "data".into()));
    Some((
        Place {
            id: id?.ok()?,
            name: raw.name?,
            zone: raw.timezone?,
            lang: raw.language,
            public_url,
        },
        zone?,
        data,
    ))
}

fn zone(name: &str, mistakes: &mut Mistakes<'_>) -> Option<TimeZone> {
    if let Ok(zone) = TimeZone::get(name)
        && zone.iana_name().is_some()
    {
        return Some(zone);
    }
    let known: Vec<String> = jiff::tz::db()
        .available()
        .map(|zone| zone.as_str().to_owned())
        .collect();
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let city = known
        .iter()
        .copied()
        .find(|zone| {
            zone.rsplit('/')
                .next()
                .is_some_and(|city| city.eq_ignore_ascii_case(name.trim()))
        })
        .or_else(|| raccord_kit::settings::nearest(name, &known));
    let mend = match city {
        Some(near) => Words::new(
            format!("Vouliez-vous écrire « {near} » ?"),
            format!("Did you mean “{near}”?"),
        ),
        None => Words::new(
            "Écrivez par exemple \"Europe/Paris\" ou \"Indian/Reunion\".",
            "Write for example \"Europe/Paris\" or \"Indian/Reunion\".",
        ),
    };
    mistakes.add(
        &["place", "timezone"],
        "timezone-unknown",
        about(
            name,
            "n'est pas un fuseau horaire connu.",
            "is no known time zone.",
        ),
        mend,
    );
    None
}

fn web(raw: raw::Web, base: &Path, mistakes: &mut Mistakes<'_>) -> Web {
    let listen = match raw.listen.as_deref().map(str::parse::<SocketAddr>) {
        None => None,
        Some(Ok(address)) => Some(address),
        Some(Err(_)) => {
            mistakes.add(
                &["web", "listen"],
                "listen-wrong",
                about(
                    raw.listen.as_deref().unwrap_or_default(),
                    "n'est pas une adresse avec son port.",
                    "is no address with its port.",
                ),
                Words::new(
                    "Écrivez par exemple \"127.0.0.1:7070\".",
                    "Write for example \"127.0.0.1:7070\".",
                ),
            );
            None
        }
    };
    for (index, range) in raw.allow_private.iter().enumerate() {
        range_of(
            range,
            &["web", "allow_private", &index.to_string()],
            mistakes,
        );
    }
    let proxies = raw.trusted_proxies.iter().enumerate();
    let proxies = proxies.filter_map(|(index, range)| {
        let key = ["web", "trusted_proxies", &index.to_string()];
        range_of(range, &key, mistakes)
    });
    let trusted_proxies = proxies.collect();
    let admin_token = match (raw.admin_token, raw.admin_token_file) {
        (Some(_), Some(_)) => {
            mistakes.twice(&["web", "admin_token"], "admin_token", "admin_token_file");
            None
        }
        (Some(token), None) => Some(Token::Inline(token.into())),
        (None, Some(path)) => Some(Token::File(base.join(path))),
        (None, None) => None,
    };
    Web {
        listen,
        admin_token,
        allow_private: Arc::from(raw.allow_private),
        trusted_proxies,
    }
}

/// A range of addresses, or one address.
fn range_of(range: &str, key: &[&str], mistakes: &mut Mistakes<'_>) -> Option<IpNet> {
    let read = range.parse::<IpNet>().ok();
    let read = read.or_else(|| range.parse::<IpAddr>().ok().map(IpNet::from));
    if read.is_none() {
        mistakes.add(
            key,
            "range-wrong",
            about(
                range,
                "n'est pas une plage d'adresses.",
                "is no range of addresses.",
            ),
            Words::new(
                "Écrivez par exemple \"192.168.1.0/24\".",
                "Write for example \"192.168.1.0/24\".",
            ),
        );
    }
    read
}

/// The public address without its last slash; empty where none is given.
fn public_url(given: Option<&str>, mistakes: &mut Mistakes<'_>) -> String {
    let Some(text) = given else {
        return String::new();
    };
    if !is_web_address(text) {
        mistakes.add(
            &["web", "public_url"],
            "address-wrong",
            about(
                text,
                "n'est pas une adresse http ou https.",
                "is no http or https address.",
            ),
            Words::new(
                "Écrivez par exemple \"https://programme.example.org\".",
                "Write for example \"https://programme.example.org\".",
            ),
        );
    }
    text.trim_end_matches('/').to_owned()
}

fn is_web_address(text: &str) -> bool {
    url::Url::parse(text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}

fn connectors(
    tree: &Value,
    places: &Places,
    mistakes: &mut Mistakes<'_>,
) -> std::collections::BTreeMap<ConnectorName, Instance> {
    let mut all = std::collections::BTreeMap::new();
    for (key, table) in tree.as_object().into_iter().flatten() {
        let path = ["connectors", key.as_str()];
        let name = key.parse::<ConnectorName>();
        if name.is_err() {
            mistakes.add(
                &path,
                "connector-name-wrong",
                about(
                    key,
                    "ne peut pas nommer un outil : de 1 à 64 caractères a-z, 0-9 et -.",
                    "cannot name a tool: 1 to 64 characters of a-z, 0-9 and -.",
                ),
                Words::new(
                    "Écrivez par exemple [connectors.site-public].",
                    "Write for example [connectors.public-site].",
                ),
            );
        }
        let Ok(raw) = serde_json::from_value::<raw::Instance>(table.clone()) else {
            continue;
        };
        let Some(connector) = connectors::of_kind(&raw.kind) else {
            mistakes.add(
                &["connectors", key, "kind"],
                "kind-unknown",
                about(
                    &raw.kind,
                    "n'est pas une sorte d'outil que ce programme connaît.",
                    "is no kind of tool this program knows.",
                ),
                did_you_mean(&raw.kind, &connectors::kinds()),
            );
            continue;
        };
        let value = Value::Object(raw.rest);
        mistakes.schema(&path, connector.settings.mistakes(&value));
        let Ok(name) = name else { continue };
        let full = [path[0].to_owned(), path[1].to_owned()];
        all.insert(
            name,
            Instance {
                kind: raw.kind,
                connector,
                value,
                place: places.of(&full),
                at: places.line(&full).map_or(0, |(line, _)| line),
            },
        );
    }
    all
}

fn recipe(raw: raw::Recipe, path: &[&str], mistakes: &mut Mistakes<'_>) -> Recipe {
    let under = |more: &[&'static str]| -> Vec<String> {
        path.iter()
            .chain(more)
            .map(|&part| part.to_owned())
            .collect()
    };
    let when_path = under(&["when"]);
    let when_path: Vec<&str> = when_path.iter().map(String::as_str).collect();
    let when = when::read(&raw.when, &when_path, mistakes);
    let mut tasks: Vec<TaskTemplate> = Vec::new();
    for (index, task) in raw.tasks.unwrap_or_default().into_iter().enumerate() {
        let index = index.to_string();
        let at =
            |key: &'static str| -> Vec<&str> { [path, &["tasks", index.as_str(), key]].concat() };
        let title = task.title.map(Text::get).unwrap_or_default();
        if tasks.iter().any(|known| known.title == title) {
            mistakes.add(
                &at("title"),
                "task-twice",
                about(
                    &title,
                    "est écrit deux fois dans cette recette.",
                    "is written twice in this recipe.",
                ),
                Words::new(
                    "Donnez un autre titre à l'une des tâches, ou augmentez `capacity`.",
                    "Give one of the tasks another title, or raise `capacity`.",
                ),
            );
        }
        if let Some(guide) = &task.guide
            && !is_web_address(guide)
        {
            mistakes.add(
                &at("guide"),
                "address-wrong",
                about(
                    guide,
                    "n'est pas une adresse http ou https.",
                    "is no http or https address.",
                ),
                Words::new(
                    "Écrivez par exemple \"https://wiki.example.org/animer\".",
                    "Write for example \"https://wiki.example.org/animer\".",
                ),
            );
        }
        let credits = task
            .credits
            .and_then(|units| hundredths(units.get(), &at("credits"), mistakes));
        let capacity = task
            .capacity
            .and_then(|most| u32::try_from(most.get()).ok());
        let minimum = task
            .minimum
            .and_then(|least| u32::try_from(least.get()).ok());
        if let (Some(least), Some(most)) = (minimum, capacity)
            && least > most
        {
            mistakes.add(
                &at("minimum"),
                "minimum-above-capacity",
                about(
                    &least.to_string(),
                    "est plus que `capacity`.",
                    "is more than `capacity`.",
                ),
                Words::new(
                    "Baissez l'un ou montez l'autre.",
                    "Lower one or raise the other.",
                ),
            );
        }
        tasks.push(TaskTemplate {
            title,
            kind: task.kind.map(Text::get).unwrap_or_default(),
            capacity,
            minimum,
            lead: task.lead.and_then(|days| u16::try_from(days.get()).ok()),
            validators: task.validators.into_iter().map(Text::get).collect(),
            credits,
            guide: task.guide.unwrap_or_default(),
            priority: task.priority.and_then(|rank| u8::try_from(rank.get()).ok()),
        });
    }
    Recipe { when, tasks }
}

fn route(
    raw: raw::Route,
    path: &[&str],
    names: &[&str],
    mistakes: &mut Mistakes<'_>,
) -> Option<Route> {
    let to_path = [path, &["to"]].concat();
    if let Some(to) = &raw.to
        && !names.contains(&to.as_str())
    {
        mistakes.add(
            &to_path,
            "connector-unknown",
            about(
                to,
                "n'est le nom d'aucun [connectors.…] de ce fichier.",
                "is the name of no [connectors.…] of this file.",
            ),
            did_you_mean(to, names),
        );
    }
    let when = when::read(&raw.when, &[path, &["when"]].concat(), mistakes);
    let (authority, fields) = match raw.authority {
        raw::RawAuthority::Usual => (None, std::collections::BTreeMap::new()),
        raw::RawAuthority::All(authority) => (Some(authority), std::collections::BTreeMap::new()),
        raw::RawAuthority::Each(fields) => (None, fields),
    };
    let hours_said = raw.at.is_some();
    let roundup = match (raw.digest, raw.at.unwrap_or_default()) {
        (None, at) if at.is_empty() => None,
        (Some(of @ RoundupOf::Reminder), at) if hours_said => {
            if at.len() > 1 || at.iter().any(|hour| hour.is_weekly()) {
                mistakes.add(
                    &[path, &["at"]].concat(),
                    "reminder-hour",
                    Words::new(
                        "Un rappel part la veille, à une seule heure, la même tous les jours.",
                        "A reminder goes out the day before, at one hour, the same every day.",
                    ),
                    Words::new(
                        "Écrivez par exemple at = [\"18:00\"] ; at = [] n'envoie aucun rappel.",
                        "Write for example at = [\"18:00\"]; at = [] sends no reminders.",
                    ),
                );
            }
            Some(Roundup { of, at })
        }
        (Some(RoundupOf::Liked), at)
            if at.len() != 1 || !at.iter().all(|hour| hour.is_weekly()) =>
        {
            mistakes.add(
                &[path, &["at"]].concat(),
                "liked-too-often",
                Words::new(
                    "Ce que chaque personne aime lui est dit une fois par semaine au plus.",
                    "What each person likes is told to them once a week at most.",
                ),
                Words::new(
                    "Écrivez un seul jour avec son heure, par exemple at = [\"thursday 18:00\"].",
                    "Write one day with its hour, for example at = [\"thursday 18:00\"].",
                ),
            );
            None
        }
        (Some(RoundupOf::Month), at) if !at.iter().all(|hour| hour.is_monthly()) => {
            mistakes.add(
                &[path, &["at"]].concat(),
                "month-too-often",
                Words::new(
                    "Le programme d’un mois s’envoie à un jour du mois.",
                    "A month's programme is sent on a day of the month.",
                ),
                Words::new(
                    "Écrivez un jour de 1 à 28 et son heure, par exemple at = [\"25 09:00\"].",
                    "Write a day from 1 to 28 and its hour, for example at = [\"25 09:00\"].",
                ),
            );
            None
        }
        (Some(of), at) if !at.is_empty() => Some(Roundup { of, at }),
        (of, _) => {
            let missing = if of.is_none() { "digest" } else { "at" };
            mistakes.add(
                &[path, &[missing]].concat(),
                "digest-incomplete",
                about(
                    missing,
                    "manque : un envoi à heure fixe dit ce qu'il contient (digest) et quand (at).",
                    "is missing: a message at fixed hours says what it brings (digest) and when (at).",
                ),
                Words::new(
                    "Écrivez par exemple digest = \"week\" et at = [\"monday 09:00\"].",
                    "Write for example digest = \"week\" and at = [\"monday 09:00\"].",
                ),
            );
            None
        }
    };
    Some(Route {
        to: raw.to?.parse().ok()?,
        when,
        channel: raw.channel,
        calendar: raw.calendar,
        list: raw.list,
        roundup,
        signup: raw.signup.map(Text::get),
        template: raw.template,
        lang: raw.language,
        grace_s: raw.grace.map(seconds),
        policy: raw.policy,
        authority,
        fields,
    })
}

fn crediting(raw: raw::Credits, mistakes: &mut Mistakes<'_>) -> Crediting {
    let usual = Crediting::default();
    let mut most = |units: Option<raw::Units>, key: &str| {
        units.and_then(|units| hundredths(units.get(), &["credits", key], mistakes))
    };
    Crediting {
        per_hour: raw.per_hour.unwrap_or(usual.per_hour),
        per_day: most(raw.per_day, "per_day"),
        per_month: most(raw.per_month, "per_month"),
        per_person: most(raw.per_person, "per_person"),
        validated_by: raw.validated_by.unwrap_or(usual.validated_by),
    }
}

fn guards(raw: &raw::Guards, crediting: Crediting, mistakes: &mut Mistakes<'_>) -> Guards {
    let usual = Guards::default();
    Guards {
        second_look_s: raw.second_look.map_or(usual.second_look_s, seconds),
        cancel_count: raw.cancel_count.unwrap_or(usual.cancel_count),
        cancel_share: raw.cancel_share.map_or(usual.cancel_share, Number::get),
        change_count: raw.change_count.unwrap_or(usual.change_count),
        change_share: raw.change_share.map_or(usual.change_share, Number::get),
        credit_per_day: raw
            .credit_per_day
            .and_then(|units| hundredths(units.get(), &["guards", "credit_per_day"], mistakes))
            .unwrap_or(usual.credit_per_day),
        crediting,
    }
}

/// What an hour given to the place stands for.
fn hour(raw: raw::Volunteering, mistakes: &mut Mistakes<'_>) -> Option<HourValue> {
    let value = hundredths(raw.hour?.get(), &["volunteering", "hour"], mistakes)?;
    Some(HourValue {
        value,
        currency: raw.currency.unwrap_or_else(|| "€".to_owned()),
    })
}

/// Whole seconds; a part of a second counts as one.
fn seconds(span: Span) -> i64 {
    i64::try_from(span.get().as_millis().div_ceil(1000)).unwrap_or(i64::MAX)
}

/// Units with up to two decimals, as hundredths.
fn hundredths(units: f64, path: &[&str], mistakes: &mut Mistakes<'_>) -> Option<i64> {
    let scaled = units * 100.0;
    let whole = scaled.round();
    if (scaled - whole).abs() < 1e-6 {
        return Some(whole as i64);
    }
    mistakes.add(
        path,
        "amount-wrong",
        about(
            &units.to_string(),
            "n'est pas un montant : au plus deux décimales.",
            "is no amount: two decimals at most.",
        ),
        Words::new("Écrivez par exemple 1.5.", "Write for example 1.5."),
    );
    None
}

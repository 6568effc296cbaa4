//! The connector table: every connector this program was built with, and nothing found by magic.
//!
//! A new connector is one folder under `connectors/`, one line here and one in `Cargo.toml`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use raccord_kit::{Clock, Connector, Finding, Kit, Tool};
use raccord_model::{ConnectorName, Manifest, RoundupOf, Words};

use crate::report::error;
use crate::settings::Settings;

/// The connectors, in the order people are shown them.
pub const CONNECTORS: &[&Connector] = &[
    &raccord_connector_spreadsheet::CONNECTOR,
    &raccord_connector_programme::CONNECTOR,
    &raccord_connector_website::CONNECTOR,
    &raccord_connector_nextcloud_calendar::CONNECTOR,
    &raccord_connector_mattermost::CONNECTOR,
    &raccord_connector_rocketchat::CONNECTOR,
    &raccord_connector_matrix::CONNECTOR,
    &raccord_connector_signup::CONNECTOR,
    &raccord_connector_sms::CONNECTOR,
    &raccord_connector_lespass::CONNECTOR,
    &raccord_connector_oceco::CONNECTOR,
    &raccord_connector_cashless::CONNECTOR,
    &raccord_connector_wordpress::CONNECTOR,
    &raccord_connector_mediawiki::CONNECTOR,
    &raccord_connector_webhook::CONNECTOR,
    &raccord_connector_neighbour::CONNECTOR,
    &raccord_connector_newsletter::CONNECTOR,
];

/// The connector of a `kind`.
pub fn of_kind(kind: &str) -> Option<&'static Connector> {
    CONNECTORS
        .iter()
        .copied()
        .find(|connector| connector.kind == kind)
}

/// All kinds.
pub fn kinds() -> Vec<&'static str> {
    CONNECTORS.iter().map(|connector| connector.kind).collect()
}

/// The configured tools, by name.
pub type Tools = BTreeMap<ConnectorName, Box<dyn Tool>>;

/// Makes every configured instance. Nothing is asked of any tool.
///
/// # Errors
/// What each connector refused, and every route to a tool that only reads.
pub fn build(
    settings: &Settings,
    clock: &Arc<dyn Clock>,
    program: &std::path::Path,
) -> Result<Tools, Vec<Finding>> {
    let mut tools = Tools::new();
    let mut findings = Vec::new();
    for (name, instance) in &settings.connectors {
        let kit = kit(settings, name, clock, program.to_owned());
        match (instance.connector.build)(instance.value.clone(), &kit) {
            Ok(tool) => {
                tools.insert(name.clone(), tool);
            }
            Err(wrong) => findings.extend(wrong.into_iter().map(|found| Finding {
                place: settings.where_in_tool(name, &found.place),
                ..found
            })),
        }
    }
    for (index, route) in settings.routes.iter().enumerate() {
        let reads_only = tools
            .get(&route.to)
            .is_some_and(|tool| tool.sink().is_none());
        if reads_only {
            let place = settings.where_is(&["routes", &index.to_string(), "to"]);
            let (text, mend) = only_read(route.to.as_str());
            findings.push(error(place, "route-to-source", text, mend));
            continue;
        }
        let unsaid = (tools.get(&route.to).zip(route.roundup.as_ref()))
            .and_then(|(tool, roundup)| unsaid(route.to.as_str(), &tool.describe(), roundup.of));
        if let Some((text, mend)) = unsaid {
            let place = settings.where_is(&["routes", &index.to_string(), "digest"]);
            findings.push(error(place, UNSAID, text, mend));
        }
    }
    if findings.is_empty() {
        Ok(tools)
    } else {
        Err(findings)
    }
}

/// Whether a connector's card says that such a tool is only ever read.
pub(crate) fn reads_only(connector: &Connector) -> bool {
    toml::from_str::<toml::Table>(connector.card)
        .ok()
        .and_then(|card| {
            let roles = card.get("roles")?.as_array()?.clone();
            Some(roles.iter().all(|role| role.as_str() == Some("source")))
        })
        .unwrap_or_default()
}

/// What is told, with its mend, of a route to the tool `name`, which is only read.
pub(crate) fn only_read(name: &str) -> (Words, Words) {
    (
        Words::new(
            format!("« {name} » est seulement lu, rien ne peut y être envoyé."),
            format!("“{name}” is only read, nothing can be sent to it."),
        ),
        Words::new(
            "Nommez dans `to` un outil que Raccord écrit.",
            "Name in `to` a tool that Raccord writes.",
        ),
    )
}

/// The code of a round-up for a tool that does not say it.
pub(crate) const UNSAID: &str = "digest-unsaid";

/// What is told, with its mend, of a route that brings the tool `name` a round-up; nothing where it
/// says such a one.
pub(crate) fn unsaid(name: &str, tool: &Manifest, of: RoundupOf) -> Option<(Words, Words)> {
    if tool.says(of) {
        return None;
    }
    let of = of.as_str();
    let text = Words::new(
        format!("« {name} » ne sait pas dire « {of} » : rien ne partirait jamais."),
        format!("“{name}” cannot say “{of}”: nothing would ever be sent."),
    );
    let all = RoundupOf::ALL.into_iter().filter(|other| tool.says(*other));
    let all: Vec<String> = all.map(|other| format!("\"{}\"", other.as_str())).collect();
    let mend = if all.is_empty() {
        Words::new(
            "Retirez cette route, ou nommez dans `to` un outil qui le dit.",
            "Take this route out, or name in `to` a tool that says it.",
        )
    } else {
        let all = all.join(", ");
        Words::new(
            format!("Nommez dans `to` un outil qui le dit. Celui-ci connaît : {all}."),
            format!("Name in `to` a tool that says it. This one knows: {all}."),
        )
    };
    Some((text, mend))
}

/// What instance `name` is given.
pub(crate) fn kit(
    settings: &Settings,
    name: &ConnectorName,
    clock: &Arc<dyn Clock>,
    program: PathBuf,
) -> Kit {
    Kit {
        name: name.clone(),
        place: settings.place.clone(),
        colour: settings.colour.clone(),
        base: settings.base.clone(),
        clock: Arc::clone(clock),
        allow_private: Arc::clone(&settings.web.allow_private),
        templates: Arc::new(templates(settings, name)),
        signups: signups(settings, name),
        has_hands: settings
            .connectors
            .values()
            .any(|instance| instance.kind == raccord_connector_signup::CONNECTOR.kind),
        program,
    }
}

/// The reactions that routes to `name` take for a sign-up, each once.
fn signups(settings: &Settings, name: &ConnectorName) -> Arc<[String]> {
    let routes = settings.routes.iter().filter(|route| route.to == *name);
    let all: std::collections::BTreeSet<String> =
        routes.filter_map(|route| route.signup.clone()).collect();
    all.into_iter().collect()
}

/// The most bytes of a message's template.
const MOST_TEMPLATE: u64 = 64 * 1024;

/// The texts of the templates that routes to `name` name.
pub(crate) fn templates(
    settings: &Settings,
    name: &ConnectorName,
) -> BTreeMap<String, Option<String>> {
    let routes = settings.routes.iter().filter(|route| route.to == *name);
    routes
        .filter_map(|route| route.template.clone())
        .map(|template| {
            let text = text_of(&settings.base.join(&template));
            (template, text)
        })
        .collect()
}

/// A text that is not too long; nothing where it cannot be read.
fn text_of(path: &std::path::Path) -> Option<String> {
    use std::io::Read as _;
    if !path.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    let file = std::fs::File::open(path).ok()?;
    let read = file
        .take(MOST_TEMPLATE + 1)
        .read_to_string(&mut text)
        .ok()?;
    (read as u64 <= MOST_TEMPLATE).then_some(text)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    #[test]
    fn every_connector_folder_stands_in_the_table() {
        for entry in std::fs::read_dir("../../connectors").unwrap() {
            let name = entry.unwrap().file_name().into_string().unwrap();
            assert!(
                of_kind(&name).is_some(),
                "connectors/{name} is not in the table"
            );
        }
        assert!(of_kind("nothing-of-the-kind").is_none());
    }
}

//! `raccord check`: the configuration, the log's folder and every tool.

use std::time::Duration;

use futures_util::future::join_all;
use raccord_kit::{Finding, Level, Tool};
use raccord_model::{ConnectorName, Words};

use super::{Console, Host, Session};
use crate::report::{Exit, Problem, error};
use crate::shapes::{CheckShape, ToolShape};

/// How long one tool is waited for.
const PATIENCE: Duration = Duration::from_mins(1);

pub(super) fn run(console: &mut Console<'_, '_>, host: &dyn Host) -> Result<Exit, Problem> {
    let opened = console
        .open()
        .and_then(|session| Ok((session.tools()?, session)));
    let (tools, session) = match opened {
        Ok(opened) => opened,
        // The findings are the answer of this command, also where the configuration has mistakes.
        Err(problem) if console.global.json => {
            let shape = CheckShape {
                lang: console.lang(),
                tools: Vec::new(),
                findings: problem.findings,
            };
            console.print(&shape, &console.view()?)?;
            return Ok(problem.exit);
        }
        Err(problem) => return Err(problem),
    };
    let mut findings = about_settings(&session);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|cause| Problem::file(std::path::Path::new("tokio"), &cause))?;
    let looks = tools
        .iter()
        .map(|(name, tool)| look(name, &**tool, &session));
    let mut asked = Vec::new();
    let mut about_tools = Vec::new();
    let mut well = Vec::new();
    for (name, found) in runtime.block_on(join_all(looks)) {
        if found.iter().all(|finding| finding.level != Level::Error) {
            well.push(name.clone());
        }
        asked.push(ToolShape {
            kind: session.settings.connectors[&name].kind.clone(),
            well: found.is_empty(),
            name,
        });
        about_tools.extend(found);
    }
    findings.extend(host.check(&session, &well));
    findings.extend(about_tools);
    let shape = CheckShape {
        lang: session.view.lang,
        tools: asked,
        findings,
    };
    console.print(&shape, &session.view)
}

/// What one tool says of itself, with the place of the key it names.
async fn look(
    name: &ConnectorName,
    tool: &dyn Tool,
    session: &Session,
) -> (ConnectorName, Vec<Finding>) {
    let found = match tokio::time::timeout(PATIENCE, tool.check()).await {
        Ok(found) => found,
        Err(_) => vec![error(
            "",
            "check-too-long",
            Words::new(
                "Cet outil n'a pas répondu en une minute.",
                "This tool did not answer within a minute.",
            ),
            Words::new(
                "Vérifiez qu'il tourne et que son adresse est la bonne.",
                "Check that it runs and that its address is right.",
            ),
        )],
    };
    let found = found
        .into_iter()
        .map(|finding| Finding {
            place: session.settings.where_in_tool(name, &finding.place),
            ..finding
        })
        .collect();
    (name.clone(), found)
}

/// What a schema cannot tell: a secret that cannot be read, a place that links nothing.
fn about_settings(session: &Session) -> Vec<Finding> {
    let settings = &session.settings;
    let mut findings = Vec::new();
    if let Some(token) = &settings.web.admin_token
        && let Err(failure) = token.read("admin_token")
    {
        let place = settings.where_is(&["web", "admin_token_file"]);
        findings.push(Finding::of(place, &failure));
    }
    if settings.connectors.is_empty() {
        findings.push(Finding {
            place: settings.where_is(&["connectors"]),
            code: "connectors-none".to_owned(),
            level: Level::Warning,
            text: Words::new(
                "Aucun outil n'est relié : il n'y a rien à lire ni à écrire.",
                "No tool is linked: there is nothing to read and nothing to write.",
            ),
            mend: Words::new(
                "Ajoutez des tables [connectors.NOM] ; `raccord connector list` montre ce qui existe.",
                "Add [connectors.NAME] tables; `raccord connector list` shows what there is.",
            ),
        });
    }
    findings
}

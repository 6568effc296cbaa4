//! What is wrong with the way to the rooms, told before anything is written.

use raccord_chat::heard::Hear;
use raccord_chat::reaction;
use raccord_kit::{Choice, Finding, Level};
use raccord_model::Failure;

use crate::api::Me;
use crate::failure;
use crate::{KIND, Matrix};

impl Matrix {
    /// Logs in, and looks at every room of the settings. Writes nothing, enters no room.
    pub(crate) async fn look(&self) -> Vec<Finding> {
        let api = &self.speaker.chat().api;
        let Some(token) = api.token() else {
            return vec![Finding::of("token_file", &failure::no_token())];
        };
        let mut findings = token.findings();
        let kit = self.speaker.kit();
        findings.extend(reaction::unheard(KIND, kit, self.hear != Hear::None));
        if findings.iter().any(|found| found.level == Level::Error) {
            return findings;
        }
        let me = match api.me().await {
            Ok(me) => me,
            Err(failure) => {
                findings.push(Finding::of(place_of(&failure), &failure));
                return findings;
            }
        };
        let joined = match api.joined().await {
            Ok(joined) => joined,
            Err(failure) => {
                findings.push(Finding::of(place_of(&failure), &failure));
                return findings;
            }
        };
        let manner = self.speaker.manner();
        for (key, name) in [("channel", &manner.channel), ("month", &manner.month)] {
            let Some(name) = name else { continue };
            if let Err(failure) = self.room(key, name, &me, &joined).await {
                let level = match failure.code.as_str() {
                    // Raccord enters by itself where it is invited, or anybody may.
                    "matrix.not-a-member" => Level::Warning,
                    _ => Level::Error,
                };
                findings.push(Finding {
                    level,
                    ..Finding::of(key, &failure)
                });
            }
        }
        findings
    }

    async fn room(&self, key: &str, name: &str, me: &Me, joined: &[String]) -> Result<(), Failure> {
        let api = &self.speaker.chat().api;
        let id = api.room_id(name).await?;
        if !joined.contains(&id) {
            return Err(failure::forbidden(name));
        }
        if api.state(&id, "m.room.encryption").await?.is_some() {
            return Err(failure::encrypted(name));
        }
        let powers = api.state(&id, "m.room.power_levels").await?;
        let powers = powers.unwrap_or_default();
        let number = |value: &serde_json::Value, usual: i64| value.as_i64().unwrap_or(usual);
        let ours = number(
            &powers["users"][&me.user_id],
            number(&powers["users_default"], 0),
        );
        let events = &powers["events"];
        let speak = number(
            &events["m.room.message"],
            number(&powers["events_default"], 0),
        );
        let pin = number(
            &events["m.room.pinned_events"],
            number(&powers["state_default"], 50),
        );
        if ours < speak {
            return Err(failure::forbidden(name));
        }
        if key == "month" && ours < pin {
            return Err(failure::cannot_pin(name));
        }
        Ok(())
    }

    /// The rooms the account is in.
    pub(crate) async fn pick(&self) -> Result<Vec<Choice>, Failure> {
        let api = &self.speaker.chat().api;
        let mut choices = Vec::new();
        for room in api.joined().await?.into_iter().take(200) {
            let text = |state: Option<serde_json::Value>, field: &str| {
                state.and_then(|state| Some(state[field].as_str()?.to_owned()))
            };
            let name = text(api.state(&room, "m.room.name").await?, "name");
            let alias = text(api.state(&room, "m.room.canonical_alias").await?, "alias");
            let value = alias.unwrap_or(room);
            choices.push(Choice {
                key: "channel".to_owned(),
                title: name.unwrap_or_else(|| value.clone()),
                value,
            });
        }
        Ok(choices)
    }
}

/// The key a failure is about.
fn place_of(failure: &Failure) -> &'static str {
    match failure.code.as_str() {
        "matrix.token-refused" | "matrix.no-token" => "token_file",
        _ => "url",
    }
}

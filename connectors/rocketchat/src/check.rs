//! What is wrong with the way to the rooms, told before anything is written.

use raccord_chat::dialect::{Dialect as _, Markdown};
use raccord_chat::{no_approver, reaction};
use raccord_kit::secret::SecretSource;
use raccord_kit::{Choice, Finding, Level};
use raccord_model::{Failure, Words};
use serde_json::Value;

use crate::message::{Me, Room, Told};
use crate::{KIND, RocketChat, failure};

/// The oldest server whose calls are used as they are (settings by their id).
const OLDEST: u32 = 7;
const LENGTH: &str = "Message_MaxAllowedSize";
const EDITING: &str = "Message_AllowEditing";
const MINUTES: &str = "Message_AllowEditing_BlockEditInMinutes";

impl RocketChat {
    /// Logs in, and looks at every room of the settings. Writes nothing.
    pub(crate) async fn look(&self) -> Vec<Finding> {
        let mut findings = match &self.api.token {
            Some(token) => token.findings(),
            None => vec![Finding::of("token_file", &failure::no_token())],
        };
        findings.extend(self.hook_secret.iter().flat_map(SecretSource::findings));
        findings.extend(reaction::unheard(KIND, &self.kit, self.listens()));
        if findings.iter().any(|found| found.level == Level::Error) {
            return findings;
        }
        let me = match self.api.me().await {
            Ok(me) => me,
            Err(failure) => {
                let key = if failure.code.ends_with(".credentials") {
                    "token_file"
                } else {
                    "url"
                };
                findings.push(Finding::of(key, &failure));
                return findings;
            }
        };
        if !me.is_unlimited() {
            findings.push(no_bot_role(&me));
        }
        match self.look_at_server().await {
            Ok(wrong) => findings.extend(wrong),
            Err(failure) => findings.push(Finding::of("url", &failure)),
        }
        let main = self.settings.channel.iter().map(|name| ("channel", name));
        let main = main.chain(self.settings.month.iter().map(|name| ("month", name)));
        let read = self.settings.listen.iter().map(|name| ("listen", name));
        for (key, name) in main.chain(read) {
            match self.fault_of(name).await {
                Ok(None) => {}
                Ok(Some(failure)) | Err(failure) => findings.push(Finding::of(key, &failure)),
            }
        }
        match self.look_at_approvers().await {
            Ok(wrong) => findings.extend(wrong),
            Err(failure) => findings.push(Finding::of("approvers", &failure)),
        }
        findings
    }

    async fn look_at_approvers(&self) -> Result<Vec<Finding>, Failure> {
        let mut findings = Vec::new();
        for approver in &self.settings.approvers {
            if self.api.person("userId", approver).await?.is_none() {
                let named = self.api.person("username", approver).await?;
                findings.push(no_approver(
                    KIND,
                    approver,
                    named.as_ref().map(|user| user.id.as_str()),
                ));
            }
        }
        Ok(findings)
    }

    async fn look_at_server(&self) -> Result<Vec<Finding>, Failure> {
        let mut findings = Vec::new();
        let version = self.api.info().await?.version;
        let major = version.split('.').next().and_then(|part| part.parse().ok());
        if major.is_some_and(|major: u32| major < OLDEST) {
            findings.push(old(&version));
        }
        let told = self.api.settings(&[LENGTH, EDITING, MINUTES]).await?;
        findings.extend(of_settings(&told));
        Ok(findings)
    }

    /// What keeps us from writing to a room.
    async fn fault_of(&self, name: &str) -> Result<Option<Failure>, Failure> {
        let host = self.api.host();
        let Some(room) = self.api.room(name).await? else {
            return Ok(Some(failure::no_room(name, host)));
        };
        if room.archived {
            return Ok(Some(failure::archived(host)));
        }
        if room.encrypted {
            return Ok(Some(failure::encrypted(name)));
        }
        if !self.api.is_member(&room.id).await? {
            return Ok(Some(failure::no_member(name, host)));
        }
        Ok(room.read_only.then(|| failure::read_only(name)))
    }

    /// The rooms the bot is in and can write to.
    pub(crate) async fn pick(&self) -> Result<Vec<Choice>, Failure> {
        let rooms = self.api.my_rooms().await?;
        let open = |room: &Room| {
            ["c", "p"].contains(&room.t.as_str()) && !room.archived && !room.encrypted
        };
        let here = rooms.into_iter().filter(open);
        Ok(here
            .map(|room| Choice {
                key: "channel".to_owned(),
                title: room.fname.unwrap_or_else(|| room.name.clone()),
                value: room.name,
            })
            .collect())
    }
}

fn of_settings(told: &Told) -> Vec<Finding> {
    let mut findings = Vec::new();
    let longest = told.get(LENGTH).as_u64();
    if let Some(longest) =
        longest.filter(|longest| *longest < Markdown::ROCKETCHAT.limit().most as u64)
    {
        findings.push(short(longest));
    }
    if *told.get(EDITING) == Value::Bool(false) {
        findings.push(no_editing());
    } else if let Some(minutes) = told.get(MINUTES).as_u64().filter(|minutes| *minutes > 0) {
        findings.push(edit_limit(minutes));
    }
    findings
}

fn warning(key: &str, code: &str, text: Words, mend: Words) -> Finding {
    Finding {
        place: key.to_owned(),
        code: format!("rocketchat.{code}"),
        level: Level::Warning,
        text,
        mend,
    }
}

fn no_bot_role(me: &Me) -> Finding {
    let name = &me.username;
    warning(
        "user_id",
        "no-bot-role",
        Words::new(
            format!(
                "Le compte «\u{a0}{name}\u{a0}» n’a pas le rôle «\u{a0}bot\u{a0}»\u{a0}: Rocket.Chat ne prend que dix messages par minute de lui."
            ),
            format!(
                "The account “{name}” does not have the role “bot”: Rocket.Chat takes ten messages a minute only from it."
            ),
        ),
        failure::bot_role(),
    )
}

fn old(version: &str) -> Finding {
    warning(
        "url",
        "old-version",
        Words::new(
            format!(
                "Ce Rocket.Chat est ancien ({version})\u{a0}: Raccord a été essayé avec 7 et plus."
            ),
            format!("This Rocket.Chat is old ({version}): Raccord was tried with 7 and later."),
        ),
        Words::new(
            "Mettez Rocket.Chat à jour, ou essayez d’abord dans un salon à part.",
            "Update Rocket.Chat, or try in a room of its own first.",
        ),
    )
}

fn short(longest: u64) -> Finding {
    warning(
        "url",
        "short-messages",
        Words::new(
            format!(
                "Ce serveur ne prend que {longest} caractères par message\u{a0}: les plus longs seront refusés."
            ),
            format!(
                "This server takes {longest} characters per message only: longer ones will be refused."
            ),
        ),
        Words::new(
            "Administration, Paramètres, Message\u{a0}: augmentez la taille maximale à 5000\u{202f}; ou choisissez des modèles courts.",
            "Administration, Settings, Message: raise the maximum size to 5000; or choose short templates.",
        ),
    )
}

fn no_editing() -> Finding {
    warning(
        "url",
        "no-editing",
        Words::new(
            "Les messages ne peuvent pas être modifiés\u{a0}: une activité qui change garderait son ancienne annonce.",
            "Messages cannot be changed: an activity that changes would keep its old announcement.",
        ),
        Words::new(
            "Administration, Paramètres, Message\u{a0}: «\u{a0}Autoriser la modification de message\u{a0}».",
            "Administration, Settings, Message: “Allow Message Editing”.",
        ),
    )
}

fn edit_limit(minutes: u64) -> Finding {
    warning(
        "url",
        "edit-limit",
        Words::new(
            format!(
                "Les messages ne peuvent être modifiés que pendant {minutes} minutes\u{a0}: une activité qui change plus tard garderait son ancienne annonce."
            ),
            format!(
                "Messages can be changed for {minutes} minutes only: an activity that changes later would keep its old announcement."
            ),
        ),
        Words::new(
            "Administration, Paramètres, Message\u{a0}: mettez «\u{a0}0\u{a0}» à la limite de modification.",
            "Administration, Settings, Message: set the limit of editing to “0”.",
        ),
    )
}

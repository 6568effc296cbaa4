//! What is wrong with the way to the channels, told before anything is written.

use raccord_chat::dialect::{Dialect as _, Markdown};
use raccord_chat::{no_approver, reaction};
use raccord_kit::secret::SecretSource;
use raccord_kit::{Choice, Finding, Level};
use raccord_model::{Failure, Words};

use crate::post::{Limits, User};
use crate::{KIND, Mattermost, failure};

/// The oldest server whose calls are used as they are (uploads by address).
const OLDEST: u32 = 9;

impl Mattermost {
    /// Logs in, and looks at the team and at every channel of the settings. Writes nothing.
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
        if !me.is_bot {
            findings.push(a_person(&me));
        }
        match self.api.limits().await {
            Ok(limits) => findings.extend(of_limits(&limits)),
            Err(failure) => findings.push(Finding::of("url", &failure)),
        }
        match self.look_at_channels().await {
            Ok(wrong) => findings.extend(wrong),
            Err(failure) => findings.push(Finding::of("url", &failure)),
        }
        findings
    }

    async fn look_at_channels(&self) -> Result<Vec<Finding>, Failure> {
        let (host, team) = (self.api.host(), &*self.settings.team);
        let mine = self.api.my_teams().await?;
        if !mine.iter().any(|known| known.name == *team) {
            return Ok(vec![Finding::of("team", &failure::no_team(team, host))]);
        }
        let mut findings = Vec::new();
        let main = self.settings.channel.iter().map(|name| ("channel", name));
        let main = main.chain(self.settings.month.iter().map(|name| ("month", name)));
        let read = self.settings.listen.iter().map(|name| ("listen", name));
        for (key, name) in main.chain(read) {
            if let Some(failure) = self.fault_of(name).await? {
                findings.push(Finding::of(key, &failure));
            }
        }
        for approver in &self.settings.approvers {
            if self.api.person(approver).await?.is_none() {
                let named = self.api.user(approver).await?;
                findings.push(no_approver(
                    KIND,
                    approver,
                    named.as_ref().map(|user| user.id.as_str()),
                ));
            }
        }
        Ok(findings)
    }

    /// What keeps us from writing to a channel.
    async fn fault_of(&self, name: &str) -> Result<Option<Failure>, Failure> {
        let (host, team) = (self.api.host(), &*self.settings.team);
        let Some(channel) = self.api.channel(team, name).await? else {
            return Ok(Some(failure::no_channel(name, host)));
        };
        if channel.delete_at > 0 {
            return Ok(Some(failure::archived(host)));
        }
        let inside = self.api.is_member(&channel.id).await?;
        Ok((!inside).then(|| failure::no_member(name, host)))
    }

    /// The channels the bot is in: where it can write.
    pub(crate) async fn pick(&self) -> Result<Vec<Choice>, Failure> {
        let team = &*self.settings.team;
        let found = self.api.team(team).await?;
        let found = found.ok_or_else(|| failure::no_team(team, self.api.host()))?;
        let channels = self.api.my_channels(&found.id).await?;
        let open = |kind: &str| kind == "O" || kind == "P";
        let here = channels
            .into_iter()
            .filter(|channel| channel.delete_at == 0 && open(&channel.kind));
        Ok(here
            .map(|channel| Choice {
                key: "channel".to_owned(),
                value: channel.name,
                title: channel.display_name,
            })
            .collect())
    }
}

fn of_limits(limits: &Limits) -> Vec<Finding> {
    let mut findings = Vec::new();
    let major = limits
        .version
        .split('.')
        .next()
        .and_then(|part| part.parse().ok());
    if major.is_some_and(|major: u32| major < OLDEST) {
        findings.push(old(&limits.version));
    }
    if let Some(seconds) = limits.editable() {
        findings.push(edit_limit(seconds));
    }
    if limits.longest() < Markdown::MATTERMOST.limit().most {
        findings.push(short(limits.longest()));
    }
    findings
}

fn warning(key: &str, code: &str, text: Words, mend: Words) -> Finding {
    Finding {
        place: key.to_owned(),
        code: format!("mattermost.{code}"),
        level: Level::Warning,
        text,
        mend,
    }
}

fn a_person(me: &User) -> Finding {
    let name = &me.username;
    warning(
        "token_file",
        "a-person",
        Words::new(
            format!(
                "Le jeton est celui de «\u{a0}{name}\u{a0}», qui n’est pas un robot\u{a0}: les messages auront l’air d’être les siens."
            ),
            format!(
                "The token is that of “{name}”, who is no bot: messages will look as if they came from that person."
            ),
        ),
        Words::new(
            "Créez un compte de robot\u{a0}: Intégrations, Comptes de robots, Ajouter\u{202f}; et utilisez son jeton.",
            "Make a bot account: Integrations, Bot Accounts, Add; and use its token.",
        ),
    )
}

fn old(version: &str) -> Finding {
    warning(
        "url",
        "old-version",
        Words::new(
            format!(
                "Ce Mattermost est ancien ({version})\u{a0}: Raccord a été essayé avec 9.4 et plus."
            ),
            format!("This Mattermost is old ({version}): Raccord was tried with 9.4 and later."),
        ),
        Words::new(
            "Mettez Mattermost à jour, ou essayez d’abord dans un canal à part.",
            "Update Mattermost, or try in a channel of its own first.",
        ),
    )
}

fn edit_limit(seconds: i64) -> Finding {
    warning(
        "url",
        "edit-limit",
        Words::new(
            format!(
                "Les messages ne peuvent être modifiés que pendant {seconds} secondes\u{a0}: une activité qui change plus tard garderait son ancienne annonce."
            ),
            format!(
                "Messages can be changed for {seconds} seconds only: an activity that changes later would keep its old announcement."
            ),
        ),
        Words::new(
            "L’administrateur peut l’autoriser\u{a0}: Console système, Messages, «\u{a0}Modifier un message\u{a0}»\u{a0}: à tout moment.",
            "The administrator can allow it: System Console, Posts, “Edit Post”: any time.",
        ),
    )
}

fn short(longest: usize) -> Finding {
    warning(
        "url",
        "short-posts",
        Words::new(
            format!(
                "Ce serveur ne prend que {longest} caractères par message\u{a0}: les plus longs seront refusés."
            ),
            format!(
                "This server takes {longest} characters per message only: longer ones will be refused."
            ),
        ),
        Words::new(
            "Choisissez des modèles courts pour les routes vers ce connecteur.",
            "Choose short templates for the routes to this connector.",
        ),
    )
}

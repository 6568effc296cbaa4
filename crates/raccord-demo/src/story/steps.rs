//! The steps, in their order.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use raccord_model::Words;

use super::{ANA, ORGANISER, SHEET, Step, Story};
use crate::error::Error;

/// How long after the beginning the meeting is over: the evening of the second of January.
const DAY: SignedDuration = SignedDuration::from_hours(13 * 24 + 12);
/// How long the daemon is down after the kill.
const DOWN: SignedDuration = SignedDuration::from_mins(5);

type Told<'t> = &'t mut dyn FnMut(&Step);

impl Story<'_> {
    pub(super) async fn through(
        &mut self,
        told: Told<'_>,
    ) -> Result<BTreeMap<&'static str, usize>, Error> {
        self.a_place(told).await?;
        self.one_line(told).await?;
        let lead = self.tasks(told).await?;
        self.sign_up(&lead, told).await?;
        self.killed(&lead, told).await?;
        self.again(told).await?;
        self.why(told).await?;
        self.emptied(told).await?;
        self.counts(told).await
    }

    async fn a_place(&mut self, told: Told<'_>) -> Result<(), Error> {
        self.start(SignedDuration::ZERO).await?;
        let lines = self.sheet.len();
        let missing = Words::new(
            format!("{lines} activités dans l’agenda, dans le chat, sur le site et au programme"),
            format!("{lines} activities in the calendar, the chat, the site and the programme"),
        );
        self.until(missing, |it| {
            let counted = it.counted();
            let site = std::fs::read_to_string(it.folder.at("out/site/activities.json"));
            counted["entries"] == lines
                && counted["messages"] == lines
                && site.is_ok_and(|site| site.matches("\"title\":").count() == lines)
                && !it.printed().is_empty()
        })
        .await?;
        told(&Step {
            name: "place",
            told: Words::new(
                format!(
                    "Un lieu et ses outils. La feuille a {lines} lignes : l’agenda a {lines} entrées, le chat {lines} messages, et le site et le programme imprimé sont là."
                ),
                format!(
                    "A place and its tools. The sheet has {lines} lines: the calendar has {lines} entries, the chat {lines} messages, and the site and the printed programme are there."
                ),
            ),
            quoted: None,
        });
        Ok(())
    }

    async fn one_line(&mut self, told: Told<'_>) -> Result<(), Error> {
        let printed = self.printed();
        self.sheet.grows();
        self.folder.save(SHEET, &self.sheet.whole())?;
        let meeting = self.sheet.words.meeting;
        let missing = Words::new(
            format!("« {meeting} » une fois dans l’agenda, le chat, le site et le programme"),
            format!("“{meeting}” once in the calendar, the chat, the site and the programme"),
        );
        self.until(missing, |it| {
            it.times(meeting) == [1, 1, 1] && it.printed() != printed
        })
        .await?;
        let counted = self.counted();
        let lines = self.sheet.len();
        if counted["entries-made"] != lines || counted["messages-made"] != lines {
            return Err(Error::missing(
                format!("rien que la ligne nouvelle : {counted:?}"),
                format!("nothing but the new line: {counted:?}"),
            ));
        }
        told(&Step {
            name: "line",
            told: Words::new(
                format!(
                    "Une ligne de plus dans la feuille : « {meeting} », le samedi 2 janvier à 18 h 30.\nLa voilà dans l’agenda, dans le chat, sur le site et dans une nouvelle édition du programme ; chaque fois une."
                ),
                format!(
                    "One more line in the sheet: “{meeting}”, on Saturday 2 January at 18:30.\nThere it is in the calendar, in the chat, on the site and in a new edition of the programme; once in each."
                ),
            ),
            quoted: None,
        });
        Ok(())
    }

    /// Gives the id of the task that somebody signs up for.
    async fn tasks(&mut self, told: Told<'_>) -> Result<String, Error> {
        let words = self.sheet.words;
        let (lead, join) = (words.lead, words.join);
        let missing = Words::new(
            format!("les tâches « {lead} » et « {join} »"),
            format!("the tasks “{lead}” and “{join}”"),
        );
        let page = self.page("/hands", missing, |page| {
            page.text.contains(lead) && page.text.contains(join)
        });
        let page = page.await?;
        let id = page.behind(lead).unwrap_or_default().to_owned();
        let missing = Words::new("le mode d’emploi de la tâche", "the task’s how-to");
        let path = format!("/hands/{id}");
        self.page(&path, missing, |page| page.text.contains("/guide"))
            .await?;
        let entry = Words::new(
            "les tâches dans l’entrée de l’agenda",
            "the tasks in the calendar’s entry",
        );
        self.until(entry, |it| {
            let entries = it.held().calendar().entries();
            let mut named = entries.iter().filter(|it| it.title == words.meeting);
            named.any(|entry| entry.description.contains(lead))
        })
        .await?;
        told(&Step {
            name: "tasks",
            told: Words::new(
                format!(
                    "Une réunion amène ses tâches : « {lead} », une place, deux crédits, avec son mode d’emploi, et « {join} »."
                ),
                format!(
                    "A meeting brings its tasks: “{lead}”, one place, two credits, with its how-to, and “{join}”."
                ),
            ),
            quoted: None,
        });
        Ok(id)
    }

    async fn sign_up(&mut self, lead: &str, told: Told<'_>) -> Result<(), Error> {
        let mut ana = self.signed_in(ANA, 1).await?;
        let broken = Error::file;
        let me = ana.get("/hands/me").await.map_err(broken("/hands/me"))?;
        let token = me.field("t").unwrap_or_default().to_owned();
        let fields = [("t", token.as_str()), ("subject", lead), ("name", "Ana")];
        let sent = ana.send("/hands/up", &fields).await;
        sent.map_err(broken("/hands/up"))?;
        let missing = Words::new("la confirmation pour Ana", "the confirmation for Ana");
        self.until(missing, |it| it.letters(ANA) == 2).await?;
        told(&Step {
            name: "signup",
            told: Words::new(
                "Ana s’inscrit pour animer la réunion, sans compte, par un lien reçu par mail. Un mail le lui confirme.",
                "Ana signs up to lead the meeting, without an account, by a link that came by mail. One mail confirms it.",
            ),
            quoted: None,
        });
        Ok(())
    }

    /// The evening of the meeting: it is noted who came, and the daemon dies while the card is
    /// credited.
    async fn killed(&mut self, lead: &str, told: Told<'_>) -> Result<(), Error> {
        if let Some(daemon) = self.daemon.take() {
            daemon.stop().await?;
        }
        self.start(DAY).await?;
        let held = self.held().clone();
        let credited = held.next_refill_is_unheard();
        let mut olga = self.signed_in(ORGANISER, 1).await?;
        let list = format!("/hands/{lead}/present");
        let broken = Error::file;
        let page = olga.get(&list).await.map_err(broken(&list))?;
        let field = |name: &str| page.field(name).unwrap_or_default();
        let fields = [("t", field("t")), ("seen", field("seen")), ("do", "all")];
        if !page.text.contains("Ana") {
            return Err(Error::missing(
                "Ana sur la liste des présences",
                "Ana on the list of who came",
            ));
        }
        olga.send(&list, &fields).await.map_err(broken(&list))?;
        told(&Step {
            name: "attended",
            told: Words::new(
                "La réunion a eu lieu. Olga, qui l’organise, note qu’Ana était là.",
                "The meeting took place. Olga, who organises it, notes that Ana was there.",
            ),
            quoted: None,
        });
        let unpaid = || Error::missing("deux crédits sur la carte", "two credits on the card");
        let waited = tokio::time::timeout(super::PATIENCE, credited);
        waited.await.map_err(|_| unpaid())?;
        if let Some(daemon) = self.daemon.take() {
            daemon.kill().await?;
        }
        told(&Step {
            name: "killed",
            told: Words::new(
                "La carte d’Ana est créditée, mais avant que la réponse n’arrive, Raccord est tué (kill -9). Il ne sait pas ce qui a été fait.",
                "Ana’s card is credited, but before the answer comes, Raccord is killed (kill -9). It does not know what was done.",
            ),
            quoted: None,
        });
        Ok(())
    }

    async fn again(&mut self, told: Told<'_>) -> Result<(), Error> {
        self.start(DOWN).await?;
        self.settled().await?;
        let wallet = self.held().wallet();
        let two = wallet.balances().get(ANA) == Some(&200);
        if !two || wallet.credited().len() != 1 || wallet.calls() != 1 {
            return Err(Error::missing(
                format!("deux crédits, une seule fois : {:?}", wallet.credited()),
                format!("two credits, once: {:?}", wallet.credited()),
            ));
        }
        drop(wallet);
        told(&Step {
            name: "again",
            told: Words::new(
                "Relancé, il regarde avant d’agir : deux crédits sont sur la carte, une seule fois, et rien n’est envoyé de nouveau.",
                "Started again, it looks before it acts: two credits are on the card, once, and nothing is sent again.",
            ),
            quoted: None,
        });
        Ok(())
    }

    /// From the card back to the cell.
    async fn why(&mut self, told: Told<'_>) -> Result<(), Error> {
        let ledger = self.json(&["ledger"]).await?;
        let credit = ledger["entries"][0]["id"].as_str().unwrap_or_default();
        let credit = credit.to_owned();
        let chain = self.json(&["why", &credit]).await?;
        let kinds: Vec<&str> = chain["chain"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|link| link["kind"].as_str())
            .collect();
        if kinds.last() != Some(&"cell") || !kinds.contains(&"person") {
            return Err(Error::missing(
                format!("de la carte à la cellule : {kinds:?}"),
                format!("from the card to the cell: {kinds:?}"),
            ));
        }
        let said = self.ask(&["why", &credit]).await?;
        told(&Step {
            name: "why",
            told: Words::new(
                format!(
                    "Pourquoi ces crédits ? « raccord why {credit} » remonte de la carte à la cellule :"
                ),
                format!(
                    "Why these credits? “raccord why {credit}” leads from the card back to the cell:"
                ),
            ),
            quoted: Some(said.text),
        });
        Ok(())
    }

    async fn emptied(&mut self, told: Told<'_>) -> Result<(), Error> {
        let before = self.counted();
        self.folder.save(SHEET, &self.sheet.emptied())?;
        let holds = self.holds(1).await?;
        let waits = holds[0]["effects"].as_array().map_or(0, Vec::len);
        if self.counted() != before {
            return Err(Error::missing(
                format!("rien de changé dans les outils : {:?}", self.counted()),
                format!("nothing changed in the tools: {:?}", self.counted()),
            ));
        }
        self.folder.save(SHEET, &self.sheet.whole())?;
        self.holds(0).await?;
        told(&Step {
            name: "held",
            told: Words::new(
                format!(
                    "Quelqu’un efface la feuille par accident : {waits} changements attendent un oui, et aucun outil n’a bougé.\nLa feuille est remise, et la question se ferme d’elle-même."
                ),
                format!(
                    "Somebody empties the sheet by accident: {waits} changes wait for a yes, and no tool has moved.\nThe sheet is put back, and the question closes by itself."
                ),
            ),
            quoted: None,
        });
        Ok(())
    }

    async fn counts(&mut self, told: Told<'_>) -> Result<BTreeMap<&'static str, usize>, Error> {
        self.settled().await?;
        let counted = self.counted();
        let lines = self.sheet.len();
        let expected = [
            ("entries", lines),
            ("entries-made", lines),
            ("entries-cancelled", 0),
            ("messages", lines),
            ("messages-made", lines),
            ("mails", 3),
            ("credits", 1),
            ("refills-asked", 1),
        ];
        let wrong = expected
            .iter()
            .find(|(name, number)| counted[name] != *number);
        if let Some((name, number)) = wrong {
            return Err(Error::missing(
                format!("« {name} » : {} au lieu de {number}", counted[name]),
                format!("“{name}”: {} instead of {number}", counted[name]),
            ));
        }
        if let Some(daemon) = self.daemon.take() {
            daemon.stop().await?;
        }
        told(&Step {
            name: "counted",
            told: Words::new(
                format!(
                    "Compté dans les outils : {lines} entrées, {lines} messages, 3 mails, 1 crédit. Chaque effet une fois, aucun deux fois."
                ),
                format!(
                    "Counted in the tools: {lines} entries, {lines} messages, 3 mails, 1 credit. Each effect once, none twice."
                ),
            ),
            quoted: None,
        });
        Ok(counted)
    }

    /// Waits until nothing is owed any more, and nothing waits for a person.
    async fn settled(&self) -> Result<(), Error> {
        let until = std::time::Instant::now() + super::PATIENCE;
        loop {
            let answer = self.ask(&["sync", "--json"]).await?;
            let said: serde_json::Value = serde_json::from_str(&answer.text).unwrap_or_default();
            let none = |key: &str| said[key].as_array().is_some_and(Vec::is_empty);
            if answer.code == 0 && ["effects", "later", "holds", "dead"].into_iter().all(none) {
                return Ok(());
            }
            if std::time::Instant::now() > until {
                return Err(Error::missing(
                    format!("la fin de ce qui est dû : {}", answer.text.trim()),
                    format!("the end of what is owed: {}", answer.text.trim()),
                ));
            }
            tokio::time::sleep(super::POLL).await;
        }
    }

    /// Waits until so many changes wait for a yes; gives them.
    async fn holds(&self, number: usize) -> Result<Vec<serde_json::Value>, Error> {
        let until = std::time::Instant::now() + super::PATIENCE;
        loop {
            let holds = self.json(&["holds"]).await?;
            let holds = holds.as_array().cloned().unwrap_or_default();
            if holds.len() == number {
                return Ok(holds);
            }
            if std::time::Instant::now() > until {
                return Err(Error::missing(
                    format!("{number} question·s au lieu de {}", holds.len()),
                    format!("{number} questions instead of {}", holds.len()),
                ));
            }
            tokio::time::sleep(super::POLL).await;
        }
    }
}

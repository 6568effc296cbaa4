//! For a day and two hours Raccord does not reach the chat, while people go on talking there and the
//! sheet is edited.

use std::fmt;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use jiff::{SignedDuration, Timestamp};

use super::torture::{People, check, config, settle};
use super::{Chat, Kind, Said};
use crate::place::Place;
use crate::sheet::{Dice, Sheet};

/// Noon of a Sunday, at the place; what the sheet knows of begins in the week after.
const SUNDAY: &str = "2026-12-27T08:00:00Z";
/// How long the chat is out of reach.
const HOURS: i64 = 26;
/// What a round-up begins with.
const WEEK: &str = "Les sept jours";

/// What was seen of a gap.
#[derive(Debug, Default)]
pub struct Gap {
    /// What people said meanwhile, and was heard, each once.
    pub heard: usize,
    /// How many announcements stood in the end.
    pub announcements: usize,
    /// How long it took to play.
    pub took: Duration,
    /// How long the first pass after it took.
    pub caught_up: Duration,
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{HOURS} hours away: {} messages heard once (in {:.1} s), no deletion missed, {} announcements with their last words, one reply for three moves, one round-up of two",
            self.heard,
            self.caught_up.as_secs_f32(),
            self.announcements
        )
    }
}

/// Plays it: people say `messages` things, and change and take away some.
///
/// # Errors
/// What was lost, doubled, or said though it was over.
pub fn away_for_a_day(kind: Kind, messages: usize) -> Result<Gap> {
    let began = Instant::now();
    let mut now: Timestamp = SUNDAY.parse()?;
    let mut chat = kind.open(now)?;
    // The one of Sunday is due in the first hour of the gap, that of Monday in its 21st.
    let digests = format!(
        "[[routes]]\nto = \"chat\"\nchannel = \"{}\"\ndigest = \"week\"\nat = [\"dimanche 13:00\", \"lundi 9:00\"]\n",
        chat.room()
    );
    let mut place = Place::new(&format!("{}{digests}", config(&*chat)))?.at(SUNDAY);
    let mut sheet = Sheet::new(12, 20);
    let mut people = People::default();
    let mut dice = Dice(26);
    place.save("programme.csv", sheet.csv().as_bytes())?;
    let began_to_listen = place.run(&["sync"])?;
    ensure!(began_to_listen.code == 0, "{}", began_to_listen.stderr);
    for _ in 0..40 {
        people.talk(&*chat, &mut dice)?;
    }
    let heard = place.run(&["sync"])?;
    ensure!(heard.code == 0, "{}", heard.stderr);
    people.are_known();
    let before = announced(&*chat)?.len();
    ensure!(
        before == sheet.public_titles().len(),
        "{before} were announced before the gap"
    );

    now = now.saturating_add(SignedDuration::from_mins(30))?;
    chat.cut_off(true);
    for hour in 0..HOURS {
        now = now.saturating_add(SignedDuration::from_hours(1))?;
        chat.is_at(now);
        place.is_at(&now.to_string());
        let (from, to) = (messages * hour as usize, messages * (hour as usize + 1));
        for _ in from / HOURS as usize..to / HOURS as usize {
            people.talk(&*chat, &mut dice)?;
        }
        if hour % 3 == 0 {
            people.think_again(&*chat)?;
        }
        match hour {
            2 | 9 | 17 => sheet.moves(0),
            4 => sheet.add(),
            11 => sheet.moves(12),
            _ => {}
        }
        place.save("programme.csv", sheet.csv().as_bytes())?;
        if hour % 4 == 1 {
            let pass = place.run(&["sync"])?;
            ensure!(pass.json.is_object() && pass.json["done"] == 0, "{pass:?}");
        }
    }
    chat.cut_off(false);
    let back = Instant::now();
    let pass = place.run(&["sync", "--wait", "90s"])?;
    ensure!(matches!(pass.code, 0 | 3), "{}", pass.stderr);
    let caught_up = back.elapsed();
    let held = settle(&mut place, &mut *chat, &mut now, &sheet)?;
    ensure!(held.is_empty(), "set aside: {held:?}");

    let (weeks, others): (Vec<Said>, Vec<Said>) = announced(&*chat)?
        .into_iter()
        .partition(|said| said.text.contains(WEEK));
    ensure!(
        weeks.len() == 1,
        "of two round-ups the older is skipped: {weeks:#?}"
    );
    let (announcements, replies) = check(&others, &sheet)?;
    ensure!(
        replies == 1,
        "three moves are one reply, a new line's none: {others:#?}"
    );
    let heard = people.check(&place)?;
    Ok(Gap {
        heard,
        announcements,
        took: began.elapsed(),
        caught_up,
    })
}

/// What Raccord said.
fn announced(chat: &dyn Chat) -> Result<Vec<Said>> {
    let mut all = chat.standing()?;
    all.retain(|said| said.ours);
    Ok(all)
}

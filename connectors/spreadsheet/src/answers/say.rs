//! What is told about a sheet of answers. Nobody's name or address is quoted.

use raccord_model::Words;

use crate::messages::{Said, en, fr};

/// Answers that were there and are not any more: what happened, and what to do.
pub(crate) fn gone(count: usize) -> (Said, Words) {
    let (fr, en) = match count {
        1 => (
            "Une réponse qui était dans le tableau n’y est plus. L’inscription reste\u{a0}: une ligne effacée n’annule rien."
                .to_owned(),
            "An answer that was in the sheet is not there any more. The sign-up stays: a deleted line cancels nothing."
                .to_owned(),
        ),
        _ => (
            format!(
                "{count} réponses qui étaient dans le tableau n’y sont plus. Les inscriptions restent\u{a0}: une ligne effacée n’annule rien."
            ),
            format!(
                "{count} answers that were in the sheet are not there any more. The sign-ups stay: a deleted line cancels nothing."
            ),
        ),
    };
    let mend = Words::new(
        "Si ces personnes ne viennent pas, désinscrivez-les sur la page de l’activité, ou remettez leur ligne avec «\u{a0}Non\u{a0}». Sinon remettez leur ligne.",
        "If those people do not come, sign them off on the activity’s page, or put their line back with “No”. Otherwise put their line back.",
    );
    (("answers-gone", Words::new(fr, en)), mend)
}

pub(crate) fn poll_of_days() -> Said {
    (
        "poll-of-days",
        Words::new(
            "Ce sondage propose des jours, et rien ne dit pour quelle activité. La personne qui s’occupe de Raccord l’écrit sous «\u{a0}answers\u{a0}» dans sa configuration (activity), par exemple «\u{a0}Permanence\u{a0}».",
            "This poll offers days, and nothing says of which activity. Whoever keeps Raccord writes it under “answers” in its configuration (activity), for example “Open hours”.",
        ),
    )
}

pub(crate) fn address() -> Said {
    (
        "answer-address",
        Words::new(
            "Ce n’est pas une adresse électronique. Corrigez-la dans la réponse, par exemple anna@example.org. En attendant, la personne est inscrite sous son nom, si elle en a donné un.",
            "This is no e-mail address. Correct it in the answer, for example anna@example.org. Until then the person is signed up under their name, if they gave one.",
        ),
    )
}

pub(crate) fn nobody() -> Said {
    (
        "answer-nobody",
        Words::new(
            "Cette réponse ne dit ni nom ni adresse\u{a0}: personne n’est inscrit. Demandez l’un des deux dans le formulaire.",
            "This answer says neither a name nor an address: nobody is signed up. Ask for one of them in the form.",
        ),
    )
}

pub(crate) fn unclear(found: &str) -> Said {
    (
        "answer-unclear",
        Words::new(
            format!(
                "{}\u{a0}: est-ce oui ou non\u{202f}? Écrivez Oui ou Non. En attendant, rien ne change.",
                fr(found)
            ),
            format!(
                "{}: is that yes or no? Write Yes or No. Until then, nothing changes.",
                en(found)
            ),
        ),
    )
}

/// The same of a cell of a poll. What looks like one may be a list of people: it is not quoted.
pub(crate) fn unclear_vote() -> Said {
    (
        "answer-unclear",
        Words::new(
            "Cette case ne dit ni oui ni non. Écrivez Oui ou Non. En attendant, rien ne change.",
            "This cell says neither yes nor no. Write Yes or No. Until then, nothing changes.",
        ),
    )
}

pub(crate) fn for_nothing() -> Said {
    (
        "answer-for-nothing",
        Words::new(
            "Cette réponse ne dit pas pour quelle activité. Ajoutez une question «\u{a0}Activité\u{a0}» au formulaire, ou la personne qui s’occupe de Raccord l’écrit sous «\u{a0}answers\u{a0}» dans sa configuration.",
            "This answer does not say for which activity. Add a question “Activity” to the form, or whoever keeps Raccord writes it under “answers” in its configuration.",
        ),
    )
}

pub(crate) fn unknown(title: &str) -> Said {
    (
        "answer-unknown",
        Words::new(
            format!(
                "{}\u{a0}: rien au programme ne s’appelle ainsi. Écrivez le titre comme dans le programme, par exemple «\u{a0}Bal folk\u{a0}». Ces réponses attendent, aucune n’est perdue.",
                fr(title)
            ),
            format!(
                "{}: nothing in the programme is called that. Write the title as in the programme, for example “Folk ball”. These answers wait, none is lost.",
                en(title)
            ),
        ),
    )
}

pub(crate) fn ambiguous(title: &str, several: usize) -> Said {
    (
        "answer-ambiguous",
        Words::new(
            format!(
                "{}\u{a0}: {several} à venir s’appellent ainsi. Ajoutez au formulaire une question «\u{a0}Date\u{a0}», par exemple 02/01/2027. Ces réponses attendent, aucune n’est perdue.",
                fr(title)
            ),
            format!(
                "{}: {several} coming ones are called that. Add a question “Date” to the form, for example 02/01/2027. These answers wait, none is lost.",
                en(title)
            ),
        ),
    )
}

pub(crate) fn elsewhere(title: &str, keeper: &str) -> Said {
    (
        "answer-elsewhere",
        Words::new(
            format!(
                "{}\u{a0}: les inscriptions se prennent dans «\u{a0}{keeper}\u{a0}», qui compte ses places. Inscrivez ces personnes là-bas, ou n’y envoyez plus cette activité.",
                fr(title)
            ),
            format!(
                "{}: sign-ups are taken in “{keeper}”, which counts its places. Sign these people up there, or do not send this activity there any more.",
                en(title)
            ),
        ),
    )
}

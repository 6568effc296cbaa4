//! What a letter says beside the programme, in French and in English.

use raccord_kit::SignIn;
use raccord_model::{Lang, Words};
use serde_json::{Value, json};

/// The words that templates can name.
pub(crate) fn all(lang: Lang, place: &str, own_list: bool) -> Value {
    let said = |fr: &str, en: &str| Words::new(fr, en).get(lang).to_owned();
    let why = if own_list {
        Words::new(
            format!("Vous recevez cette lettre parce que vous l’avez demandée à {place}."),
            format!("You receive this letter because you asked {place} for it."),
        )
    } else {
        Words::new(
            format!("Le programme de {place}, envoyé à cette liste."),
            format!("The programme of {place}, sent to this list."),
        )
    };
    json!({
        "colon": said(" :", ":"),
        "cancelled": said("annulé", "cancelled"),
        "tentative": said("à confirmer", "to be confirmed"),
        "full": said("complet", "full"),
        "register": said("S’inscrire", "Sign up"),
        "hands": said("On cherche encore des mains", "Hands still missing"),
        "one_missing": said("personne manque", "person missing"),
        "many_missing": said("personnes manquent", "people missing"),
        "one_more": said("autre activité sur le programme complet.", "more activity in the whole programme."),
        "many_more": said("autres activités sur le programme complet.", "more activities in the whole programme."),
        "help": said("Je viens aider", "I can help"),
        "nothing": said("Rien n’est prévu ces jours-là.", "Nothing takes place on these days."),
        "leave": said("Ne plus recevoir cette lettre", "Stop receiving this letter"),
        "why": why.get(lang),
    })
}

/// The label of the link to the whole programme.
pub(crate) fn programme(lang: Lang) -> &'static str {
    match lang {
        Lang::Fr => "Tout le programme",
        Lang::En => "The whole programme",
    }
}

/// The label of the link to what is printed.
pub(crate) fn printed(lang: Lang) -> &'static str {
    match lang {
        Lang::Fr => "Le programme à imprimer (PDF)",
        Lang::En => "The programme to print (PDF)",
    }
}

/// The label of the link to the calendar.
pub(crate) fn calendar(lang: Lang) -> &'static str {
    match lang {
        Lang::Fr => "Le programme dans votre agenda",
        Lang::En => "The programme in your calendar",
    }
}

/// What mail programs show beside the subject.
pub(crate) fn preview(lang: Lang, count: usize, titles: &str) -> String {
    match (lang, count) {
        (_, 0) => String::new(),
        (Lang::Fr, 1) => format!("Un rendez-vous : {titles}"),
        (Lang::En, 1) => format!("One date: {titles}"),
        (Lang::Fr, n) => format!("{n} rendez-vous : {titles}"),
        (Lang::En, n) => format!("{n} dates: {titles}"),
    }
}

/// The mail with the link by which somebody confirms: subject and text.
pub(crate) fn confirmation(link: &SignIn, place: &str) -> (String, String) {
    let address = &link.address;
    match link.lang {
        Lang::Fr => (
            format!("Confirmez : la lettre de {place}"),
            format!(
                "Bonjour,\n\nQuelqu’un, sans doute vous, a demandé la lettre de {place} à cette adresse. Pour la recevoir, ouvrez ce lien, puis appuyez sur le bouton :\n\n{address}\n\nIl sert dans les deux jours. Si vous n’avez rien demandé, ne faites rien : vous ne recevrez rien, et votre adresse n’est pas gardée.\n\n{place}\n"
            ),
        ),
        Lang::En => (
            format!("Please confirm: the letter of {place}"),
            format!(
                "Hello,\n\nSomebody, probably you, asked for the letter of {place} at this address. To receive it, open this link and press the button:\n\n{address}\n\nIt is good for two days. If you did not ask for it, do nothing: you will receive nothing, and your address is not kept.\n\n{place}\n"
            ),
        ),
    }
}

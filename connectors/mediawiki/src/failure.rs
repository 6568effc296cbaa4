//! What MediaWiki refuses, by its own codes, each with what to do.

use raccord_model::{Blame, Failure, Words};

/// The wiki has forgotten who we are: log in again.
pub(crate) const FORGOTTEN: &str = "mediawiki.forgotten";
/// Somebody was faster.
pub(crate) const CONFLICT: &str = "mediawiki.conflict";
/// How long a wiki is left alone that says it is behind and not for how long, in milliseconds.
const BEHIND_MS: i64 = 5_000;

fn of(blame: Blame, code: &str, text: Words, mend: Words) -> Failure {
    Failure::new(blame, format!("mediawiki.{code}"), text, mend)
}

fn asks(code: &str, text: Words, mend: Words) -> Failure {
    Failure {
        asks: true,
        ..of(Blame::Data, code, text, mend)
    }
}

/// A refusal, by the wiki's own code for it.
pub(crate) fn refusal(host: &str, code: &str, asked_ms: Option<i64>) -> Failure {
    match code {
        "assertuserfailed" | "assertbotfailed" | "badtoken" | "notloggedin" => of(
            Blame::Transient,
            "forgotten",
            Words::new(
                format!("{host} a oublié la connexion de Raccord."),
                format!("{host} has forgotten Raccord’s login."),
            ),
            by_itself(),
        ),
        "editconflict" | "articleexists" | "missingtitle" | "pagedeleted" => of(
            Blame::Transient,
            "conflict",
            Words::new(
                format!("Quelqu’un écrit la même page de {host} au même moment."),
                format!("Somebody writes the same page of {host} at the same moment."),
            ),
            by_itself(),
        ),
        "maxlag" | "ratelimited" | "readonly" | "internal_api_error_DBQueryError" => Failure {
            retry_after_ms: Some(asked_ms.unwrap_or(BEHIND_MS)),
            ..of(
                Blame::Transient,
                "busy",
                Words::new(
                    format!("{host} demande d’attendre ({code})."),
                    format!("{host} asks to wait ({code})."),
                ),
                by_itself(),
            )
        },
        "blocked" | "autoblocked" | "permissiondenied" | "protectedpage" | "cantcreate"
        | "readapidenied" | "writeapidenied" | "noedit" | "cascadeprotected"
        | "protectednamespace" => no_right(host),
        "captcha" => captcha(host),
        _ if code.starts_with("internal_api_error") => of(
            Blame::Transient,
            "unwell",
            Words::new(
                format!("{host} ne va pas bien."),
                format!("{host} is not well."),
            ),
            by_itself(),
        ),
        _ => of(
            Blame::Data,
            "rejected",
            Words::new(
                format!(
                    "{host} refuse la page ({})\u{a0}: un filtre du wiki, peut-être.",
                    plain(code)
                ),
                format!(
                    "{host} refuses the page ({}): a filter of the wiki, perhaps.",
                    plain(code)
                ),
            ),
            Words::new(
                "Demandez à qui administre le wiki ce qui ne lui va pas, puis tapez\u{a0}: raccord retry",
                "Ask whoever administers the wiki what it dislikes, then type: raccord retry",
            ),
        ),
    }
}

/// A code as it may be shown.
fn plain(code: &str) -> String {
    code.chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
        .take(60)
        .collect()
}

fn by_itself() -> Words {
    Words::new(
        "Rien à faire\u{a0}: Raccord réessaie de lui-même.",
        "Nothing to do: Raccord tries again by itself.",
    )
}

/// The password is not good, by now. It is not shown again for a while.
pub(crate) fn credentials(host: &str) -> Failure {
    of(
        Blame::Access,
        "credentials",
        Words::new(
            format!(
                "{host} ne reconnaît pas le compte\u{a0}: le nom ou le mot de passe de robot est faux, ou révoqué."
            ),
            format!(
                "{host} does not know the account: the name or the bot password is wrong, or revoked."
            ),
        ),
        Words::new(
            "Dans le wiki, page Spécial:BotPasswords\u{a0}: créez-en un\u{202f}; «\u{a0}user\u{a0}» est Compte@nom, et le mot de passe les 32 caractères montrés une fois. Raccord reprend de lui-même.",
            "In the wiki, page Special:BotPasswords: make one; “user” is Account@name, and the password the 32 characters shown once. Raccord resumes by itself.",
        ),
    )
}

/// The account may not edit there.
pub(crate) fn no_right(host: &str) -> Failure {
    of(
        Blame::Access,
        "may-not-edit",
        Words::new(
            format!("Le compte de Raccord ne peut pas écrire cette page de {host}."),
            format!("Raccord’s account may not write this page of {host}."),
        ),
        Words::new(
            "Spécial:BotPasswords, celui de Raccord\u{a0}: cochez «\u{a0}Modifier des pages existantes\u{a0}» et «\u{a0}Créer, modifier et déplacer des pages\u{a0}»\u{202f}; sinon la page est protégée, ou le compte bloqué.",
            "Special:BotPasswords, Raccord’s: tick “Edit existing pages” and “Create, edit, and move pages”; else the page is protected, or the account blocked.",
        ),
    )
}

/// The wiki wants to see a person.
pub(crate) fn captcha(host: &str) -> Failure {
    of(
        Blame::Access,
        "captcha",
        Words::new(
            format!("{host} demande à Raccord de recopier une image."),
            format!("{host} asks Raccord to copy a picture."),
        ),
        Words::new(
            "Demandez à qui administre le wiki de dispenser ce compte (groupe «\u{a0}robots\u{a0}», droit «\u{a0}skipcaptcha\u{a0}»).",
            "Ask whoever administers the wiki to spare this account (group “bots”, right “skipcaptcha”).",
        ),
    )
}

/// An edit was refused without a code.
pub(crate) fn refused(title: &str, host: &str) -> Failure {
    of(
        Blame::Data,
        "refused",
        Words::new(
            format!("{host} n’a pas pris la page «\u{a0}{title}\u{a0}», sans dire pourquoi."),
            format!("{host} did not take the page “{title}”, and does not say why."),
        ),
        Words::new(
            "Demandez à qui administre le wiki si une modération retient la page, puis tapez\u{a0}: raccord retry",
            "Ask whoever administers the wiki whether moderation holds the page back, then type: raccord retry",
        ),
    )
}

/// Something else answers at that address.
pub(crate) fn no_wiki(host: &str) -> Failure {
    of(
        Blame::Transient,
        "no-wiki",
        Words::new(
            format!("Ce qui répond à {host} n’est pas un wiki MediaWiki, ou cache son interface."),
            format!("What answers at {host} is no MediaWiki, or hides its interface."),
        ),
        Words::new(
            "Écrivez dans «\u{a0}url\u{a0}» l’adresse de l’accueil du wiki, telle que le navigateur la montre.",
            "Write in “url” the address of the wiki’s main page, as the browser shows it.",
        ),
    )
}

/// A password is missing in the configuration.
pub(crate) fn no_password() -> Failure {
    of(
        Blame::Access,
        "no-password",
        Words::new(
            "Aucun mot de passe de robot n’est donné.",
            "No bot password is given.",
        ),
        Words::new(
            "Ajoutez «\u{a0}password_file\u{a0}», avec un mot de passe de robot (Spécial:BotPasswords).",
            "Add “password_file”, with a bot password (Special:BotPasswords).",
        ),
    )
}

/// No page can be called that.
pub(crate) fn bad_title(title: &str) -> Failure {
    of(
        Blame::Data,
        "bad-title",
        Words::new(
            format!("Aucune page ne peut s’appeler «\u{a0}{title}\u{a0}»."),
            format!("No page can be called “{title}”."),
        ),
        Words::new(
            "Dans «\u{a0}page\u{a0}», n’écrivez ni # < > [ ] | { } ni deux points au début.",
            "In “page”, write neither # < > [ ] | { } nor a colon at the beginning.",
        ),
    )
}

/// Somebody deleted the page.
pub(crate) fn removed(title: &str, host: &str) -> Failure {
    asks(
        "removed-by-hand",
        Words::new(
            format!(
                "La page «\u{a0}{title}\u{a0}», ou la partie de Raccord, a été enlevée de {host} par quelqu’un."
            ),
            format!("Somebody took the page “{title}”, or Raccord’s part of it, off {host}."),
        ),
        Words::new(
            "Si elle doit y être, rétablissez une version de l’historique qui contient les marques de Raccord, puis dites oui. Sinon dites non.",
            "If it should be there, restore a version of its history that holds Raccord’s marks, then say yes. Else say no.",
        ),
    )
}

/// Somebody changed our part.
pub(crate) fn edited(title: &str, host: &str) -> Failure {
    asks(
        "edited-by-hand",
        Words::new(
            format!(
                "Sur la page «\u{a0}{title}\u{a0}» de {host}, quelqu’un a changé la partie de Raccord, et le programme a changé aussi."
            ),
            format!(
                "On the page “{title}” of {host} somebody changed Raccord’s part, and the programme changed, too."
            ),
        ),
        Words::new(
            "Portez ce changement dans le programme, videz la partie entre les deux marques, puis dites oui\u{a0}: Raccord la récrit. Pour la laisser, dites non.",
            "Bring that change into the programme, empty the part between the two marks, then say yes: Raccord writes it again. To leave it, say no.",
        ),
    )
}

/// The page changed again while it was written.
pub(crate) fn contended(title: &str) -> Failure {
    of(
        Blame::Transient,
        "contended",
        Words::new(
            format!("La page «\u{a0}{title}\u{a0}» change pendant que Raccord l’écrit."),
            format!("The page “{title}” changes while Raccord writes it."),
        ),
        by_itself(),
    )
}

/// Something of ours has not the form that we give it.
pub(crate) fn bug(what: &str) -> Failure {
    of(
        Blame::Bug,
        "bug",
        Words::new(
            format!("Raccord s’est trompé de forme ({what})."),
            format!("Raccord made something of the wrong form ({what})."),
        ),
        Words::new(
            "C’est une faute de Raccord\u{a0}: signalez-la avec ce que montre «\u{a0}raccord why\u{a0}».",
            "This is a fault of Raccord: report it with what `raccord why` shows.",
        ),
    )
}

//! What OCECO refuses, told apart as far as it does: a wrong token is an accident (500) with its own
//! words, what is not there is a success (200) that says `status: false`, and what Meteor refuses has
//! a name of its own (400). And what people are told besides.

use std::io;
use std::path::Path;

use http::StatusCode;
use raccord_kit::http::{Answer, Http};
use raccord_kit::{Finding, Level};
use raccord_look::clean;
use raccord_model::{Blame, Failure, Words};
use serde::Deserialize;

use crate::settings::Chat;

/// What a call wanted to do; the same refusal means different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    /// Only looks.
    Reading,
    /// Makes something new: a repeat is not harmless.
    Creating,
}

/// What an answer says beside its status.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Refusal {
    /// Of the door: who we are was not taken.
    auth: Option<bool>,
    /// Meteor's name of the refusal.
    error: Option<String>,
    reason: Option<String>,
}

/// A failure of this connector.
fn of(blame: Blame, code: &str, text: Words, mend: Words) -> Failure {
    Failure::new(blame, format!("oceco.{code}"), text, mend)
}

/// A question: nothing was done.
fn asks(code: &str, text: Words, mend: Words) -> Failure {
    Failure {
        asks: true,
        ..of(Blame::Data, code, text, mend)
    }
}

fn warning(place: &str, code: &str, text: Words, mend: Words) -> Finding {
    Finding {
        place: place.to_owned(),
        code: format!("oceco.{code}"),
        level: Level::Warning,
        text,
        mend,
    }
}

/// The failure a refusal amounts to.
pub(crate) fn refusal(http: &Http, answer: &Answer, doing: Doing) -> Failure {
    let host = answer.target.host();
    let usual: Failure = http.refusal(answer, doing == Doing::Creating).into();
    let said: Refusal = serde_json::from_slice(&answer.body).unwrap_or_default();
    let at_the_door = said.auth == Some(false);
    match answer.status {
        _ if answer.redirected => no_oceco(host),
        StatusCode::INTERNAL_SERVER_ERROR if at_the_door => token(host),
        StatusCode::FORBIDDEN if at_the_door => no_user(host),
        // It may have been made before OCECO stumbled, over telling people of it, say.
        StatusCode::INTERNAL_SERVER_ERROR if doing == Doing::Creating => Failure {
            blame: Blame::Unknown,
            ..stumbled(host)
        },
        StatusCode::INTERNAL_SERVER_ERROR if said.error.is_some() => stumbled(host),
        StatusCode::BAD_REQUEST => match said.error.as_deref() {
            Some(name) if name.starts_with("not-authorized") => no_rights(host),
            Some("scope-not-exist") => no_element(host, "parent"),
            Some(name) => {
                let reason = said.reason.as_deref().unwrap_or_default();
                not_taken(host, &format!("{name} {reason}"))
            }
            None => usual,
        },
        StatusCode::NOT_FOUND => no_oceco(host),
        _ => usual,
    }
}

/// The key that a failure of the first look is about.
pub(crate) fn place_of(failure: &Failure) -> &'static str {
    match failure.code.as_str() {
        "oceco.token" => "token_file",
        "oceco.no-user" | "oceco.no-rights" => "user",
        "oceco.no-element" => "organization",
        _ => "url",
    }
}

/// What it needs, said in the manifest.
pub(crate) fn rights() -> Words {
    Words::new(
        "Le jeton « ocecoApiToken » du serveur, qui peut agir au nom de n’importe qui\u{a0}; un compte Communecter à part, administrateur du projet qui tient les actions\u{a0}; pour savoir qui est venu, l’adresse et le mot de passe d’un compte administrateur de l’organisation.",
        "The server’s token “ocecoApiToken”, which can act as anybody; a Communecter account of its own that administers the project holding the actions; to know who came, the address and password of an account that administers the organisation.",
    )
}

/// The token is not the server's, by now. It is not shown again for a while.
pub(crate) fn token(host: &str) -> Failure {
    of(
        Blame::Access,
        "token",
        Words::new(
            format!("{host} n’accepte pas ce jeton."),
            format!("{host} does not accept this token."),
        ),
        Words::new(
            "Demandez à qui héberge OCECO la valeur de «\u{a0}ocecoApiToken\u{a0}» (ses réglages Meteor), et mettez-la dans le fichier de «\u{a0}token_file\u{a0}». Raccord reprend de lui-même.",
            "Ask whoever hosts OCECO for the value of “ocecoApiToken” (its Meteor settings), and put it into the file of “token_file”. Raccord resumes by itself.",
        ),
    )
}

/// No token is given.
pub(crate) fn no_token() -> Failure {
    of(
        Blame::Access,
        "no-token",
        Words::new(
            "Aucun jeton n’est donné\u{a0}: sans lui, OCECO ne répond à aucun programme.",
            "No token is given: without one OCECO answers no program.",
        ),
        Words::new(
            "Ajoutez «\u{a0}token_file\u{a0}», avec le jeton «\u{a0}ocecoApiToken\u{a0}» du serveur.",
            "Add “token_file”, with the server’s token “ocecoApiToken”.",
        ),
    )
}

fn no_user(host: &str) -> Failure {
    of(
        Blame::Access,
        "no-user",
        Words::new(
            format!("{host} ne connaît pas le compte de «\u{a0}user\u{a0}»."),
            format!("{host} does not know the account of “user”."),
        ),
        Words::new(
            "Connectez-vous une fois à Communecter avec ce compte, ouvrez son profil, et copiez dans «\u{a0}user\u{a0}» les 24 signes à la fin de l’adresse de la page.",
            "Sign in to Communecter once with that account, open its profile, and copy the 24 signs at the end of the page’s address into “user”.",
        ),
    )
}

fn no_rights(host: &str) -> Failure {
    of(
        Blame::Access,
        "no-rights",
        Words::new(
            format!("{host} ne laisse pas ce compte créer des actions là."),
            format!("{host} does not let this account make actions there."),
        ),
        Words::new(
            "Dans Communecter, faites du compte de «\u{a0}user\u{a0}» un administrateur du projet (ou de l’organisation), et vérifiez que l’organisation se sert d’OCECO.",
            "In Communecter make the account of “user” an administrator of the project (or of the organisation), and see that the organisation uses OCECO.",
        ),
    )
}

/// The organisation or the project is not there.
pub(crate) fn no_element(host: &str, kind: &str) -> Failure {
    let (fr, en) = match kind {
        "projects" => ("ce projet", "this project"),
        "organizations" => ("cette organisation", "this organisation"),
        _ => ("ce qui tient les actions", "what holds the actions"),
    };
    of(
        Blame::Data,
        "no-element",
        Words::new(
            format!("{host} ne connaît pas {fr}."),
            format!("{host} does not know {en}."),
        ),
        Words::new(
            "Ouvrez sa page dans Communecter et copiez les 24 signes à la fin de son adresse dans «\u{a0}organization\u{a0}» ou «\u{a0}project\u{a0}».",
            "Open its page in Communecter and copy the 24 signs at the end of its address into “organization” or “project”.",
        ),
    )
}

fn stumbled(host: &str) -> Failure {
    of(
        Blame::Transient,
        "stumbled",
        Words::new(
            format!("{host} a trébuché sur la demande (500) et ne dit pas sur quoi."),
            format!("{host} stumbled over the request (500) and does not say over what."),
        ),
        Words::new(
            "Si cela dure\u{a0}: dans Communecter, vérifiez que le projet de «\u{a0}project\u{a0}» est lié à une organisation qui se sert d’OCECO.",
            "If it lasts: in Communecter see that the project of “project” is linked to an organisation that uses OCECO.",
        ),
    )
}

/// OCECO does not take this action, and says why in its own words.
pub(crate) fn not_taken(host: &str, reason: &str) -> Failure {
    let reason = clean::line(reason, 120);
    of(
        Blame::Data,
        "not-taken",
        Words::new(
            format!("{host} refuse cette action\u{a0}: {reason}."),
            format!("{host} refuses this action: {reason}."),
        ),
        Words::new(
            "Corrigez la tâche d’après ces mots, puis\u{a0}: raccord retry",
            "Mend the task by these words, then: raccord retry",
        ),
    )
}

/// Something else answers at that address.
pub(crate) fn no_oceco(host: &str) -> Failure {
    of(
        Blame::Transient,
        "no-oceco",
        Words::new(
            format!("Ce qui répond à {host} n’est pas l’API d’OCECO."),
            format!("What answers at {host} is not OCECO’s API."),
        ),
        Words::new(
            "Écrivez dans «\u{a0}url\u{a0}» l’adresse de votre OCECO, sans rien après le nom\u{a0}; l’API y est depuis 2020.",
            "Write in “url” the address of your OCECO, with nothing after the name; it has the API since 2020.",
        ),
    )
}

/// An action says something else than it should (`wanted`, in a few words), and no route changes it.
pub(crate) fn differs(title: &str, wanted: &str, people: usize) -> Failure {
    let (fr, en) = people_there(people);
    asks(
        "differs",
        Words::new(
            format!("L’action «\u{a0}{title}\u{a0}» d’OCECO n’est plus comme il faut{fr}."),
            format!("OCECO’s action “{title}” is not as it should be any more{en}."),
        ),
        Words::new(
            format!(
                "Modifiez-la dans OCECO\u{a0}: «\u{a0}{wanted}\u{a0}», et sa description. La question se ferme d’elle-même."
            ),
            format!(
                "Edit it in OCECO: “{wanted}”, and its description. The question closes by itself."
            ),
        ),
    )
}

/// An action that should be there, changed, is shown no more.
pub(crate) fn hidden(title: &str, host: &str) -> Failure {
    asks(
        "hidden",
        Words::new(
            format!(
                "La tâche «\u{a0}{title}\u{a0}» a changé, et {host} ne montre plus son action\u{a0}: elle est faite, passée ou désactivée."
            ),
            format!(
                "The task “{title}” changed, and {host} does not show its action any more: it is done, past or switched off."
            ),
        ),
        Words::new(
            "Dans OCECO, remettez-la «\u{a0}à faire\u{a0}» avec les nouvelles dates, ou laissez-la ainsi et répondez non.",
            "In OCECO make it “to do” again with the new dates, or leave it and answer no.",
        ),
    )
}

/// An action is not wanted any more, and no route takes it away.
pub(crate) fn goes(title: &str, host: &str, people: usize) -> Failure {
    let title = clean::line(title, 200);
    let (fr, en) = people_there(people);
    asks(
        "goes",
        Words::new(
            format!(
                "La tâche «\u{a0}{title}\u{a0}» n’a plus lieu, et son action est toujours sur {host}{fr}."
            ),
            format!(
                "The task “{title}” does not take place any more, and its action is still on {host}{en}."
            ),
        ),
        Words::new(
            "Ouvrez-la dans OCECO, prévenez qui l’a prise, «\u{a0}Désactiver\u{a0}». La question se ferme d’elle-même.",
            "Open it in OCECO, tell those who took it, “Disable”. The question closes by itself.",
        ),
    )
}

fn people_there(people: usize) -> (String, String) {
    match people {
        0 => (String::new(), String::new()),
        1 => (
            " (une personne l’a prise)".into(),
            " (one person took it)".into(),
        ),
        _ => (
            format!(" ({people} personnes l’ont prise)"),
            format!(" ({people} people took it)"),
        ),
    }
}

/// The account that reads the log is refused. It is not shown again for a while.
pub(crate) fn password(host: &str) -> Failure {
    of(
        Blame::Access,
        "password",
        Words::new(
            format!(
                "{host} n’accepte pas l’adresse et le mot de passe du compte qui lit les validations."
            ),
            format!(
                "{host} does not accept the address and password of the account that reads validations."
            ),
        ),
        Words::new(
            "Connectez-vous à OCECO avec «\u{a0}email\u{a0}», changez au besoin le mot de passe, et mettez-le dans le fichier de «\u{a0}password_file\u{a0}».",
            "Sign in to OCECO with “email”, change the password if need be, and put it into the file of “password_file”.",
        ),
    )
}

/// The account does not administer the organisation.
pub(crate) fn no_log(host: &str) -> Failure {
    of(
        Blame::Access,
        "no-log",
        Words::new(
            format!(
                "{host} ne montre pas à ce compte les validations des membres\u{a0}: il n’administre pas l’organisation."
            ),
            format!(
                "{host} does not show this account whose actions were validated: it does not administer the organisation."
            ),
        ),
        Words::new(
            "Dans Communecter, faites du compte de «\u{a0}email\u{a0}» un administrateur de l’organisation.",
            "In Communecter make the account of “email” an administrator of the organisation.",
        ),
    )
}

/// The conversation over DDP ended.
pub(crate) fn log_broke(host: &str) -> Failure {
    of(
        Blame::Transient,
        "log-broke",
        Words::new(
            format!("{host} a coupé, ou n’a pas répondu, pendant la lecture des validations."),
            format!("{host} broke off, or did not answer, while validations were read."),
        ),
        Words::new(
            "Rien à faire si cela passe. Sinon, vérifiez que le serveur laisse passer les WebSockets (/websocket).",
            "Nothing to do if it passes. Otherwise see that the server lets WebSockets through (/websocket).",
        ),
    )
}

/// One of the two is missing.
pub(crate) fn half_an_account() -> Failure {
    of(
        Blame::Data,
        "half-an-account",
        Words::new(
            "«\u{a0}email\u{a0}» et «\u{a0}password_file\u{a0}» vont ensemble.",
            "“email” and “password_file” belong together.",
        ),
        Words::new(
            "Donnez les deux pour savoir quelles actions sont validées, ou aucun des deux.",
            "Give both to know which actions were validated, or neither.",
        ),
    )
}

/// Something that should name a thing of Communecter's does not.
pub(crate) fn no_identifier(key: &str) -> Failure {
    of(
        Blame::Data,
        "no-identifier",
        Words::new(
            format!("Ce que dit «\u{a0}{key}\u{a0}» n’est pas un identifiant de Communecter."),
            format!("What “{key}” says is no identifier of Communecter’s."),
        ),
        Words::new(
            "Ce sont 24 signes, de 0 à 9 et de a à f, à la fin de l’adresse de la page, par exemple 5e736fd6b6ebaf0d008b4579.",
            "It has 24 signs, 0 to 9 and a to f, at the end of the page’s address, for example 5e736fd6b6ebaf0d008b4579.",
        ),
    )
}

/// The list would be read without a pause.
pub(crate) fn too_often() -> Failure {
    of(
        Blame::Data,
        "too-often",
        Words::new(
            "La clé «\u{a0}every\u{a0}» lirait les actions sans arrêt\u{a0}: leur liste est entière à chaque fois.",
            "The key “every” would read the actions all the time: their list is whole each time.",
        ),
        Words::new(
            "Écrivez trente secondes ou plus, par exemple \"5m\".",
            "Write thirty seconds or more, for example \"5m\".",
        ),
    )
}

/// The file that says who is who cannot be read.
pub(crate) fn no_people(path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    of(
        Blame::Data,
        "no-people",
        Words::new(
            format!(
                "Le fichier des personnes ne se lit pas ({path}\u{a0}: {error})\u{a0}: personne ne serait inscrit."
            ),
            format!(
                "The file of people cannot be read ({path}: {error}): nobody would be signed up."
            ),
        ),
        Words::new(
            "Créez-le, vide au besoin\u{a0}; sur chaque ligne, un identifiant Communecter, une espace, une adresse.",
            "Make it, empty if need be; on each line a Communecter identifier, a space, an address.",
        ),
    )
}

/// It is too long to be one.
pub(crate) fn many_people(path: &Path) -> Failure {
    let path = path.display();
    of(
        Blame::Data,
        "many-people",
        Words::new(
            format!("Le fichier des personnes est trop long ({path}\u{a0}: plus d’un mégaoctet)."),
            format!("The file of people is too long ({path}: more than a megabyte)."),
        ),
        Words::new(
            "Ce doit être le mauvais fichier\u{a0}: une ligne par personne suffit.",
            "It must be the wrong file: one line for each person will do.",
        ),
    )
}

/// Lines of that file say nothing.
pub(crate) fn unread_people(lines: &[usize]) -> Finding {
    let shown: Vec<String> = lines.iter().take(20).map(ToString::to_string).collect();
    let shown = shown.join(", ");
    warning(
        "people_file",
        "unread-people",
        Words::new(
            format!(
                "Des lignes du fichier des personnes ne disent pas qui est qui\u{a0}: {shown}."
            ),
            format!("Lines of the file of people do not say who is who: {shown}."),
        ),
        Words::new(
            "Écrivez un identifiant et une adresse, par exemple «\u{a0}5e736fd6b6ebaf0d008b4579 anna@example.org\u{a0}»\u{a0}; un compte n’est qu’à une personne.",
            "Write an identifier and an address, for example “5e736fd6b6ebaf0d008b4579 anna@example.org”; an account is one person’s only.",
        ),
    )
}

/// Who took actions is not known here.
pub(crate) fn strangers(host: &str, accounts: &[String]) -> Finding {
    let (text, _) = unknown_people(host, accounts.len());
    let all = accounts.join(", ");
    warning(
        "people_file",
        "strangers",
        text,
        Words::new(
            format!(
                "Ouvrez le profil de chacun dans Communecter, assurez-vous de qui c’est, et ajoutez une ligne au fichier de «\u{a0}people_file\u{a0}»\u{a0}: {all}."
            ),
            format!(
                "Open each profile in Communecter, make sure who it is, and add a line to the file of “people_file”: {all}."
            ),
        ),
    )
}

/// The same, for organisers: who they are is not told.
pub(crate) fn unknown_people(host: &str, many: usize) -> (Words, Words) {
    let (fr, en) = match many {
        1 => ("Une personne a".to_owned(), "One person".to_owned()),
        _ => (format!("{many} personnes ont"), format!("{many} people")),
    };
    (
        Words::new(
            format!(
                "{fr} pris des actions sur {host} sans être connues ici\u{a0}: ni inscrites, ni créditées."
            ),
            format!(
                "{en} took actions on {host} and nobody knows here who that is: neither signed up nor credited."
            ),
        ),
        Words::new(
            "«\u{a0}raccord check\u{a0}» les nomme\u{a0}; confirmez qui c’est dans le fichier de «\u{a0}people_file\u{a0}». Ce qui est déjà pris ou validé compte aussitôt.",
            "`raccord check` names them; confirm who it is in the file of “people_file”. What is taken or validated already counts at once.",
        ),
    )
}

/// OCECO gave its credits more than once.
pub(crate) fn validated_twice(host: &str, many: usize) -> (Words, Words) {
    let (fr, en) = match many {
        1 => ("une personne".to_owned(), "one person".to_owned()),
        _ => (format!("{many} personnes"), format!("{many} people")),
    };
    (
        Words::new(
            format!(
                "Sur {host}, des actions ont été validées deux fois pour {fr}\u{a0}: OCECO y a donné ses crédits à chaque fois. Ici, une fois."
            ),
            format!(
                "On {host} actions were validated twice for {en}: OCECO gave its credits there each time. Here, once."
            ),
        ),
        Words::new(
            "Dans OCECO, retirez la différence à ces personnes («\u{a0}Historique\u{a0}» de la personne, crédits négatifs).",
            "In OCECO take the difference back from these people (the person’s “History”, negative credits).",
        ),
    )
}

/// Nobody reads validations.
pub(crate) fn no_attendance(chat: Chat) -> Finding {
    let (fr, en) = match chat {
        Chat::Raccord => (
            " Ni si OCECO poste lui aussi dans votre Rocket.Chat.",
            " Nor whether OCECO posts in your Rocket.Chat, too.",
        ),
        Chat::Oceco => ("", ""),
    };
    warning(
        "password_file",
        "no-attendance",
        Words::new(
            format!(
                "Sans compte pour lire les validations, Raccord sait qui a pris une action, et pas qui l’a faite.{fr}"
            ),
            format!(
                "Without an account to read validations, Raccord knows who took an action, and not who did it.{en}"
            ),
        ),
        Words::new(
            "Ajoutez «\u{a0}email\u{a0}» et «\u{a0}password_file\u{a0}», d’un compte qui administre l’organisation. Ou notez la présence dans Raccord, et décochez dans OCECO (l’organisation, «\u{a0}Paramètres OCECO\u{a0}») les notifications dans le chat.",
            "Add “email” and “password_file”, of an account that administers the organisation. Or note attendance in Raccord, and in OCECO (the organisation, “OCECO settings”) untick notifications in the chat.",
        ),
    )
}

/// A chat would be told twice.
pub(crate) fn both_post(host: &str) -> Finding {
    warning(
        "chat",
        "both-post",
        Words::new(
            format!(
                "{host} poste lui-même dans Rocket.Chat\u{a0}: avec les routes de Raccord, chaque action y serait dite deux fois."
            ),
            format!(
                "{host} posts in Rocket.Chat itself: with Raccord’s routes each action would be said there twice."
            ),
        ),
        Words::new(
            "Dans OCECO\u{a0}: l’organisation, «\u{a0}Paramètres OCECO\u{a0}», décochez les notifications dans le chat. Ou n’envoyez pas de tâches à Rocket.Chat (aucune route) et écrivez ici chat = \"oceco\".",
            "In OCECO: the organisation, “OCECO settings”, untick notifications in the chat. Or send no tasks to Rocket.Chat (no route) and write chat = \"oceco\" here.",
        ),
    )
}

/// No chat would be told.
pub(crate) fn nobody_posts(host: &str) -> Finding {
    warning(
        "chat",
        "nobody-posts",
        Words::new(
            format!("chat = \"oceco\" laisse le chat à {host}, qui n’y poste pas."),
            format!("chat = \"oceco\" leaves the chat to {host}, which does not post there."),
        ),
        Words::new(
            "Dans OCECO\u{a0}: l’organisation, «\u{a0}Paramètres OCECO\u{a0}», cochez les notifications dans le chat. Ou ôtez cette clé, et donnez une route vers Rocket.Chat.",
            "In OCECO: the organisation, “OCECO settings”, tick notifications in the chat. Or take this key out, and give a route to Rocket.Chat.",
        ),
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

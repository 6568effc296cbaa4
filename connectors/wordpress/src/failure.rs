//! What WordPress refuses, told apart by status and by its own code, each with what to click.

use http::StatusCode;
use raccord_kit::http::{Answer, Http};
use raccord_model::{Blame, Failure, Words};
use serde_json::Value;

/// What a call wanted to do; the same refusal means different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    /// Asks whether anybody is there.
    Asking,
    /// Only looks.
    Reading,
    /// Makes something new: a repeat is not harmless.
    Creating,
    /// Changes a post we know: a repeat is harmless.
    Changing,
}

fn of(blame: Blame, code: &str, text: Words, mend: Words) -> Failure {
    Failure::new(blame, format!("wordpress.{code}"), text, mend)
}

fn asks(code: &str, text: Words, mend: Words) -> Failure {
    Failure {
        asks: true,
        ..of(Blame::Data, code, text, mend)
    }
}

/// A refusal, in words.
pub(crate) fn refusal(http: &Http, answer: &Answer, doing: Doing) -> Failure {
    let host = answer.target.host();
    let usual: Failure = http.refusal(answer, doing == Doing::Creating).into();
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = said["code"].as_str().unwrap_or_default();
    match (answer.status, code) {
        (StatusCode::UNAUTHORIZED, _) => credentials(host),
        // A firewall before the site refuses with a page.
        (StatusCode::FORBIDDEN, "") => firewall(host),
        (StatusCode::FORBIDDEN, _) => forbidden(host),
        (StatusCode::NOT_FOUND, "rest_post_invalid_id")
        | (StatusCode::GONE, "rest_already_trashed") => Failure {
            absent: true,
            gone: false,
            ..usual
        },
        (StatusCode::NOT_FOUND, _) if doing != Doing::Changing => no_interface(host),
        _ => usual,
    }
}

/// The password is not good, by now. It is not shown again for a while.
pub(crate) fn credentials(host: &str) -> Failure {
    of(
        Blame::Access,
        "credentials",
        Words::new(
            format!(
                "{host} ne reconnaît pas le compte (401)\u{a0}: le mot de passe d’application est faux ou révoqué, ou le serveur ne le transmet pas à WordPress."
            ),
            format!(
                "{host} does not know the account (401): the application password is wrong or revoked, or the server does not hand it on to WordPress."
            ),
        ),
        Words::new(
            "Dans WordPress\u{a0}: Comptes, celui de Raccord, «\u{a0}Mots de passe d’application\u{a0}», ajoutez-en un et mettez-le dans le fichier de «\u{a0}password_file\u{a0}». Raccord reprend de lui-même.",
            "In WordPress: Users, Raccord’s, “Application Passwords”, add one and put it into the file of “password_file”. Raccord resumes by itself.",
        ),
    )
}

fn forbidden(host: &str) -> Failure {
    of(
        Blame::Access,
        "forbidden",
        Words::new(
            format!("{host} ne donne pas ce droit au compte de Raccord (403)."),
            format!("{host} does not give Raccord’s account this right (403)."),
        ),
        Words::new(
            "Dans WordPress\u{a0}: Comptes, celui de Raccord, rôle «\u{a0}Auteur\u{a0}»\u{202f}; puis tapez\u{a0}: raccord check",
            "In WordPress: Users, Raccord’s, role “Author”; then type: raccord check",
        ),
    )
}

fn firewall(host: &str) -> Failure {
    of(
        Blame::Access,
        "firewall",
        Words::new(
            format!("Un pare-feu devant {host} refuse l’appel (403), avant WordPress."),
            format!("A firewall before {host} refuses the call (403), before WordPress does."),
        ),
        Words::new(
            "Demandez à qui tient le site d’y laisser passer l’interface REST (/wp-json/) pour la machine de Raccord.",
            "Ask whoever keeps the site to let the REST interface (/wp-json/) through for Raccord’s machine.",
        ),
    )
}

fn no_interface(host: &str) -> Failure {
    of(
        Blame::Data,
        "no-interface",
        Words::new(
            format!(
                "{host} n’a pas d’interface REST (404)\u{a0}: WordPress est trop ancien, ou une extension l’éteint."
            ),
            format!(
                "{host} has no REST interface (404): WordPress is too old, or a plugin switches it off."
            ),
        ),
        Words::new(
            "Vérifiez «\u{a0}url\u{a0}»\u{202f}; sinon mettez WordPress à jour (5.6 au moins), ou rallumez l’interface REST dans l’extension de sécurité.",
            "Check “url”; else update WordPress (5.6 or later), or switch the REST interface on again in the security plugin.",
        ),
    )
}

/// Something else answers at that address.
pub(crate) fn no_wordpress(host: &str) -> Failure {
    of(
        Blame::Transient,
        "no-wordpress",
        Words::new(
            format!("Ce qui répond à {host} n’est pas WordPress."),
            format!("What answers at {host} is not WordPress."),
        ),
        Words::new(
            "Écrivez dans «\u{a0}url\u{a0}» l’adresse de l’accueil du site, telle que le navigateur la montre.",
            "Write in “url” the address of the site’s front page, as the browser shows it.",
        ),
    )
}

/// The site gives out no application passwords.
pub(crate) fn no_application_passwords(host: &str) -> Failure {
    of(
        Blame::Data,
        "no-application-passwords",
        Words::new(
            format!("{host} n’accepte pas de mots de passe d’application."),
            format!("{host} takes no application passwords."),
        ),
        Words::new(
            "WordPress ne les offre qu’en https, à partir de la version 5.6\u{202f}; une extension de sécurité peut aussi les éteindre.",
            "WordPress offers them over https only, from version 5.6 on; a security plugin may switch them off, too.",
        ),
    )
}

/// A password is missing in the configuration.
pub(crate) fn no_password() -> Failure {
    of(
        Blame::Access,
        "no-password",
        Words::new(
            "Aucun mot de passe d’application n’est donné.",
            "No application password is given.",
        ),
        Words::new(
            "Ajoutez «\u{a0}password_file\u{a0}», avec un mot de passe d’application du compte.",
            "Add “password_file”, with an application password of the account.",
        ),
    )
}

/// The account may not do what is needed.
pub(crate) fn no_right(host: &str, posts: bool) -> Failure {
    if posts {
        return of(
            Blame::Access,
            "may-not-publish",
            Words::new(
                format!("Le compte de Raccord sur {host} ne peut pas publier."),
                format!("Raccord’s account on {host} may not publish."),
            ),
            Words::new(
                "Dans WordPress\u{a0}: Comptes, celui de Raccord, rôle «\u{a0}Auteur\u{a0}»\u{202f}; ou écrivez posts = \"draft\".",
                "In WordPress: Users, Raccord’s, role “Author”; or write posts = \"draft\".",
            ),
        );
    }
    of(
        Blame::Access,
        "may-not-write",
        Words::new(
            format!(
                "Le compte de Raccord sur {host} ne peut pas écrire d’articles, ou pas changer ceux qui sont publiés."
            ),
            format!(
                "Raccord’s account on {host} may not write posts, or not change published ones."
            ),
        ),
        Words::new(
            "Dans WordPress\u{a0}: Comptes, celui de Raccord, rôle «\u{a0}Auteur\u{a0}».",
            "In WordPress: Users, Raccord’s, role “Author”.",
        ),
    )
}

/// The account may do more than it needs.
pub(crate) fn too_many_rights(host: &str) -> Failure {
    of(
        Blame::Access,
        "too-many-rights",
        Words::new(
            format!(
                "Le compte de Raccord sur {host} administre le site\u{a0}: c’est bien plus qu’il ne lui faut."
            ),
            format!("Raccord’s account on {host} administers the site: much more than it needs."),
        ),
        Words::new(
            "Dans WordPress\u{a0}: Comptes, Ajouter, un compte pour Raccord seul, rôle «\u{a0}Auteur\u{a0}».",
            "In WordPress: Users, Add New, an account for Raccord alone, role “Author”.",
        ),
    )
}

/// The category of the settings is not there; these are.
pub(crate) fn no_category(wanted: &str, host: &str, there: &[String]) -> Failure {
    let there = there.join(", ");
    of(
        Blame::Data,
        "no-category",
        Words::new(
            format!("La catégorie «\u{a0}{wanted}\u{a0}» n’existe pas sur {host}."),
            format!("The category “{wanted}” does not exist on {host}."),
        ),
        Words::new(
            format!(
                "Créez-la dans WordPress (Articles, Catégories), ou écrivez dans «\u{a0}category\u{a0}» l’une de celles-ci\u{a0}: {there}."
            ),
            format!(
                "Make it in WordPress (Posts, Categories), or write one of these in “category”: {there}."
            ),
        ),
    )
}

/// So many posts that looking for one would never end.
pub(crate) fn too_many(host: &str, most: usize) -> Failure {
    of(
        Blame::Data,
        "too-many-posts",
        Words::new(
            format!(
                "Le compte de Raccord a plus de {most} articles sur {host}\u{a0}: il ne peut plus y chercher les siens."
            ),
            format!(
                "Raccord’s account has more than {most} posts on {host}: it cannot look for its own among them any more."
            ),
        ),
        Words::new(
            "Donnez les plus anciens à un autre compte (Articles, Modification rapide, Auteur).",
            "Give the oldest to another account (Posts, Quick Edit, Author).",
        ),
    )
}

/// Somebody took the post away.
pub(crate) fn removed(title: &str, host: &str) -> Failure {
    asks(
        "removed-by-hand",
        Words::new(
            format!(
                "L’article «\u{a0}{title}\u{a0}» a été enlevé de {host} par quelqu’un\u{a0}: Raccord ne le refait pas de lui-même."
            ),
            format!(
                "Somebody took the post “{title}” off {host}: Raccord does not make it anew by itself."
            ),
        ),
        Words::new(
            "S’il doit y être\u{a0}: WordPress, Articles, Corbeille, «\u{a0}Rétablir\u{a0}», puis dites oui ici. Sinon dites non.",
            "If it should be there: WordPress, Posts, Trash, “Restore”, then say yes here. Else say no.",
        ),
    )
}

/// The post is somebody else's by now.
pub(crate) fn given_away(title: &str, host: &str) -> Failure {
    asks(
        "given-away",
        Words::new(
            format!(
                "L’article «\u{a0}{title}\u{a0}» de {host} est à un autre compte\u{a0}: celui de Raccord ne peut plus le changer."
            ),
            format!(
                "The post “{title}” on {host} is another account’s by now: Raccord’s may not change it any more."
            ),
        ),
        Words::new(
            "Changez-le à la main, ou rendez-le au compte de Raccord (Modification rapide, Auteur), puis dites oui. Pour le laisser, dites non.",
            "Change it by hand, or give it back to Raccord’s account (Quick Edit, Author), then say yes. To leave it, say no.",
        ),
    )
}

/// Date, hours or room were changed by hand, and changed in the programme, too.
pub(crate) fn edited(title: &str, wanted: &str) -> Failure {
    asks(
        "edited-by-hand",
        Words::new(
            format!(
                "Dans l’article «\u{a0}{title}\u{a0}», quelqu’un a changé à la main la date, l’heure ou la salle. Le programme dit\u{a0}: {wanted}."
            ),
            format!(
                "In the post “{title}” somebody changed the date, the hours or the room by hand. The programme says: {wanted}."
            ),
        ),
        Words::new(
            "Corrigez l’article dans WordPress, ou effacez-y cette ligne pour que Raccord l’écrive, puis dites oui. Pour laisser l’article, dites non.",
            "Correct the post in WordPress, or delete that line there so that Raccord writes it, then say yes. To leave the post, say no.",
        ),
    )
}

/// Our part of the post is not in it any more.
pub(crate) fn rewritten(title: &str, host: &str) -> Failure {
    asks(
        "rewritten-by-hand",
        Words::new(
            format!(
                "L’article «\u{a0}{title}\u{a0}» de {host} a été réécrit\u{a0}: la partie de Raccord n’y est plus."
            ),
            format!(
                "The post “{title}” on {host} was rewritten: Raccord’s part is not in it any more."
            ),
        ),
        Words::new(
            "Changez-le à la main, ou rétablissez une révision qui contient cette partie, puis dites oui. Pour le laisser, dites non.",
            "Change it by hand, or restore a revision that holds that part, then say yes. To leave it, say no.",
        ),
    )
}

/// Somebody announced it already.
pub(crate) fn twin(title: &str, link: &str) -> Failure {
    asks(
        "twin",
        Words::new(
            format!(
                "Un article de quelqu’un d’autre annonce déjà «\u{a0}{title}\u{a0}» ce jour-là\u{a0}: {link}"
            ),
            format!("A post of somebody else announces “{title}” on that day already: {link}"),
        ),
        Words::new(
            "Pour garder le sien, dites non\u{a0}: Raccord n’en fait pas. Pour avoir celui de Raccord, enlevez l’autre ou changez son titre, puis dites oui.",
            "To keep theirs, say no: Raccord makes none. To have Raccord’s, take the other away or change its title, then say yes.",
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

/// The site would be asked without a pause.
pub(crate) fn too_often() -> Failure {
    of(
        Blame::Data,
        "too-often",
        Words::new(
            "La clé «\u{a0}every\u{a0}» interrogerait le site sans arrêt.",
            "The key “every” would ask the site all the time.",
        ),
        Words::new(
            "Écrivez trente secondes ou plus, par exemple \"5m\".",
            "Write thirty seconds or more, for example \"5m\".",
        ),
    )
}

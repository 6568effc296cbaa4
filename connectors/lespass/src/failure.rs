//! What Lespass refuses, told apart by status, each with what to click. Its texts are in the place's
//! own language, thus nothing to go by; 403 stands for every doubt about a key.

use http::StatusCode;
use raccord_kit::http::{Answer, Http};
use raccord_look::clean;
use raccord_model::{Blame, Failure, Words};

use crate::api::{Product, is_absent};

/// The server's page for accidents, while something was to be made.
const ACCIDENT: &str = "accident";
/// So many products are named to pick from.
const OFFERED: usize = 10;

/// What a call wanted to do; the same refusal means different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doing {
    /// Only looks at events.
    Reading,
    /// Makes something new: a repeat is not harmless.
    Creating,
    /// Looks at, or takes away, an event we know: a repeat is harmless.
    Changing,
    /// Says what an event is booked with.
    Linking,
    /// Reads reservations.
    Listing,
    /// Asks as a scanner.
    Scanning,
}

impl Doing {
    /// Which of the rights of a key it takes.
    pub(crate) const fn right(self) -> usize {
        match self {
            Self::Reading | Self::Creating | Self::Changing => 0,
            Self::Linking => 1,
            Self::Listing => 2,
            Self::Scanning => 3,
        }
    }
}

/// A failure of this connector.
pub(crate) fn of(blame: Blame, code: &str, text: Words, mend: Words) -> Failure {
    Failure::new(blame, format!("lespass.{code}"), text, mend)
}

/// The failure a refusal amounts to.
pub(crate) fn refusal(http: &Http, answer: &Answer, doing: Doing) -> Failure {
    let host = answer.target.host();
    let usual: Failure = http.refusal(answer, doing == Doing::Creating).into();
    match answer.status {
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => forbidden(host, doing),
        // A key that nobody knows is an error of the server there.
        StatusCode::INTERNAL_SERVER_ERROR if doing == Doing::Scanning && !is_json(answer) => {
            scan_key(host)
        }
        // Of what is there already, say: the page for accidents does not tell.
        StatusCode::INTERNAL_SERVER_ERROR if doing == Doing::Creating && !is_json(answer) => {
            Failure {
                code: format!("lespass.{ACCIDENT}"),
                ..usual
            }
        }
        status if is_absent(status) => match doing {
            Doing::Changing => Failure {
                absent: true,
                ..usual
            },
            Doing::Listing => no_list(host),
            Doing::Scanning => no_scan(host),
            Doing::Reading | Doing::Creating => old(host),
            Doing::Linking => no_product(host, &[]),
        },
        StatusCode::BAD_REQUEST if doing == Doing::Linking => no_product(host, &[]),
        _ => usual,
    }
}

/// Whether the server itself says what went wrong with it, and not its page for accidents.
fn is_json(answer: &Answer) -> bool {
    serde_json::from_slice::<serde_json::Value>(&answer.body).is_ok()
}

/// The key is not good for this, by now. It is not shown again for a while.
pub(crate) fn forbidden(host: &str, doing: Doing) -> Failure {
    match doing {
        Doing::Scanning => of(
            Blame::Access,
            "scanner-archived",
            Words::new(
                format!("{host} ne laisse plus entrer ce scanner (403)\u{a0}: il a été archivé."),
                format!("{host} lets this scanner in no more (403): it was archived."),
            ),
            Words::new(
                "Dans l’administration de Lespass\u{a0}: Applications de scan, Ajouter\u{202f}; ouvrez une fois le lien d’appairage, et mettez la clé («\u{a0}api_key\u{a0}») dans le fichier de «\u{a0}scan_key_file\u{a0}».",
                "In Lespass’s administration: Scan apps, Add; open its pairing link once, and put the key (“api_key”) into the file of “scan_key_file”.",
            ),
        ),
        Doing::Listing => of(
            Blame::Access,
            "no-reservations",
            Words::new(
                format!(
                    "{host} ne laisse pas lire les réservations avec cette clé (403)\u{a0}: il y faut le droit «\u{a0}réservation\u{a0}», et que son compte administre le lieu."
                ),
                format!(
                    "{host} does not let this key read reservations (403): it needs the right “reservation”, and an account that administers the place."
                ),
            ),
            Words::new(
                "Dans l’administration de Lespass\u{a0}: Clés API, cette clé, cochez «\u{a0}Réservations\u{a0}»\u{202f}; puis Utilisateurs, le compte de la clé, «\u{a0}Administrateur du lieu\u{a0}».",
                "In Lespass’s administration: API keys, this key, tick “Reservations”; then Users, the key’s account, “Administrator of the place”.",
            ),
        ),
        Doing::Linking => of(
            Blame::Access,
            "no-products",
            Words::new(
                format!("{host} ne laisse pas lire les produits avec cette clé (403)."),
                format!("{host} does not let this key read products (403)."),
            ),
            Words::new(
                "Dans l’administration de Lespass\u{a0}: Clés API, cette clé, cochez «\u{a0}Produits\u{a0}»\u{202f}; ou ôtez «\u{a0}products\u{a0}» de la configuration.",
                "In Lespass’s administration: API keys, this key, tick “Products”; or take “products” out of the configuration.",
            ),
        ),
        Doing::Reading | Doing::Creating | Doing::Changing => of(
            Blame::Access,
            "credentials",
            Words::new(
                format!(
                    "{host} n’accepte pas cette clé pour les évènements (403)\u{a0}: elle est fausse, ou n’a pas ce droit, ou n’est bonne que depuis une autre adresse IP."
                ),
                format!(
                    "{host} does not accept this key for events (403): it is wrong, or lacks that right, or is good from another IP address only."
                ),
            ),
            Words::new(
                "Dans l’administration de Lespass\u{a0}: Clés API, Ajouter\u{a0}: cochez «\u{a0}Évènements\u{a0}» et «\u{a0}Réservations\u{a0}», laissez l’adresse IP vide\u{202f}; mettez la clé dans le fichier de «\u{a0}key_file\u{a0}». Raccord reprend de lui-même.",
                "In Lespass’s administration: API keys, Add: tick “Events” and “Reservations”, leave the IP address empty; put the key into the file of “key_file”. Raccord resumes by itself.",
            ),
        ),
    }
}

/// The key is good, and not for events.
pub(crate) fn no_events(host: &str) -> Failure {
    of(
        Blame::Access,
        "no-events",
        Words::new(
            format!("{host} ne laisse pas écrire d’évènements avec cette clé (403)."),
            format!("{host} does not let this key write events (403)."),
        ),
        Words::new(
            "Dans l’administration de Lespass\u{a0}: Clés API, cette clé, cochez «\u{a0}Évènements\u{a0}».",
            "In Lespass’s administration: API keys, this key, tick “Events”.",
        ),
    )
}

fn scan_key(host: &str) -> Failure {
    of(
        Blame::Access,
        "scan-key",
        Words::new(
            format!("{host} ne connaît pas cette clé de scanner (500)."),
            format!("{host} does not know this scanner’s key (500)."),
        ),
        Words::new(
            "Ce n’est pas la clé API\u{a0}: Applications de scan, Ajouter\u{202f}; ouvrez une fois le lien d’appairage, et mettez la clé («\u{a0}api_key\u{a0}») dans le fichier de «\u{a0}scan_key_file\u{a0}».",
            "It is not the API key: Scan apps, Add; open its pairing link once, and put the key (“api_key”) into the file of “scan_key_file”.",
        ),
    )
}

/// A key is missing in the configuration.
pub(crate) fn no_key(scans: bool) -> Failure {
    if scans {
        return of(
            Blame::Access,
            "no-scan-key",
            Words::new(
                "Aucune clé de scanner n’est donnée\u{a0}: sans elle, Lespass ne dit pas qui est venu.",
                "No scanner’s key is given: without one Lespass does not say who came.",
            ),
            Words::new(
                "Ajoutez «\u{a0}scan_key_file\u{a0}», avec la clé d’un scanner.",
                "Add “scan_key_file”, with the key of a scanner.",
            ),
        );
    }
    of(
        Blame::Access,
        "no-key",
        Words::new(
            "Aucune clé n’est donnée\u{a0}: sans elle, Lespass ne répond à rien.",
            "No key is given: without one Lespass answers nothing.",
        ),
        Words::new(
            "Ajoutez «\u{a0}key_file\u{a0}», avec la clé API de Lespass.",
            "Add “key_file”, with Lespass’s API key.",
        ),
    )
}

/// Somebody else’s web pages, or a login page, answer at that address.
pub(crate) fn no_lespass(host: &str) -> Failure {
    of(
        Blame::Transient,
        "no-lespass",
        Words::new(
            format!("Ce qui répond à {host} n’est pas Lespass."),
            format!("What answers at {host} is not Lespass."),
        ),
        Words::new(
            "Écrivez dans «\u{a0}url\u{a0}» l’adresse de votre lieu, celle de son agenda, sans rien après le nom.",
            "Write in “url” the address of your place, that of its agenda, with nothing after the name.",
        ),
    )
}

fn old(host: &str) -> Failure {
    of(
        Blame::Data,
        "old-version",
        Words::new(
            format!(
                "Le Lespass de {host} n’a pas d’API v2 (404)\u{a0}: il est trop ancien, ou ce n’est pas un lieu."
            ),
            format!(
                "The Lespass of {host} has no API v2 (404): it is too old, or this is no place."
            ),
        ),
        Words::new(
            "Écrivez dans «\u{a0}url\u{a0}» l’adresse de votre lieu, ou demandez à qui l’héberge une version de 2026.",
            "Write in “url” the address of your place, or ask whoever hosts it for a version of 2026.",
        ),
    )
}

fn no_list(host: &str) -> Failure {
    of(
        Blame::Data,
        "no-list",
        Words::new(
            format!(
                "{host} n’a plus la liste des réservations (API v1, 404)\u{a0}: qui s’inscrit n’est plus connu ici."
            ),
            format!(
                "{host} has no list of reservations any more (API v1, 404): who signs up is no longer known here."
            ),
        ),
        Words::new(
            "Gardez la version de Lespass d’avant, ou demandez une version de Raccord qui sait la nouvelle.",
            "Keep the earlier version of Lespass, or ask for a version of Raccord that knows the new one.",
        ),
    )
}

fn no_scan(host: &str) -> Failure {
    of(
        Blame::Data,
        "no-scan",
        Words::new(
            format!("{host} n’a pas d’API pour les scanners (404)."),
            format!("{host} has no API for scanners (404)."),
        ),
        Words::new(
            "Ôtez «\u{a0}scan_key_file\u{a0}» de la configuration, ou demandez à qui l’héberge une version de 2026.",
            "Take “scan_key_file” out of the configuration, or ask whoever hosts it for a version of 2026.",
        ),
    )
}

/// A product of the settings is not there; these are, where that is known.
pub(crate) fn no_product(host: &str, offered: &[Product]) -> Failure {
    let offered: Vec<String> = offered
        .iter()
        .take(OFFERED)
        .map(|product| {
            let name = clean::line(&product.name, 60);
            format!("{} ({name})", clean::line(&product.identifier, 40))
        })
        .collect();
    let mend = if offered.is_empty() {
        Words::new(
            "Tapez\u{a0}: raccord check\u{a0}; il montre ceux qui existent, pour les copier dans «\u{a0}products\u{a0}».",
            "Type: raccord check; it shows those that exist, to copy them into “products”.",
        )
    } else {
        let offered = offered.join(", ");
        Words::new(
            format!("Écrivez dans «\u{a0}products\u{a0}» l’un de ceux-ci\u{a0}: {offered}."),
            format!("Write one of these in “products”: {offered}."),
        )
    };
    of(
        Blame::Data,
        "no-product",
        Words::new(
            format!("Un produit de «\u{a0}products\u{a0}» n’existe pas sur {host}."),
            format!("A product of “products” does not exist on {host}."),
        ),
        mend,
    )
}

/// Somebody is registered for what would have to be deleted to be changed.
pub(crate) fn registered(title: &str, people: usize, goes: bool) -> Failure {
    let (fr, en) = match people {
        1 => (
            "une réservation y est prise".to_owned(),
            "one reservation stands for it".to_owned(),
        ),
        _ => (
            format!("{people} réservations y sont prises"),
            format!("{people} reservations stand for it"),
        ),
    };
    let asks = |text: Words, mend: Words| Failure {
        asks: true,
        ..of(Blame::Data, "registered", text, mend)
    };
    if goes {
        return asks(
            Words::new(
                format!(
                    "«\u{a0}{title}\u{a0}» n’a plus lieu, et {fr}\u{a0}: Lespass n’efface pas ce qui est réservé."
                ),
                format!(
                    "“{title}” does not take place any more, and {en}: Lespass does not delete what was booked."
                ),
            ),
            Words::new(
                "Annulez-les dans l’administration de Lespass, qui prévient et rembourse, puis dépubliez l’évènement.",
                "Cancel them in Lespass’s administration, which tells and pays back, then unpublish the event.",
            ),
        );
    }
    asks(
        Words::new(
            format!(
                "«\u{a0}{title}\u{a0}» a changé, et {fr}\u{a0}: Lespass ne sait pas modifier, et refaire les perdrait."
            ),
            format!(
                "“{title}” changed, and {en}: Lespass cannot change, and making it anew would lose them."
            ),
        ),
        Words::new(
            "Changez-le dans l’administration de Lespass, et prévenez ces personnes.",
            "Change it in Lespass’s administration, and tell these people.",
        ),
    )
}

/// What stands there is over, and what is wanted of it is not.
pub(crate) fn took_place(title: &str) -> Failure {
    Failure {
        asks: true,
        ..of(
            Blame::Data,
            "took-place",
            Words::new(
                format!(
                    "«\u{a0}{title}\u{a0}» a changé de jour après coup\u{a0}: dans Lespass elle a déjà eu lieu, et Raccord n’efface pas ce qui est passé."
                ),
                format!(
                    "“{title}” was moved after the fact: in Lespass it has taken place, and Raccord does not delete what is past."
                ),
            ),
            Words::new(
                "Changez sa date dans l’administration de Lespass, ou effacez-la là-bas\u{a0}: Raccord la refera.",
                "Change its date in Lespass’s administration, or delete it there: Raccord makes it anew.",
            ),
        )
    }
}

/// Other people added actions to an event of ours, which would go with it.
pub(crate) fn others_actions(title: &str, actions: usize) -> Failure {
    Failure {
        asks: true,
        ..of(
            Blame::Data,
            "others-actions",
            Words::new(
                format!(
                    "«\u{a0}{title}\u{a0}» devrait être refait ou retiré dans Lespass, et {actions} actions qu’on y a ajoutées partiraient avec."
                ),
                format!(
                    "“{title}” would have to be made anew or removed in Lespass, and {actions} actions that were added there would go with it."
                ),
            ),
            Words::new(
                "Changez-le dans l’administration de Lespass, ou effacez-y ces actions.",
                "Change it in Lespass’s administration, or delete these actions there.",
            ),
        )
    }
}

/// Somebody took an event of ours from sight.
pub(crate) fn unpublished(title: &str) -> Failure {
    Failure {
        asks: true,
        ..of(
            Blame::Data,
            "unpublished",
            Words::new(
                format!(
                    "«\u{a0}{title}\u{a0}» a lieu d’après le programme, et quelqu’un l’a dépubliée dans Lespass."
                ),
                format!(
                    "“{title}” takes place as the programme says, and somebody unpublished it in Lespass."
                ),
            ),
            Words::new(
                "Publiez-la dans l’administration de Lespass, ou annulez-la dans le tableau.",
                "Publish it in Lespass’s administration, or cancel it in the sheet.",
            ),
        )
    }
}

/// Whether the server had an accident over what was to be made.
pub(crate) fn is_accident(failure: &Failure) -> bool {
    failure.code.strip_prefix("lespass.") == Some(ACCIDENT)
}

/// The server answers, and has an accident over this event each time.
pub(crate) fn not_made(title: &str, host: &str) -> Failure {
    Failure {
        asks: true,
        ..of(
            Blame::Data,
            "not-made",
            Words::new(
                format!(
                    "Lespass ({host}) n’arrive pas à créer «\u{a0}{title}\u{a0}» et ne dit pas pourquoi. Le plus souvent, un événement du même nom et de la même heure y est déjà, dépublié ou modifié à la main."
                ),
                format!(
                    "Lespass ({host}) cannot make “{title}” and does not say why. Most often an event of the same name and hour is there already, unpublished or edited by hand."
                ),
            ),
            Words::new(
                "Cherchez-le dans l’administration de Lespass, brouillons compris, et supprimez-le ou changez son nom.",
                "Look for it in Lespass’s administration, among what is unpublished too, and delete it or change its name.",
            ),
        )
    }
}

/// Another event has this name and this start.
pub(crate) fn name_taken(title: &str, host: &str) -> Failure {
    of(
        Blame::Data,
        "name-taken",
        Words::new(
            format!(
                "{host} a déjà un évènement «\u{a0}{title}\u{a0}» à la même heure, qui n’est pas celui-ci\u{a0}: il n’en prend pas deux."
            ),
            format!(
                "{host} has an event “{title}” at the same hour already, which is not this one: it does not take two."
            ),
        ),
        Words::new(
            "Donnez un autre titre à l’un des deux, ou effacez celui de Lespass, puis\u{a0}: raccord retry",
            "Give one of the two another title, or delete the one in Lespass, then: raccord retry",
        ),
    )
}

/// The event that an action belongs to is not in Lespass.
pub(crate) fn no_parent(title: &str, host: &str) -> Failure {
    of(
        Blame::Data,
        "no-parent",
        Words::new(
            format!(
                "L’activité de la tâche «\u{a0}{title}\u{a0}» n’est pas sur {host}\u{a0}: une action y appartient toujours à un évènement."
            ),
            format!(
                "The activity of the task “{title}” is not on {host}: an action always belongs to an event there."
            ),
        ),
        Words::new(
            "Envoyez aussi l’activité à ce connecteur (une route), ou écrivez tasks = \"none\", puis\u{a0}: raccord retry",
            "Send the activity to this connector, too (a route), or write tasks = \"none\", then: raccord retry",
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

/// The list would be read without a pause.
pub(crate) fn too_often() -> Failure {
    of(
        Blame::Data,
        "too-often",
        Words::new(
            "La clé «\u{a0}every\u{a0}» lirait les réservations sans arrêt\u{a0}: leur liste est entière à chaque fois.",
            "The key “every” would read the reservations all the time: their list is whole each time.",
        ),
        Words::new(
            "Écrivez trente secondes ou plus, par exemple \"5m\".",
            "Write thirty seconds or more, for example \"5m\".",
        ),
    )
}

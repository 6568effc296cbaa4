//! The words people write: in headers, in cells that say yes or no, for who may see and for what
//! became of it. All compared by [`crate::text::key`].
//!
//! A word that is not here is not understood, and that is said; nothing is matched by likeness.

use raccord_model::{Status, Visibility};

use crate::field::Field;
use crate::text;

/// What a whole header names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// This field.
    Field(Field),
    /// Something else, though it begins like a field.
    Other,
    /// Nothing that is known.
    Unknown,
}

impl Named {
    pub(crate) fn field(self) -> Option<Field> {
        match self {
            Self::Field(field) => Some(field),
            Self::Other | Self::Unknown => None,
        }
    }
}

/// Which field a header names: the whole header, folded.
pub(crate) fn header(key: &str) -> Named {
    let field = match key {
        "date" | "dates" | "jour" | "jours" | "quand" | "le" | "day" | "days" | "when"
        | "date s" | "jour s" | "date et heure" | "date et heures" | "date heure"
        | "date heures" | "jour et heure" | "dates et heures" | "date et horaire"
        | "date horaire" | "date et horaires" | "date time" | "date and time" | "datetime"
        | "day and time" | "date debut" | "date de debut" | "debut date" | "start date"
        | "date start" | "begin date" | "premier jour" | "first day" | "c est quand" => Field::Date,
        "date fin" | "date de fin" | "fin date" | "end date" | "date end" | "dernier jour"
        | "last day" | "end day" | "jusqu au" | "au" | "until" | "to date" => Field::EndDate,
        "jour de la semaine" | "jour semaine" | "jour sem" | "weekday" | "day of week"
        | "day of the week" => Field::Weekday,
        "horaire" | "horaires" | "heure" | "heures" | "hours" | "hour" | "time" | "times"
        | "heure s" | "horaire s" | "creneau" | "creneaux" | "creneau horaire"
        | "plage horaire" | "quelle heure" | "a quelle heure" | "what time" | "at what time"
        | "schedule" | "time slot" | "timeslot" | "heures debut fin" | "debut fin" | "de a"
        | "start end" => Field::Hours,
        "debut" | "heure debut" | "heure de debut" | "h debut" | "debut heure" | "hd" | "de"
        | "commence a" | "commence" | "start" | "starts" | "start time" | "starts at" | "from"
        | "begin" | "begins" | "beginning" | "time start" | "heure du debut" | "start hour" => {
            Field::Start
        }
        "fin" | "heure fin" | "heure de fin" | "h fin" | "fin heure" | "hf" | "a" | "finit a"
        | "end" | "ends" | "end time" | "ends at" | "to" | "finish" | "finishes" | "time end"
        | "heure de la fin" | "end hour" | "till" => Field::End,
        "duree" | "duration" | "length" | "how long" => Field::Duration,
        "journee entiere" | "toute la journee" | "journee" | "all day" | "whole day"
        | "full day" => Field::AllDay,
        "titre" | "titres" | "title" | "intitule" | "nom" | "name" | "activite" | "activites"
        | "activity" | "evenement" | "evenements" | "event" | "events" | "evt" | "quoi"
        | "what" | "libelle" | "objet" | "sujet" | "subject" | "manifestation" | "animation"
        | "designation" | "summary" | "event name" | "event title" | "activity name"
        | "activity title" | "c est quoi" => Field::Title,
        "type" | "types" | "categorie" | "category" | "genre" | "kind" | "nature" | "rubrique"
        | "event type" | "activity type" | "kind of event" | "kind of activity" | "sort" => {
            Field::Kind
        }
        "salle" | "salles" | "lieu" | "lieux" | "ou" | "ou ca" | "endroit" | "espace" | "room"
        | "rooms" | "place" | "location" | "where" | "venue" | "emplacement" | "local"
        | "space" | "salle lieu" | "lieu salle" | "lieu et salle" | "c est ou" => Field::Room,
        "organisateur" | "organisatrice" | "organisateurs" | "organisation" | "organizer"
        | "organiser" | "organizers" | "organisers" | "organised by" | "organized by"
        | "referent" | "referente" | "referents" | "referentes" | "personne referente"
        | "responsable" | "responsables" | "qui" | "who" | "porteur" | "porteuse" | "porte par"
        | "organise par" | "propose par" | "anime par" | "animateur" | "animatrice"
        | "animateurs" | "animatrices" | "intervenant" | "intervenante" | "intervenants"
        | "equipe" | "groupe" | "team" | "group" | "pilote" | "coordinateur" | "coordinatrice"
        | "facilitateur" | "facilitatrice" | "host" | "hosts" | "hosted by" | "in charge"
        | "person in charge" | "lead" | "leader" | "led by" | "run by" | "qui organise" => {
            Field::Organiser
        }
        "contact" | "contacts" | "contact e mail" | "contact email" | "contact mail" | "mail"
        | "mails" | "email" | "e mail" | "emails" | "courriel" | "mel" | "adresse mail"
        | "adresse e mail" | "adresse email" | "email address" | "telephone" | "tel" | "phone"
        | "mail contact" | "email contact" | "coordonnees" | "contact details" => Field::Contact,
        "description"
        | "descriptions"
        | "descriptif"
        | "detail"
        | "details"
        | "texte"
        | "text"
        | "presentation"
        | "resume"
        | "contenu"
        | "about"
        | "infos"
        | "info"
        | "informations"
        | "information"
        | "en quelques mots"
        | "description publique"
        | "abstract" => Field::Description,
        "public interne" | "interne public" | "public ou interne" | "public prive"
        | "prive public" | "public" | "interne" | "internal" | "prive" | "private"
        | "public internal" | "public private" | "public or internal" | "public or private"
        | "visibilite" | "visibility" | "audience" | "acces" | "access" | "ouvert a"
        | "ouvert au public" | "open to" | "open to the public" | "members only" | "diffusion"
        | "pour qui" | "who can come" => Field::Visibility,
        "partage"
        | "partagee"
        | "partages"
        | "partagees"
        | "a partager"
        | "partager"
        | "partage reseau"
        | "partage au reseau"
        | "partage avec le reseau"
        | "partager au reseau"
        | "partager avec le reseau"
        | "a partager avec le reseau"
        | "partage avec le voisinage"
        | "partage avec les autres lieux"
        | "partage inter lieux"
        | "inter lieux"
        | "autres lieux"
        | "visible du reseau"
        | "shared"
        | "share"
        | "to share"
        | "share with network"
        | "share with the network"
        | "shared with network"
        | "shared with the network"
        | "shared with other places"
        | "other places" => Field::Shared,
        "jauge"
        | "jauge max"
        | "capacite"
        | "capacity"
        | "places"
        | "nombre de places"
        | "nb places"
        | "nb de places"
        | "nbre de places"
        | "nbre places"
        | "nombre max"
        | "nb max"
        | "max"
        | "maximum"
        | "places max"
        | "participants max"
        | "max participants"
        | "places disponibles"
        | "seats"
        | "max people"
        | "effectif"
        | "effectif max"
        | "nombre de participants max"
        | "number of places"
        | "number of seats"
        | "spots" => Field::Capacity,
        "credits" | "credit" | "credits benevoles" | "credits benevolat" | "credit temps"
        | "volunteer credits" | "points" | "unites" | "nb credits" | "nombre de credits" => {
            Field::Credits
        }
        "lien doc" | "lien docs" | "lien documentation" | "doc" | "docs" | "documentation"
        | "document" | "guide" | "lien guide" | "mode d emploi" | "tuto" | "tutoriel" | "fiche"
        | "fiche pratique" | "fiche technique" | "wiki" | "lien wiki" | "procedure" | "how to"
        | "howto" | "guide link" | "doc link" | "link to guide" | "link to docs"
        | "documentation link" | "doc url" | "guide url" => Field::Guide,
        "lien" | "liens" | "link" | "links" | "url" | "site" | "site web" | "website" | "web"
        | "page web" | "web page" | "lien web" | "plus d infos" | "more info" | "event link"
        | "event url" | "lien evenement" => Field::Url,
        "inscription"
        | "inscriptions"
        | "lien inscription"
        | "lien inscriptions"
        | "lien d inscription"
        | "page d inscription"
        | "formulaire d inscription"
        | "s inscrire"
        | "billetterie"
        | "lien billetterie"
        | "reservation"
        | "lien reservation"
        | "lien de reservation"
        | "sign up"
        | "signup"
        | "sign up link"
        | "sign up page"
        | "registration"
        | "registration link"
        | "booking"
        | "booking link"
        | "tickets"
        | "tickets link" => Field::Register,
        "sondage" | "sondages" | "lien sondage" | "lien du sondage" | "sondage date"
        | "sondage de date" | "sondage de dates" | "framadate" | "lien framadate" | "poll"
        | "poll link" | "date poll" | "doodle" => Field::Poll,
        "benevoles"
        | "benevole"
        | "besoins benevoles"
        | "besoin benevoles"
        | "besoins en benevoles"
        | "besoin en benevoles"
        | "besoin de benevoles"
        | "benevoles recherches"
        | "benevolat"
        | "volunteers"
        | "volunteers needed"
        | "helpers"
        | "helpers needed"
        | "hands"
        | "hands needed" => Field::Hands,
        "statut" | "statuts" | "status" | "etat" | "state" | "ok" | "valide" | "validation"
        | "confirme" | "confirmed" | "confirmation" | "c est bon" => Field::Status,
        "tags" | "tag" | "mots cles" | "mot cle" | "etiquettes" | "etiquette" | "keywords"
        | "labels" | "label" => Field::Tags,
        // They begin like a field we know and are something else.
        "type de public"
        | "public cible"
        | "public vise"
        | "public concerne"
        | "nom du fichier"
        | "date limite"
        | "date d inscription"
        | "date de creation"
        | "date de saisie"
        | "date de publication"
        | "date de modification"
        | "type de salle"
        | "nom du contact"
        | "lien interne" => return Named::Other,
        _ => return Named::Unknown,
    };
    Named::Field(field)
}

/// Head words that say nothing by themselves: what counts is what they are the name or number of.
pub(crate) const EMPTY_HEADS: &[&str] = &[
    "nom", "name", "nombre", "nb", "adresse", "numero", "date", "liste",
];

/// Endings of inclusive writing: `organisateur·ice`, `référent.e.s`.
pub(crate) const INCLUSIVE: &[&str] = &[
    "e", "es", "s", "ice", "ices", "rice", "rices", "trice", "trices", "euse", "euses", "ne",
    "nes", "le", "les", "ve", "ves", "re", "res", "ere", "eres", "esse", "esses",
];

/// Yes or no.
pub(crate) fn yes(key: &str) -> Option<bool> {
    match key {
        "oui" | "o" | "yes" | "y" | "x" | "1" | "ok" | "vrai" | "true" | "v" => Some(true),
        "non" | "n" | "no" | "0" | "faux" | "false" => Some(false),
        _ => None,
    }
}

/// Who may see it. `yes_means` is what "yes" says under this header ("Public ?", "Interne ?").
pub(crate) fn visibility(key: &str, yes_means: Visibility) -> Option<Visibility> {
    let opposite = match yes_means {
        Visibility::Public => Visibility::Internal,
        Visibility::Internal => Visibility::Public,
    };
    match key {
        "public"
        | "publique"
        | "publics"
        | "publiques"
        | "pub"
        | "tout public"
        | "tous publics"
        | "ouvert"
        | "ouverte"
        | "ouvert a tous"
        | "ouvert a toutes et tous"
        | "ouvert a tous et toutes"
        | "ouvert a tout le monde"
        | "ouvert au public"
        | "tous"
        | "toutes et tous"
        | "tous et toutes"
        | "tout le monde"
        | "externe"
        | "everyone"
        | "everybody"
        | "all"
        | "open"
        | "open to all"
        | "open to everyone"
        | "general public"
        | "anyone"
        | "external" => Some(Visibility::Public),
        "interne"
        | "internes"
        | "int"
        | "internal"
        | "prive"
        | "privee"
        | "prives"
        | "private"
        | "membre"
        | "membres"
        | "member"
        | "members"
        | "members only"
        | "reserve aux membres"
        | "adherent"
        | "adherents"
        | "adherentes"
        | "adherent es"
        | "reserve aux adherents"
        | "reserve aux adherent es"
        | "benevole"
        | "benevoles"
        | "equipe"
        | "l equipe"
        | "team"
        | "staff"
        | "volunteers"
        | "ca"
        | "confidentiel"
        | "ferme"
        | "closed" => Some(Visibility::Internal),
        other => yes(other).map(|said| if said { yes_means } else { opposite }),
    }
}

/// Whether it is offered to the other places of the network.
pub(crate) fn shared(raw: &str) -> Option<bool> {
    if let Some(sign) = status_sign(raw.trim()) {
        return match sign {
            Status::Confirmed => Some(true),
            Status::Cancelled => Some(false),
            _ => None,
        };
    }
    match text::key(raw).as_str() {
        "partage" | "partagee" | "partages" | "partagees" | "a partager" | "partager"
        | "reseau" | "le reseau" | "tout le reseau" | "au reseau" | "avec le reseau"
        | "voisins" | "tous les lieux" | "les autres lieux" | "shared" | "share" | "to share"
        | "network" | "the network" | "the whole network" | "all places" | "other places"
        | "neighbours" => Some(true),
        "non partage" | "non partagee" | "pas partage" | "pas partagee" | "ne pas partager"
        | "pas le reseau" | "ici" | "ici seulement" | "chez nous" | "nous seulement" | "local"
        | "interne" | "prive" | "not shared" | "do not share" | "not to share" | "here"
        | "here only" | "only here" | "only us" | "internal" | "private" => Some(false),
        other => yes(other),
    }
}

/// What became of it.
pub(crate) fn status(key: &str) -> Option<Status> {
    match key {
        "confirme" | "confirmee" | "confirmes" | "confirmees" | "confirmed" | "valide"
        | "validee" | "validated" | "maintenu" | "maintenue" | "ok" | "oui" | "o" | "yes" | "y"
        | "x" | "v" | "c est bon" | "bon" | "sur" | "definitif" | "programme" | "scheduled"
        | "planned" | "vrai" | "true" | "publie" | "published" | "ouvert" | "open" | "places"
        | "places disponibles" | "approved" | "definite" => Some(Status::Confirmed),
        "complet" | "complete" | "complets" | "plein" | "pleine" | "full" | "sold out"
        | "soldout" | "plus de place" | "plus de places" | "booked out" | "fully booked" => {
            Some(Status::Full)
        }
        "a confirmer" | "a valider" | "a voir" | "a caler" | "en attente" | "attente"
        | "provisoire" | "option" | "en option" | "tentative" | "pending" | "to confirm"
        | "to be confirmed" | "tbc" | "maybe" | "peut etre" | "incertain" | "non confirme"
        | "non confirmee" | "pas confirme" | "pas encore" | "unconfirmed" | "en cours" | "non"
        | "n" | "no" | "faux" | "false" | "sous reserve" => Some(Status::Tentative),
        "annule" | "annulee" | "annules" | "annulees" | "annul" | "annulation" | "cancelled"
        | "canceled" | "cancel" | "supprime" | "supprimee" | "n a pas lieu" | "n aura pas lieu" => {
            Some(Status::Cancelled)
        }
        "brouillon" | "draft" | "idee" | "idea" | "proposition" | "proposal" | "projet" => {
            Some(Status::Draft)
        }
        _ => None,
    }
}

/// Whether words say that a date is yet to be chosen.
pub(crate) fn to_be_chosen(key: &str) -> bool {
    matches!(
        key,
        "date a fixer"
            | "a fixer"
            | "date a choisir"
            | "a choisir"
            | "date a definir"
            | "date a determiner"
            | "date a decider"
            | "date a venir"
            | "date a voter"
            | "date pas encore fixee"
            | "dates a fixer"
            | "dates a choisir"
            | "sondage"
            | "sondage en cours"
            | "vote en cours"
            | "date to be chosen"
            | "date to be decided"
            | "date to be fixed"
            | "date to be set"
            | "to be chosen"
            | "to be decided"
            | "date tbd"
            | "date tba"
            | "tbd"
            | "poll"
            | "poll open"
    )
}

/// What a single word in a title says of the activity: off, or (a draft) on another day.
pub(crate) fn called_off(key: &str) -> Option<Status> {
    match key {
        "annule" | "annulee" | "annules" | "annulees" | "cancelled" | "canceled" => {
            Some(Status::Cancelled)
        }
        "reporte" | "reportee" | "reportes" | "reportees" | "postponed" | "rescheduled" => {
            Some(Status::Draft)
        }
        _ => None,
    }
}

/// Signs people put instead of a word of status.
pub(crate) fn status_sign(text: &str) -> Option<Status> {
    match text {
        "?" | "??" | "???" | "❓" => Some(Status::Tentative),
        "✓" | "✔" | "✅" | "☑" | "👍" | "✔️" | "☑️" => Some(Status::Confirmed),
        "❌" | "✗" | "✘" | "✖" => Some(Status::Cancelled),
        _ => None,
    }
}

/// Whether a tab of this name lists tasks.
pub(crate) fn tab_of_tasks(key: &str) -> bool {
    matches!(
        key,
        "tache"
            | "taches"
            | "les taches"
            | "liste des taches"
            | "taches a faire"
            | "a faire"
            | "task"
            | "tasks"
            | "to do"
            | "todo"
            | "to do list"
            | "task list"
    )
}

/// How far a task is, as its line says. That hands were found is not the sheet's to say.
pub(crate) fn task_state(raw: &str) -> Option<&'static str> {
    match status_sign(raw.trim()) {
        Some(Status::Confirmed) => return Some("done"),
        Some(Status::Cancelled) => return Some("cancelled"),
        _ => {}
    }
    match text::key(raw).as_str() {
        "fait" | "faite" | "fini" | "finie" | "termine" | "terminee" | "ok" | "oui" | "x" | "o"
        | "clos" | "close" | "done" | "finished" | "yes" | "y" | "vrai" | "true" => Some("done"),
        "" | "a faire" | "ouvert" | "ouverte" | "en cours" | "non" | "n" | "no" | "pris"
        | "prise" | "open" | "to do" | "todo" | "in progress" | "taken" | "faux" | "false" => {
            Some("open")
        }
        "annule" | "annulee" | "abandonne" | "abandonnee" | "plus besoin" | "cancelled"
        | "canceled" | "dropped" | "not needed" => Some("cancelled"),
        _ => None,
    }
}

/// What stands for "nothing" in a cell.
pub(crate) fn nothing(text: &str) -> bool {
    matches!(
        text.trim(),
        "-" | "--" | "–" | "—" | "/" | "." | "…" | "..."
    )
}

/// The errors spreadsheet programs write into cells, in their languages.
pub(crate) fn cell_error(text: &str) -> bool {
    let text = text.trim();
    (text.starts_with('#')
        && matches!(
            text.trim_end_matches(['!', '?']),
            "#REF"
                | "#N/A"
                | "#VALUE"
                | "#NAME"
                | "#DIV/0"
                | "#NUM"
                | "#NULL"
                | "#NOM"
                | "#VALEUR"
                | "#NOMBRE"
                | "#NUL"
                | "#SPILL"
                | "#CALC"
                | "#NA"
                | "#ERROR"
                | "#ERREUR"
        ))
        || text
            .strip_prefix("Err:")
            .is_some_and(|code| code.len() == 3 && code.bytes().all(|b| b.is_ascii_digit()))
}

/// Spellings of kinds of activity that places share; what is folded the same is written so.
pub(crate) const KINDS: &[&str] = &[
    "Réunion",
    "Atelier",
    "Chantier participatif",
    "Concert",
    "Formation",
    "Repas partagé",
    "Permanence",
    "Projection",
    "Spectacle",
    "Conférence",
    "Fête",
    "Assemblée générale",
    "Exposition",
    "Stage",
    "Débat",
    "Marché",
    "Résidence",
    "Répétition",
    "Théâtre",
    "Soirée",
    "Cinéma",
    "Rencontre",
    "Visite",
    "Vernissage",
    "Bal",
];

/// Short forms, read as the long one where the same document writes the long one too.
pub(crate) const KINDS_SHORT: &[(&str, &str)] = &[
    ("chantier", "Chantier participatif"),
    ("repas", "Repas partagé"),
    ("ag", "Assemblée générale"),
    ("expo", "Exposition"),
    ("conf", "Conférence"),
];

//! What can be wrong with an address, and with the tool that answers there: each with the clicks
//! that mend it. What every Nextcloud can say stands in [`raccord_dav::Diagnosis`].
//!
//! No sentence holds an address: that of a room, a share or a public document is its only secret.

use raccord_dav::Keys;
use raccord_model::{Blame, Failure, Words};

use crate::KIND;

/// What failures call the settings.
pub(crate) const KEYS: Keys = Keys {
    kind: KIND,
    address: "location",
    password: "password_file",
};

/// The key a failure is about, for a finding of `check`.
pub(crate) fn key_of(failure: &Failure) -> &'static str {
    let code = failure.code.rsplit('.').next().unwrap_or_default();
    let secrets = ["credentials", "app-password", "share-password", "grist-key"];
    if secrets.contains(&code) {
        KEYS.password
    } else {
        KEYS.address
    }
}

/// How long a share that is gone is left alone: each question counts as a wrong password, and ten
/// of those lock the whole address out for half an hour.
const GONE_MS: i64 = 10 * 60 * 1_000;

fn failure(
    blame: Blame,
    code: &str,
    fr: impl Into<String>,
    en: impl Into<String>,
    mend: (&str, &str),
) -> Failure {
    Failure::new(
        blame,
        format!("{KIND}.{code}"),
        Words::new(fr, en),
        Words::new(mend.0, mend.1),
    )
}

/// What an address leads to that is no sheet to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Elsewhere {
    /// A text, a form, slides of Google.
    GoogleOther,
    /// A file that lies in Google Drive as it was sent there.
    GoogleFile,
    /// A form of Grist.
    GristForm,
    /// A page of Nextcloud that shows no one file.
    CloudPage,
    /// Calendars, contacts: what is no file of Nextcloud.
    CloudOther,
}

/// An address that is recognised, and leads to no sheet.
pub(crate) fn elsewhere(what: Elsewhere) -> Failure {
    let (fr, en, mend) = match what {
        Elsewhere::GoogleOther => (
            "«\u{a0}location\u{a0}» mène à un document de Google qui n’est pas un tableau.",
            "“location” leads to a document of Google that is no sheet.",
            (
                "Ouvrez le tableau dans Google Sheets, puis Partager, «\u{a0}Copier le lien\u{a0}», et mettez ce lien dans «\u{a0}location\u{a0}».",
                "Open the sheet in Google Sheets, then Share, “Copy link”, and put that link into “location”.",
            ),
        ),
        Elsewhere::GoogleFile => (
            "«\u{a0}location\u{a0}» mène à un fichier rangé dans Google Drive, pas à un tableau de Google.",
            "“location” leads to a file kept in Google Drive, not to a sheet of Google.",
            (
                "Dans Google Drive, un clic droit sur le fichier, «\u{a0}Ouvrir avec\u{a0}», «\u{a0}Google Sheets\u{a0}»\u{202f}; puis Partager, «\u{a0}Copier le lien\u{a0}», et mettez ce lien dans «\u{a0}location\u{a0}».",
                "In Google Drive, right-click the file, “Open with”, “Google Sheets”; then Share, “Copy link”, and put that link into “location”.",
            ),
        ),
        Elsewhere::GristForm => (
            "«\u{a0}location\u{a0}» mène à un formulaire de Grist, pas à un document.",
            "“location” leads to a form of Grist, not to a document.",
            (
                "Ouvrez dans Grist le document que ce formulaire remplit, et copiez l’adresse de la page.",
                "Open in Grist the document that this form fills, and copy the address of the page.",
            ),
        ),
        Elsewhere::CloudPage => (
            "«\u{a0}location\u{a0}» mène à une page de Nextcloud, sans dire quel fichier.",
            "“location” leads to a page of Nextcloud, and does not say which file.",
            (
                "Dans l’application Fichiers, ouvrez le menu «\u{a0}…\u{a0}» du tableau, «\u{a0}Ouvrir les détails\u{a0}», onglet «\u{a0}Partage\u{a0}», «\u{a0}Lien interne\u{a0}», copiez-le, et mettez-le dans «\u{a0}location\u{a0}».",
                "In the Files app, open the sheet’s “…” menu, “Open details”, the tab “Sharing”, “Internal link”, copy it, and put it into “location”.",
            ),
        ),
        Elsewhere::CloudOther => (
            "«\u{a0}location\u{a0}» mène à autre chose qu’aux fichiers de Nextcloud.",
            "“location” leads to something else than the files of Nextcloud.",
            (
                "Dans l’application Fichiers, «\u{a0}Paramètres de Fichiers\u{a0}» en bas à gauche, copiez l’adresse WebDAV, ajoutez-y le nom du fichier, et mettez le tout dans «\u{a0}location\u{a0}».",
                "In the Files app, “Files settings” at the bottom left, copy the WebDAV address, add the name of the file to it, and put all of it into “location”.",
            ),
        ),
    };
    failure(Blame::Data, "address", fr, en, mend)
}

/// A file of Nextcloud by its number or its account, without an account to read it with.
pub(crate) fn account_wanted() -> Failure {
    failure(
        Blame::Data,
        "address",
        "«\u{a0}location\u{a0}» mène à un fichier de Nextcloud que seul un compte peut lire.",
        "“location” leads to a file of Nextcloud that only an account can read.",
        (
            "Ajoutez «\u{a0}user\u{a0}» et «\u{a0}password_file\u{a0}» (Paramètres personnels, Sécurité, «\u{a0}Créer un nouveau mot de passe d’application\u{a0}»), ou prenez un lien public\u{a0}: menu «\u{a0}…\u{a0}» du fichier, «\u{a0}Ouvrir les détails\u{a0}», «\u{a0}Partage\u{a0}», «\u{a0}Créer un lien de partage public\u{a0}».",
            "Add “user” and “password_file” (Personal settings, Security, “Create new app password”), or take a public link: the file’s “…” menu, “Open details”, “Sharing”, “Create public link”.",
        ),
    )
}

/// An account, or half of one, where the address takes none.
pub(crate) fn account_unwanted(key: &str) -> Failure {
    failure(
        Blame::Data,
        "address",
        format!("«\u{a0}{key}\u{a0}» n’a pas d’usage à cette adresse."),
        format!("“{key}” has no use at this address."),
        (
            "Retirez cette clé de la configuration. Pour Grist et pour un lien public, seul «\u{a0}password_file\u{a0}» compte\u{202f}; pour EtherCalc et Google, ni l’un ni l’autre.",
            "Take this key out of the configuration. For Grist and for a public link, only “password_file” counts; for EtherCalc and Google, neither does.",
        ),
    )
}

/// One tab of a sheet of Google is read, the one its address names.
pub(crate) fn tab_by_address() -> Failure {
    failure(
        Blame::Data,
        "address",
        "«\u{a0}sheet\u{a0}» ne peut pas choisir un onglet de Google Sheets\u{a0}: l’adresse le fait.",
        "“sheet” cannot choose a tab of Google Sheets: the address does.",
        (
            "Ouvrez l’onglet voulu dans Google Sheets, copiez l’adresse de la page (elle finit par «\u{a0}gid=\u{a0}» et un nombre), mettez-la dans «\u{a0}location\u{a0}», et retirez «\u{a0}sheet\u{a0}».",
            "Open the tab in Google Sheets, copy the address of the page (it ends with “gid=” and a number), put it into “location”, and take “sheet” away.",
        ),
    )
}

/// A sheet of Google that is not open to who has its link.
pub(crate) fn google_private() -> Failure {
    failure(
        Blame::Access,
        "google-private",
        "Google ne montre ce tableau qu’aux personnes connectées.",
        "Google shows this sheet to signed-in people only.",
        (
            "Dans Google Sheets\u{a0}: Partager, «\u{a0}Accès général\u{a0}», «\u{a0}Tous les utilisateurs disposant du lien\u{a0}», rôle «\u{a0}Lecteur\u{a0}». Qui a le lien peut alors lire le tableau\u{202f}; sinon, Fichier, «\u{a0}Télécharger\u{a0}», et donnez le fichier.",
            "In Google Sheets: Share, “General access”, “Anyone with the link”, role “Viewer”. Whoever has the link can then read the sheet; otherwise File, “Download”, and give the file.",
        ),
    )
}

/// A sheet of Google that is not there, or whose publishing was stopped.
pub(crate) fn google_missing() -> Failure {
    failure(
        Blame::Transient,
        "google-missing",
        "Google ne trouve pas ce tableau, ou pas cet onglet.",
        "Google does not find this sheet, or not this tab.",
        (
            "Ouvrez l’onglet voulu dans Google Sheets et copiez de nouveau l’adresse de la page. S’il était publié\u{a0}: Fichier, Partager, «\u{a0}Publier sur le Web\u{a0}», «\u{a0}Publier\u{a0}». Rien n’a été annulé.",
            "Open the tab in Google Sheets and copy the address of the page again. If it was published: File, Share, “Publish to web”, “Publish”. Nothing was cancelled.",
        ),
    )
}

/// A room of EtherCalc in which nothing was ever written, or that somebody emptied.
pub(crate) fn room_missing() -> Failure {
    failure(
        Blame::Transient,
        "room-missing",
        "Il n’y a rien à cette adresse d’EtherCalc\u{a0}: rien n’y a jamais été écrit, ou quelqu’un l’a effacé.",
        "There is nothing at this address of EtherCalc: nothing was ever written there, or somebody deleted it.",
        (
            "Ouvrez le tableau dans un navigateur et copiez de nouveau son adresse. S’il est vide, collez-y une copie\u{202f}: rien n’a été annulé.",
            "Open the sheet in a browser and copy its address again. If it is empty, paste a copy into it: nothing was cancelled.",
        ),
    )
}

/// A key that Grist does not take.
pub(crate) fn grist_key(host: &str) -> Failure {
    failure(
        Blame::Access,
        "grist-key",
        format!("{host} n’accepte pas la clé de Grist (401)."),
        format!("{host} does not accept the key of Grist (401)."),
        (
            "Dans Grist, avec le compte de Raccord\u{a0}: cliquez sur le compte en haut à droite, «\u{a0}Paramètres du profil\u{a0}», «\u{a0}Clé d’API\u{a0}», «\u{a0}Créer\u{a0}»\u{202f}; mettez-la seule dans le fichier de «\u{a0}password_file\u{a0}». Raccord reprend de lui-même.",
            "In Grist, with Raccord’s account: click the account at the top right, “Profile settings”, “API key”, “Create”; put it alone into the file of “password_file”. Raccord resumes by itself.",
        ),
    )
}

/// A document of Grist that this key, or nobody in particular, may not read.
pub(crate) fn grist_forbidden(host: &str) -> Failure {
    failure(
        Blame::Access,
        "grist-forbidden",
        format!("{host} ne laisse pas Raccord lire ce document de Grist (403)."),
        format!("{host} does not let Raccord read this document of Grist (403)."),
        (
            "Dans le document\u{a0}: icône de partage en haut à droite, «\u{a0}Gérer les utilisateurs\u{a0}», ajoutez le compte de Raccord avec le rôle «\u{a0}Lecture seule\u{a0}»\u{202f}; sa clé va dans le fichier de «\u{a0}password_file\u{a0}».",
            "In the document: the share icon at the top right, “Manage users”, add Raccord’s account with the role “Viewer”; its key goes into the file of “password_file”.",
        ),
    )
}

/// A document or table of Grist that is not there.
pub(crate) fn grist_missing(host: &str) -> Failure {
    failure(
        Blame::Transient,
        "grist-missing",
        format!("{host} ne trouve pas ce document de Grist, ou pas sa table (404)."),
        format!("{host} does not find this document of Grist, or not its table (404)."),
        (
            "Ouvrez le document dans Grist et copiez de nouveau l’adresse de la page. S’il est dans la corbeille, restaurez-le\u{202f}: rien n’a été annulé.",
            "Open the document in Grist and copy the address of the page again. If it is in the trash, restore it: nothing was cancelled.",
        ),
    )
}

/// A public link of Nextcloud that leads nowhere any more.
pub(crate) fn share_gone(host: &str) -> Failure {
    let mut failure = failure(
        Blame::Transient,
        "share-gone",
        format!(
            "Le lien public n’existe plus sur {host}\u{a0}: il a expiré, ou quelqu’un l’a retiré."
        ),
        format!(
            "The public link is no longer there on {host}: it expired, or somebody took it back."
        ),
        (
            "Dans l’application Fichiers\u{a0}: menu «\u{a0}…\u{a0}» du fichier, «\u{a0}Ouvrir les détails\u{a0}», «\u{a0}Partage\u{a0}», «\u{a0}Créer un lien de partage public\u{a0}», sans date d’expiration, et mettez ce lien dans «\u{a0}location\u{a0}». Rien n’a été annulé.",
            "In the Files app: the file’s “…” menu, “Open details”, “Sharing”, “Create public link”, without an expiry date, and put that link into “location”. Nothing was cancelled.",
        ),
    );
    failure.retry_after_ms = Some(GONE_MS);
    failure
}

/// A public link that asks for a password, or for another one.
pub(crate) fn share_password(host: &str, given: bool) -> Failure {
    let (fr, en) = if given {
        (
            format!(
                "{host} n’accepte pas le mot de passe de ce lien public (401). Raccord n’essaie plus\u{a0}: dix refus bloqueraient toute votre adresse une demi-heure."
            ),
            format!(
                "{host} does not accept the password of this public link (401). Raccord tries no more: ten refusals would lock out your whole address for half an hour."
            ),
        )
    } else {
        (
            format!("Sur {host}, ce lien public demande un mot de passe (401)."),
            format!("On {host}, this public link asks for a password (401)."),
        )
    };
    let mut failure = failure(
        Blame::Access,
        "share-password",
        fr,
        en,
        (
            "Mettez le mot de passe du lien, seul, dans un fichier, et nommez ce fichier dans «\u{a0}password_file\u{a0}»\u{202f}; «\u{a0}user\u{a0}» n’est pas nécessaire.",
            "Put the password of the link, alone, into a file, and name that file in “password_file”; “user” is not needed.",
        ),
    );
    failure.retry_after_ms = Some(GONE_MS);
    failure
}

/// A number that no file of the account has.
pub(crate) fn number_missing(host: &str, number: &str) -> Failure {
    failure(
        Blame::Transient,
        "file-missing",
        format!("Le compte de Raccord ne voit pas le fichier numéro {number} sur {host}."),
        format!("Raccord’s account does not see the file number {number} on {host}."),
        (
            "Dans l’application Fichiers\u{a0}: menu «\u{a0}…\u{a0}» du fichier, «\u{a0}Ouvrir les détails\u{a0}», «\u{a0}Partage\u{a0}», et ajoutez le compte de Raccord, en lecture. S’il est dans la corbeille, restaurez-le\u{202f}: rien n’a été annulé.",
            "In the Files app: the file’s “…” menu, “Open details”, “Sharing”, and add Raccord’s account, for viewing. If it is in the trash, restore it: nothing was cancelled.",
        ),
    )
}

/// A file that is not in the folder a link opens.
pub(crate) fn file_missing(host: &str, name: &str) -> Failure {
    failure(
        Blame::Transient,
        "file-missing",
        format!("«\u{a0}{name}\u{a0}» n’est pas là sur {host}."),
        format!("“{name}” is not there on {host}."),
        (
            "Remettez le fichier à sa place, ou corrigez «\u{a0}location\u{a0}». S’il est dans la corbeille, restaurez-le\u{202f}: rien n’a été annulé.",
            "Put the file back in its place, or correct “location”. If it is in the trash, restore it: nothing was cancelled.",
        ),
    )
}

/// A folder, and not one sheet in it.
pub(crate) fn which_file(names: &[String]) -> Failure {
    let (fr, en) = if names.is_empty() {
        (
            "«\u{a0}location\u{a0}» mène à un dossier où il n’y a aucun tableau (.ods, .xlsx, .csv)."
                .to_owned(),
            "“location” leads to a folder in which there is no sheet (.ods, .xlsx, .csv).".to_owned(),
        )
    } else {
        let list = names
            .iter()
            .take(10)
            .map(|name| crate::text::cut(name, 60))
            .collect::<Vec<_>>()
            .join(", ");
        (
            format!(
                "«\u{a0}location\u{a0}» mène à un dossier où il y a plusieurs tableaux\u{a0}: {list}."
            ),
            format!("“location” leads to a folder in which there are several sheets: {list}."),
        )
    };
    failure(
        Blame::Data,
        "which-file",
        fr,
        en,
        (
            "Donnez l’adresse du fichier lui-même\u{a0}: menu «\u{a0}…\u{a0}» du fichier, «\u{a0}Ouvrir les détails\u{a0}», «\u{a0}Partage\u{a0}», copiez le lien interne, ou créez un lien public pour ce fichier.",
            "Give the address of the file itself: the file’s “…” menu, “Open details”, “Sharing”, copy the internal link, or create a public link for this file.",
        ),
    )
}

/// An answer that a program of this kind does not give.
pub(crate) fn odd_answer(host: &str) -> Failure {
    failure(
        Blame::Transient,
        "odd-answer",
        format!("{host} a répondu autre chose que ce qui lui était demandé."),
        format!("{host} answered something else than it was asked for."),
        (
            "Vérifiez l’adresse, et qu’aucune page de connexion ne se trouve devant elle\u{202f}; Raccord réessaie de lui-même.",
            "Check the address, and that no login page stands in front of it; Raccord tries again by itself.",
        ),
    )
}

/// All of these, for the checks of what people read.
#[cfg(test)]
pub(crate) fn all() -> Vec<Failure> {
    use Elsewhere::{CloudOther, CloudPage, GoogleFile, GoogleOther, GristForm};
    let host = "nuage.example";
    let others = [GoogleOther, GoogleFile, GristForm, CloudPage, CloudOther];
    let mut all: Vec<Failure> = others.map(elsewhere).into();
    all.extend([
        account_wanted(),
        account_unwanted("user"),
        tab_by_address(),
        google_private(),
        google_missing(),
        room_missing(),
        grist_key(host),
        grist_forbidden(host),
        grist_missing(host),
        share_gone(host),
        share_password(host, true),
        share_password(host, false),
        number_missing(host, "74"),
        file_missing(host, "programme.ods"),
        which_file(&[]),
        which_file(&["janvier.ods".to_owned(), "février.ods".to_owned()]),
        odd_answer(host),
    ]);
    all
}

//! The help in French, beside the English of `args.rs`; a test proves that nothing is forgotten.

use clap::{Arg, ArgAction, Command, CommandFactory};
use raccord_model::Lang;

use super::args::Cli;
use crate::locale::typeset;

/// The command line, with its help in `lang`.
pub fn command(lang: Lang) -> Command {
    let command = Cli::command()
        .disable_help_flag(true)
        .disable_version_flag(true);
    let command = command
        .arg(
            Arg::new("help")
                .short('h')
                .long("help")
                .action(ArgAction::Help)
                .global(true)
                .help(pick(lang, "Montre cette aide", "Show this help")),
        )
        .arg(
            Arg::new("version")
                .short('V')
                .long("version")
                .action(ArgAction::Version)
                .help(pick(lang, "Montre la version", "Show the version")),
        );
    dressed(command, lang, "")
}

fn pick<'a>(lang: Lang, fr: &'a str, en: &'a str) -> &'a str {
    match lang {
        Lang::Fr => fr,
        Lang::En => en,
    }
}

/// Gives a command, and those below it, the texts and headings of `lang`.
fn dressed(command: Command, lang: Lang, path: &str) -> Command {
    let usage = pick(lang, "Utilisation\u{a0}:", "Usage:");
    let mut command = command
        .help_template(format!(
            "{{about-with-newline}}\n{usage} {{usage}}\n\n{{all-args}}{{after-help}}"
        ))
        .subcommand_help_heading(pick(lang, "Commandes\u{a0}", "Commands"))
        .subcommand_value_name(pick(lang, "COMMANDE", "COMMAND"));
    if lang == Lang::Fr {
        if let Some(about) = about(path) {
            command = command.about(typeset(lang, about));
        }
        if path.is_empty() {
            command = command.long_about(typeset(lang, LONG));
        }
        command = command.mut_args(|arg| {
            let heading = if arg.is_positional() {
                "Arguments\u{a0}"
            } else {
                "Options\u{a0}"
            };
            let arg = arg.help_heading(heading);
            match argument(path, arg.get_id().as_str()) {
                Some((help, name)) => {
                    let arg = arg.help(typeset(lang, help));
                    if name.is_empty() {
                        arg
                    } else {
                        arg.value_name(name)
                    }
                }
                None => arg,
            }
        });
    }
    let names: Vec<String> = command
        .get_subcommands()
        .map(|sub| sub.get_name().to_owned())
        .collect();
    for name in names {
        let below = format!("{path} {name}").trim().to_owned();
        command = command.mut_subcommand(&name, |sub| {
            dressed(sub.disable_help_flag(true), lang, &below)
        });
    }
    command
}

const LONG: &str = "\
Relie les logiciels libres qu'un lieu fait déjà tourner.

Une ligne dans la feuille devient le programme du mois, le site, le calendrier auquel s'abonner. \
Commencez par `raccord init`, puis `raccord check`, `raccord plan` et `raccord sync`.";

fn about(path: &str) -> Option<&'static str> {
    Some(match path {
        "" => "Relie les logiciels libres qu'un lieu fait déjà tourner",
        "init" => "Écrit une première configuration, une feuille d'exemple et les dossiers",
        "check" => {
            "Lit la configuration, joint chaque outil, dit ce qui ne va pas et comment y remédier"
        }
        "plan" => "Montre ce que chaque outil recevrait maintenant ; ne change rien",
        "sync" => "Fait un passage : lit chaque source, décide, envoie ce qui est dû, s'arrête",
        "run" => "Reste et fait de même en continu, avec pages web et webhooks",
        "demo" => {
            "Un lieu complet avec ses propres outils, pour essayer, dans un dossier temporaire"
        }
        "places" => "Montre les lieux du dossier, et ce qui attend dans chacun",
        "log" => "Montre les événements, le plus récent en dernier",
        "why" => "Montre la cause d'un effet, jusqu'à la cellule ou au clic",
        "holds" => "Montre les changements qui attendent un oui",
        "approve" => "Dit oui à un changement qui attend",
        "reject" => "Dit non à un changement qui attend",
        "dead" => "Montre les envois abandonnés",
        "retry" => "Essaie de nouveau un envoi abandonné, ou tous ceux d'un connecteur",
        "drop" => "Renonce pour de bon à un envoi",
        "printed" => "Dit que le programme d'un mois, tel qu'il est imprimé, est au mur",
        "ledger" => "Montre les crédits et les soldes",
        "report" => "Ce qu'une année a valu",
        "report volunteering" => {
            "Montre ce que les gens ont donné en un an : heures, personnes, sortes de travail, et leur valeur"
        }
        "person" => "Ce que l'on sait d'une personne, et l'oublier",
        "person export" => "Montre tout ce que l'on sait d'une personne",
        "person code" => "Tire un code par lequel quelqu'un se fait connaître dans un chat",
        "person readers" => "Qui lit une lettre, en un tableau pour un tableur",
        "person forget" => "Oublie une personne : partout, et pour de bon",
        "backup" => "Sauvegarde le journal dans un fichier, même pendant que `run` travaille",
        "restore" => "Remet un journal sauvegardé ; le lieu n'envoie plus rien jusqu'à `unmute`",
        "unmute" => "Laisse un lieu restauré ou copié envoyer de nouveau, ou le déclare répétition",
        "rebuild" => "Refait tout à partir du journal",
        "migrate" => "Déplace le journal vers des serveurs (nats://…) ou vers un dossier",
        "support" => {
            "Écrit un fichier à montrer à qui vous aide : versions, nombres et codes, rien de personnel"
        }
        "connector" => "Les connecteurs de ce programme",
        "connector list" => "Liste les sortes d'outils que ce programme connaît",
        "schema" => "Les schémas partagés",
        "schema list" => "Liste les schémas",
        "schema show" => "Montre un schéma ; `config` est celui de la configuration",
        "schema validate" => {
            "Vérifie un fichier d'événements, ou une configuration, avec ses schémas"
        }
        "completions" => "Écrit un script de complétion pour votre shell",
        "man" => "Écrit la page de manuel, du programme ou d'une commande",
        "help" => "Montre cette aide, ou celle d'une commande",
        _ => return None,
    })
}

/// The help of an argument and the name of its value.
fn argument(path: &str, id: &str) -> Option<(&'static str, &'static str)> {
    Some(match (path, id) {
        (_, "help") => ("Montre cette aide", ""),
        (_, "version") => ("Montre la version", ""),
        ("", "config") => (
            "Le fichier de configuration, ou un dossier qui en contient un par lieu",
            "FICHIER",
        ),
        ("", "place") => ("Lequel des lieux du dossier", "ID"),
        ("", "json") => ("Répond en JSON, pour les programmes", ""),
        ("", "lang") => (
            "Répond en français (fr) ou en anglais (en) ; sinon dans la langue du lieu, puis du système",
            "LANGUE",
        ),
        ("", "verbose") => ("En dit plus sur la sortie d'erreur ; -vv dit tout", ""),
        ("", "ok_if_waiting") => (
            "Finit par 0 au lieu de 3 quand tout est fait mais que quelqu'un doit agir",
            "",
        ),
        ("init", "dir") => (
            "Le dossier ; celui où vous êtes s'il n'est pas donné",
            "DOSSIER",
        ),
        ("init", "yes") => ("Ne pose aucune question", ""),
        ("demo", "headless") => (
            "Raconte toute l'histoire seul, en regardant chaque étape dans les outils, et s'arrête",
            "",
        ),
        ("demo", "keep") => (
            "Travaille dans ce dossier, neuf ou vide, et l'y laisse",
            "DOSSIER",
        ),
        ("plan", "out") => (
            "Garde le plan dans un fichier, pour `sync --plan`",
            "FICHIER",
        ),
        ("sync", "plan") => (
            "Fait exactement ce que dit ce plan, ou s'arrête et dit ce qui a bougé",
            "FICHIER",
        ),
        ("sync", "wait") => (
            "Attend tout ce temps ce qui est dû plus tard, par exemple 10m",
            "DURÉE",
        ),
        ("log", "follow") => ("Reste et montre les nouveaux événements à mesure", ""),
        ("why", "reference") => (
            "L'identifiant d'une entité ou d'un envoi, ou l'adresse ou l'identifiant de l'objet dans l'outil",
            "REF",
        ),
        ("retry", "reference") => (
            "L'identifiant d'un envoi, tel que `dead` le montre, ou le nom d'un connecteur : tout ce qui a été abandonné pour lui est essayé de nouveau, et il sert de nouveau si son outil l'a refusé ou éteint",
            "ID|CONNECTEUR",
        ),
        ("approve" | "reject" | "drop", "id") => {
            ("Son identifiant, tel que la liste le montre", "ID")
        }
        ("approve", "only") => (
            "Seulement pour ces entités ; le reste attend encore",
            "ENTITÉ",
        ),
        ("printed", "month") => ("Le mois, par exemple 2027-01", "MOIS"),
        ("printed", "edition") => (
            "L'édition qui est au mur, telle que la feuille le dit ; la dernière si elle n'est pas donnée",
            "NUMÉRO",
        ),
        ("printed", "connector") => (
            "Le connecteur qui l'a imprimé, s'il y en a plusieurs",
            "NOM",
        ),
        ("printed", "down") => ("Il a été décroché", ""),
        ("ledger", "person") => (
            "Seulement cette personne : un identifiant ou une adresse e-mail",
            "PERSONNE",
        ),
        ("ledger", "check") => (
            "Vérifie que rien du registre n'a été changé, enlevé ou déplacé",
            "",
        ),
        ("ledger", "compare") => (
            "Demande à chaque outil s'il contient ce qui y a été envoyé ; ne change rien",
            "",
        ),
        ("ledger", "wallet") => (
            "Demande au cashless ce qui est entré dans le porte-monnaie de cette personne et ce qui en est sorti ; ne change rien",
            "",
        ),
        ("ledger", "csv") => ("Écrit les mouvements en CSV, pour un tableur", ""),
        ("ledger", "receipts") => (
            "Écrit dans ce dossier les reçus signés, et la page qui les vérifie",
            "DOSSIER",
        ),
        ("report volunteering", "year") => ("L'année", "ANNÉE"),
        ("report volunteering", "csv") => (
            "Écrit aussi le tableau dans un fichier, pour un tableur ; il ne doit pas encore exister",
            "FICHIER",
        ),
        ("report volunteering", "pdf") => (
            "Écrit aussi une page dans un fichier, à imprimer ; il ne doit pas encore exister",
            "FICHIER",
        ),
        ("person export" | "person code" | "person forget", "email") => {
            ("Son adresse e-mail", "E-MAIL")
        }
        ("person readers", "letter") => ("Le nom du connecteur de la lettre", "LETTRE"),
        ("migrate", "to") => (
            "Les serveurs (nats://machine:4222, plusieurs avec des virgules) ou le dossier",
            "VERS",
        ),
        ("backup" | "restore", "file") => ("Le fichier du journal sauvegardé", "FICHIER"),
        ("support", "file") => (
            "Le fichier à écrire ; il ne doit pas encore exister",
            "FICHIER",
        ),
        ("unmute", "moved") => (
            "C'est bien le lieu, déplacé ou restauré : il envoie de nouveau",
            "",
        ),
        ("unmute", "copy") => (
            "C'est une copie, pour une répétition : elle n'envoie jamais",
            "",
        ),
        ("schema show", "name") => (
            "Son nom : activity, activity.created, org.raccord.activity.created.v1, config",
            "TYPE",
        ),
        ("schema validate", "file") => (
            "Un CloudEvent, une liste, un par ligne, ou une configuration .toml ; - lit l'entrée standard",
            "FICHIER",
        ),
        ("completions", "shell") => ("bash, zsh, fish, elvish ou powershell", "SHELL"),
        ("man" | "help", _) => (
            "La commande ; tout le programme si elle n'est pas donnée",
            "COMMANDE",
        ),
        _ => return None,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn walk(command: &Command, path: &str, forgotten: &mut Vec<String>) {
        if about(path).is_none() {
            forgotten.push(format!("command {path}"));
        }
        for arg in command.get_arguments() {
            if argument(path, arg.get_id().as_str()).is_none() {
                forgotten.push(format!("{path} --{}", arg.get_id()));
            }
        }
        for sub in command.get_subcommands() {
            walk(sub, format!("{path} {}", sub.get_name()).trim(), forgotten);
        }
    }

    #[test]
    fn every_command_and_option_has_its_french() {
        let mut forgotten = Vec::new();
        walk(&Cli::command(), "", &mut forgotten);
        assert!(forgotten.is_empty(), "{forgotten:#?}");
    }

    #[test]
    fn the_command_line_is_sound_in_both_languages() {
        for lang in [Lang::Fr, Lang::En] {
            command(lang).debug_assert();
        }
    }

    #[test]
    fn the_help_reads_well_in_both_languages() {
        let help = |lang, path: &[&str]| {
            let mut command = command(lang).term_width(100);
            command.build();
            let mut here = &mut command;
            for name in path {
                here = here.find_subcommand_mut(name).unwrap();
            }
            here.render_help().to_string()
        };
        insta::assert_snapshot!("help-fr", help(Lang::Fr, &[]));
        insta::assert_snapshot!("help-en", help(Lang::En, &[]));
        insta::assert_snapshot!("help-sync-fr", help(Lang::Fr, &["sync"]));
        insta::assert_snapshot!("help-schema-fr", help(Lang::Fr, &["schema", "validate"]));
    }
}

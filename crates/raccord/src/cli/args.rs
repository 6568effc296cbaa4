//! The command line: every command of the interfaces page, its arguments and their English help.
//! The French help stands in `words.rs`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use raccord_kit::settings::Span;
use raccord_model::{Lang, PlaceId};

/// Links the free software a community place already runs.
///
/// One line in the sheet becomes the month's programme, the web site, the calendar to subscribe
/// to. Start with `raccord init`, then `raccord check`, `raccord plan` and `raccord sync`.
#[derive(Clone, Debug, Parser)]
#[command(name = "raccord", version, disable_help_subcommand = true)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub global: Global,
    /// The command.
    #[command(subcommand)]
    pub command: Command,
}

/// Options of every command.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// The configuration file, or a folder with one for each place.
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        default_value = "raccord.toml",
        hide_default_value = true
    )]
    pub config: PathBuf,
    /// Which place of the folder.
    #[arg(long, global = true, value_name = "ID")]
    pub place: Option<PlaceId>,
    /// Answer in JSON, for programs.
    #[arg(long, global = true)]
    pub json: bool,
    /// Answer in French (fr) or English (en); else in the place's language, then the locale's.
    #[arg(long, global = true, value_name = "LANG", value_parser = ["fr", "en"], hide_possible_values = true)]
    lang: Option<String>,
    /// Say more on standard error; -vv says everything.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// End with 0 instead of 3 when everything is done but a person must act.
    #[arg(long, global = true)]
    pub ok_if_waiting: bool,
}

impl Global {
    /// The language that was asked for.
    pub fn lang(&self) -> Option<Lang> {
        self.lang.as_deref().and_then(|lang| lang.parse().ok())
    }
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Write a first configuration, a sample sheet and the folders.
    Init(Init),
    /// Read the configuration, reach every tool, say what is wrong and how to mend it.
    Check,
    /// Show what every tool would receive now; change nothing.
    Plan(Plan),
    /// Make one pass: read every source, decide, deliver what is due, end.
    Sync(Sync),
    /// Stay and do the same continuously, with web pages and webhooks.
    Run,
    /// A complete place with tools of its own, to play with, in a temporary folder.
    Demo(Demo),
    /// Show the places of the folder, and what waits at each.
    Places,
    /// Show the events, newest last.
    Log(Log),
    /// Show what caused an effect, back to the cell or the click.
    Why(Reference),
    /// Show the changes that wait for a yes.
    Holds,
    /// Say yes to a change that waits.
    Approve(Approve),
    /// Say no to a change that waits.
    Reject(Id),
    /// Show the deliveries that were given up.
    Dead,
    /// Try a delivery again that was given up, or all those of a connector.
    Retry(Retry),
    /// Give a delivery up for good.
    Drop(Id),
    /// Say that a month's programme, as it was printed, hangs on the wall.
    Printed(Printed),
    /// Show credits and balances.
    Ledger(Ledger),
    /// What a year was worth.
    #[command(subcommand, arg_required_else_help = true)]
    Report(Report),
    /// What is known of a person, and forgetting it.
    #[command(subcommand, arg_required_else_help = true)]
    Person(Person),
    /// Save the log to a file, also while `run` is at work.
    Backup(LogFile),
    /// Put a saved log back; the place then sends nothing until `unmute`.
    Restore(LogFile),
    /// Let a restored or copied place send again, or declare it a rehearsal.
    Unmute(Unmute),
    /// Make everything again from the log.
    Rebuild,
    /// Move the log to servers (nats://…) or to a folder.
    Migrate(Migrate),
    /// Write a file to show to whoever helps: versions, counts and codes, nothing personal.
    Support(Support),
    /// The connectors of this program.
    #[command(subcommand, arg_required_else_help = true)]
    Connector(Connector),
    /// The shared schemas.
    #[command(subcommand, arg_required_else_help = true)]
    Schema(Schema),
    /// Write a completion script for your shell.
    Completions(Completions),
    /// Write the manual page, of the program or of one command.
    Man(Man),
    /// Show this help, or a command's.
    Help(Help),
}

/// `person`.
#[derive(Clone, Debug, Subcommand)]
pub enum Person {
    /// Show everything that is known of a person.
    Export(Email),
    /// Draw a code by which somebody shows in a chat who they are.
    Code(Email),
    /// Forget a person: everywhere, and for good.
    Forget(Email),
    /// Who reads a letter, as a table for a spreadsheet.
    Readers(Letter),
}

/// `person readers`.
#[derive(Clone, Debug, Args)]
pub struct Letter {
    /// The name of the letter's connector.
    #[arg(value_name = "LETTER")]
    pub letter: String,
}

/// Whom it is about.
#[derive(Clone, Debug, Args)]
pub struct Email {
    /// Their e-mail address.
    #[arg(value_name = "EMAIL")]
    pub email: String,
}

/// `support`.
#[derive(Clone, Debug, Args)]
pub struct Support {
    /// The file to write; it must not be there yet.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// `init`.
#[derive(Clone, Debug, Args)]
pub struct Init {
    /// The folder; the one you are in where it is left out.
    #[arg(value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Ask nothing.
    #[arg(long, short)]
    pub yes: bool,
}

/// `demo`.
#[derive(Clone, Debug, Args)]
pub struct Demo {
    /// Tell the whole story by itself, each step looked at in the tools, and end.
    #[arg(long)]
    pub headless: bool,
    /// Use this folder, which must be new or empty, and leave it there.
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
}

/// `plan`.
#[derive(Clone, Debug, Args)]
pub struct Plan {
    /// Keep the plan in a file, for `sync --plan`.
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// `sync`.
#[derive(Clone, Debug, Args)]
pub struct Sync {
    /// Do exactly what this plan says, or stop and say what moved.
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Wait this long for what is due later, for example 10m.
    #[arg(long, value_name = "TIME")]
    pub wait: Option<Span>,
}

/// `log`.
#[derive(Clone, Debug, Args)]
pub struct Log {
    /// Stay and show new events as they come.
    #[arg(long, short)]
    pub follow: bool,
}

/// `why`.
#[derive(Clone, Debug, Args)]
pub struct Reference {
    /// An entity's or delivery's id, or a tool's address or id of the object.
    #[arg(value_name = "REF")]
    pub reference: String,
}

/// `retry`.
#[derive(Clone, Debug, Args)]
pub struct Retry {
    /// A delivery's id, as `dead` shows it, or the name of a connector: everything that was given
    /// up for it is tried again, and it is used again if its tool refused it or switched it off.
    #[arg(value_name = "ID|CONNECTOR")]
    pub reference: String,
}

/// `reject`, `drop`.
#[derive(Clone, Debug, Args)]
pub struct Id {
    /// Its id, as the list shows it.
    #[arg(value_name = "ID")]
    pub id: String,
}

/// `approve`.
#[derive(Clone, Debug, Args)]
pub struct Approve {
    /// Its id, as `holds` shows it.
    #[arg(value_name = "ID")]
    pub id: String,
    /// Only for these entities; the rest keeps waiting.
    #[arg(long, value_name = "ENTITY", num_args = 1..)]
    pub only: Vec<String>,
}

/// `printed`.
#[derive(Clone, Debug, Args)]
pub struct Printed {
    /// The month, for example 2027-01.
    #[arg(value_name = "MONTH")]
    pub month: String,
    /// The edition that is on the wall, as the sheet says; the last one where it is left out.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub edition: Option<u32>,
    /// The connector that printed it, where there are several.
    #[arg(long, value_name = "NAME")]
    pub connector: Option<String>,
    /// It was taken down.
    #[arg(long, conflicts_with = "edition")]
    pub down: bool,
}

/// `ledger`.
#[derive(Clone, Debug, Args)]
pub struct Ledger {
    /// Only this person: an id or an e-mail address.
    #[arg(value_name = "PERSON")]
    pub person: Option<String>,
    /// What else is asked.
    #[command(flatten)]
    pub asks: LedgerAsks,
    /// Write the movements as CSV, for a spreadsheet.
    #[arg(long, conflicts_with = "receipts")]
    pub csv: bool,
    /// Write the signed receipts, and the page that checks them, to this folder.
    #[arg(long, value_name = "FOLDER")]
    pub receipts: Option<PathBuf>,
}

/// What `ledger` looks at instead of balances and movements.
#[derive(Clone, Debug, Args)]
pub struct LedgerAsks {
    /// Check that nothing of the ledger was changed, taken out or put elsewhere.
    #[arg(long, conflicts_with_all = ["person", "csv", "receipts"])]
    pub check: bool,
    /// Ask each tool whether it holds what was sent there; change nothing.
    #[arg(long, conflicts_with_all = ["person", "check", "wallet", "csv", "receipts"])]
    pub compare: bool,
    /// Ask the cashless system what went into this person's wallet and out of it; change nothing.
    #[arg(long, requires = "person", conflicts_with_all = ["csv", "receipts"])]
    pub wallet: bool,
}

/// `report`.
#[derive(Clone, Debug, Subcommand)]
pub enum Report {
    /// Show what people gave in a year: hours, people, kinds of work, and their value.
    Volunteering(Volunteering),
}

/// `report volunteering`.
#[derive(Clone, Debug, Args)]
pub struct Volunteering {
    /// The year.
    #[arg(value_name = "YEAR", value_parser = clap::value_parser!(i16).range(1970..=9998))]
    pub year: i16,
    /// Write the table to a file as well, for a spreadsheet; it must not exist yet.
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Write one page to a file as well, to print; it must not exist yet.
    #[arg(long, value_name = "FILE")]
    pub pdf: Option<PathBuf>,
}

/// `backup`, `restore`.
#[derive(Clone, Debug, Args)]
pub struct LogFile {
    /// The file of the saved log.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// `migrate`.
#[derive(Clone, Debug, Args)]
pub struct Migrate {
    /// The servers (nats://host:4222, several with commas) or the folder.
    #[arg(value_name = "TO")]
    pub to: String,
}

/// `unmute`.
#[derive(Clone, Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Unmute {
    /// This is the real place, moved or restored: it sends again.
    #[arg(long)]
    pub moved: bool,
    /// This is a copy, for a rehearsal: it never sends.
    #[arg(long)]
    pub copy: bool,
}

/// `connector`.
#[derive(Clone, Debug, Subcommand)]
pub enum Connector {
    /// List the kinds of tool this program knows.
    List,
}

/// `schema`.
#[derive(Clone, Debug, Subcommand)]
pub enum Schema {
    /// List the schemas.
    List,
    /// Show one schema; `config` is the configuration's.
    Show(SchemaType),
    /// Check a file of events, or a configuration, against its schemas.
    Validate(SchemaFile),
}

/// `schema show`.
#[derive(Clone, Debug, Args)]
pub struct SchemaType {
    /// Its name: activity, activity.created, org.raccord.activity.created.v1, config.
    #[arg(value_name = "TYPE")]
    pub name: String,
}

/// `schema validate`.
#[derive(Clone, Debug, Args)]
pub struct SchemaFile {
    /// A CloudEvent, a list of them, one a line, or a .toml configuration; - reads standard input.
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
}

/// `completions`.
#[derive(Clone, Debug, Args)]
pub struct Completions {
    /// bash, zsh, fish, elvish or powershell.
    #[arg(value_name = "SHELL", hide_possible_values = true)]
    pub shell: clap_complete::Shell,
}

/// `man`.
#[derive(Clone, Debug, Args)]
pub struct Man {
    /// The command; the whole program where it is left out.
    #[arg(value_name = "COMMAND")]
    pub command: Option<String>,
}

/// `help`.
#[derive(Clone, Debug, Args)]
pub struct Help {
    /// The command.
    #[arg(value_name = "COMMAND")]
    pub of: Option<String>,
}

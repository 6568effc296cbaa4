//! `torture`: the campaign of kills, as long as one wants.

#![expect(clippy::print_stdout, reason = "a command that prints its report")]

use clap::Parser;
use raccord_tests::cards::{self, System};
use raccord_tests::rooms::{self, Kind};
use raccord_tests::{registers, sites};

#[derive(Parser)]
struct Arguments {
    /// In the rooms of this chat, instead of with a site, a programme and a receiver.
    #[arg(long)]
    chat: Option<Kind>,
    /// How much people say in such a room during a day without us.
    #[arg(long, default_value_t = 2_000, requires = "chat")]
    messages: usize,
    /// With credits that go there, instead.
    #[arg(long, conflicts_with = "chat")]
    cashless: Option<System>,

    /// On this site, instead of with a site of our own, a programme and a receiver.
    #[arg(long, conflicts_with = "chat")]
    site: Option<sites::Kind>,

    /// Where people sign up in this tool, instead.
    #[arg(long, conflicts_with = "chat")]
    register: Option<registers::Kind>,

    /// With people who sign up, and a mail server that tells them.
    #[arg(long, conflicts_with = "chat")]
    mail: bool,

    /// With a letter to so many readers.
    #[arg(long, conflicts_with = "chat")]
    readers: Option<usize>,

    /// How often the daemon is killed.
    #[arg(long, default_value_t = 300)]
    kills: usize,
    /// The seed of the edits and moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> anyhow::Result<()> {
    let Arguments {
        chat,
        messages,
        site,
        readers,
        cashless,
        mail,
        register,
        kills,
        seed,
    } = Arguments::parse();
    if mail {
        print!("{}", raccord_tests::mails::run(kills, seed)?);
        return Ok(());
    }
    if let Some(site) = site {
        println!("{:?}", sites::torture(site, kills, seed)?);
        return Ok(());
    }
    if let Some(register) = register {
        println!("{:?}", registers::torture(register, kills, seed)?);
        return Ok(());
    }
    if let Some(readers) = readers {
        print!("{}", raccord_tests::letters::run(readers, kills, seed)?);
        return Ok(());
    }
    if let Some(chat) = chat {
        print!("{}", rooms::torture(chat, kills, seed)?);
        println!("{}", rooms::away_for_a_day(chat, messages)?);
        return Ok(());
    }
    if let Some(system) = cashless {
        print!("{}", cards::torture(system, kills, seed)?);
        return Ok(());
    }
    let report = raccord_tests::torture::run(kills, seed)?;
    println!("{report:?}");
    let took = raccord_tests::torture::refused_then_killed(500)?;
    println!("500 events refused, killed, recovered: all there after {took:?}");
    raccord_tests::restore::backed_up_and_restored()?;
    raccord_tests::restore::copied()?;
    println!("restored after twenty more changes: nothing twice; a copy: nothing sent");
    Ok(())
}

//! Where the log of a place lies: in a folder of this machine, or in a cluster of which the folder
//! keeps a copy.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use raccord_bus::jetstream::{
    self, ClusterError, EventOut, JetstreamLog, JetstreamReader, Known, Node, RESTORED, name,
};
use raccord_bus::{
    Forgotten, Head, Log, LogError, LogRead, MOVED, Past, Reader, SqliteLog, SqliteReader,
};
use raccord_model::{PlaceId, Words};

use super::clusters::{Claim, Clusters, Link};
use super::socket;
use crate::report::Problem;
use crate::settings::Settings;

/// Who asked to be forgotten, where the log lies in a cluster: a remark, and each machine's own list.
const FORGOTTEN: &str = "forgotten";

/// Where the log of one place lies.
#[derive(Clone, Debug)]
pub(crate) struct Home {
    place: PlaceId,
    data: PathBuf,
    /// What is said where something is wrong with it.
    address: String,
    cluster: Option<Link>,
    claim: Option<Arc<Claim>>,
    /// Whether this process answers at the folder's door.
    answers: bool,
}

/// An open log, and what is known of its past.
pub(crate) struct Opened {
    /// The log.
    pub(crate) log: Box<dyn Log>,
    /// Its past.
    pub(crate) past: Past,
}

impl Home {
    /// Where `settings` say, reached.
    ///
    /// # Errors
    /// When a cluster cannot be reached, or refuses.
    pub(crate) fn of(settings: &Settings, clusters: &Clusters) -> Result<Self, Problem> {
        let in_folder = Self::folder(&settings.place.id, &settings.data);
        Ok(match &settings.cluster {
            None => in_folder,
            Some(cluster) => {
                let link = clusters.link(cluster)?;
                link.keeps_copy(&in_folder.place, &in_folder.data);
                Self {
                    address: settings.address(),
                    cluster: Some(link),
                    ..in_folder
                }
            }
        })
    }

    /// The log of `place` in the folder `data`.
    pub(crate) fn folder(place: &PlaceId, data: &Path) -> Self {
        Self {
            place: place.clone(),
            data: data.to_owned(),
            address: data.display().to_string(),
            cluster: None,
            claim: None,
            answers: false,
        }
    }

    /// The same for the daemon that answers at the folder's door.
    pub(crate) fn at_home(self) -> Self {
        Self {
            answers: true,
            ..self
        }
    }

    /// Refuses a folder whose daemon sleeps: it holds no lock, and writes again when it is woken.
    ///
    /// # Errors
    /// [`LogError::Locked`] for such a folder.
    pub(crate) fn nobody_sleeps(&self) -> Result<(), LogError> {
        if self.answers || !socket::answers(&self.data) {
            return Ok(());
        }
        Err(LogError::Locked {
            folder: self.data.clone(),
            pid: None,
        })
    }

    /// What is said where something is wrong with it.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// The folder: of the log, or of what this machine keeps of it.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// The place.
    pub(crate) fn place(&self) -> &PlaceId {
        &self.place
    }

    /// This process among the nodes that share the place, where there are any.
    ///
    /// # Errors
    /// When it cannot join them.
    pub(crate) fn node(&self) -> Result<Option<Arc<Node>>, Problem> {
        let node = self.cluster.as_ref().map(Link::node).transpose();
        node.map_err(|error| self.refused(&error))
    }

    /// The same, held by this process until the last of it is dropped; none where another node that
    /// lives holds it.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub(crate) fn claimed(self) -> Result<Option<Self>, Problem> {
        self.claimed_by(Node::claim)
    }

    /// The same for a command, which finds the place held by one that was killed a moment ago.
    ///
    /// # Errors
    /// When the cluster refuses.
    pub(crate) fn claimed_soon(self) -> Result<Option<Self>, Problem> {
        self.claimed_by(Node::claim_from_the_dead)
    }

    fn claimed_by(
        mut self,
        claim: impl FnOnce(&Node, &PlaceId) -> Result<bool, LogError>,
    ) -> Result<Option<Self>, Problem> {
        let Some(link) = self.cluster.clone() else {
            return Ok(Some(self));
        };
        let made = link.claimed(&self.place, claim);
        let Some(made) = made.map_err(|error| self.refused(&error))? else {
            return Ok(None);
        };
        self.claim = Some(made);
        Ok(Some(self))
    }

    /// Whether this process may work for the place: nobody else can have taken it.
    pub(crate) fn is_ours(&self) -> bool {
        let claim = self.claim.as_ref();
        claim.is_none_or(|claim| claim.is_ours())
    }

    /// Whether another node has taken the place from this process.
    pub(crate) fn is_lost(&self) -> bool {
        let claim = self.claim.as_ref();
        claim.is_some_and(|claim| claim.is_lost())
    }

    /// What is said once another node has taken it.
    pub(crate) fn taken_over(&self) -> Problem {
        Problem::failed(
            &self.address,
            "cluster.taken-over",
            Words::new(
                "Un autre programme s'occupe de ce lieu depuis que celui-ci est resté un moment sans réponse des serveurs.",
                "Another node works for this place since this one was without an answer of the servers for a while.",
            ),
            Words::new(
                "Relancez la commande : elle sera confiée à l'autre programme.",
                "Run the command again: it is handed to the other node.",
            ),
        )
    }

    /// Whether its log lies in a cluster.
    pub(crate) fn is_shared(&self) -> bool {
        self.cluster.is_some()
    }

    /// Where the last event stood that other programs were told; none where nothing was.
    ///
    /// # Errors
    /// As the cluster refuses.
    pub(crate) fn published(&self) -> Result<Option<String>, LogError> {
        match &self.cluster {
            Some(link) => link.jetstream.published(&self.place),
            None => Ok(None),
        }
    }

    /// Tells other programs of these events, durable when this returns; nobody where the log lies in a
    /// folder.
    ///
    /// # Errors
    /// As the cluster refuses.
    pub(crate) fn publish(&self, events: &[EventOut]) -> Result<(), LogError> {
        match &self.cluster {
            Some(link) => link.jetstream.publish_events(&self.place, events),
            None => Ok(()),
        }
    }

    /// What the node is called that works for the place, where there is one that shares it.
    pub(crate) fn holder(&self) -> Option<String> {
        let node = self.cluster.as_ref()?.node().ok()?;
        let view = node.view();
        let view = view.borrow();
        view.holder(&self.place).map(|id| name(id).to_owned())
    }

    /// Opens the log for writing, and makes this its only writer.
    ///
    /// # Errors
    /// As the log refuses.
    pub(crate) fn open(&self) -> Result<Opened, LogError> {
        Ok(match &self.cluster {
            None => {
                self.nobody_sleeps()?;
                let opened = SqliteLog::open(&self.data, &self.place)?;
                Opened {
                    log: Box::new(opened.log),
                    past: opened.past,
                }
            }
            Some(link) => {
                let mut opened = JetstreamLog::open(&link.jetstream, &self.data, &self.place)?;
                // Asked in any case: what others know is let go once it was heard.
                let told = self.others_know_more(&mut opened.log, link)?;
                let restored = opened.restored || told;
                let past = Past {
                    restored,
                    moved: opened.log.meta(MOVED)?,
                    ..Past::default()
                };
                Opened {
                    log: Box::new(opened.log),
                    past,
                }
            }
        })
    }

    /// Whether another machine has read what the log does not have: then it went back in time, and
    /// that is remembered.
    fn others_know_more(&self, log: &mut JetstreamLog, link: &Link) -> Result<bool, LogError> {
        let node = link.node()?;
        let known = node.others_know(&self.place);
        let mut more = Vec::new();
        for (other, known) in known {
            if !jetstream::has(log, &known)? {
                tracing::warn!(place = %self.place, node = name(&other), "another machine has read more of the log than there is");
                more.push((other, known));
            }
        }
        if !more.is_empty() {
            log.set_meta(RESTORED, Some("yes"))?;
        }
        for (other, known) in &more {
            node.told(other, &self.place, known);
        }
        Ok(!more.is_empty())
    }

    /// What this machine's copy knows that the cluster, as it answers, does not have; nothing is
    /// concluded from that before the log's writer says so too.
    ///
    /// # Errors
    /// As either cannot be read.
    pub(crate) fn knows_more(&self) -> Result<Option<Known>, LogError> {
        match &self.cluster {
            Some(link) => jetstream::outdoes(&link.jetstream, &self.data, &self.place),
            None => Ok(None),
        }
    }

    /// Lets this machine's copy go, if it is still that one: what it knew was heard.
    ///
    /// # Errors
    /// As the machine refuses.
    pub(crate) fn forget_copy(&self, known: &Known) -> Result<(), LogError> {
        if jetstream::copied(&self.data, &self.place)?.as_ref() == Some(known) {
            jetstream::drop_copy(&self.data)?;
        }
        Ok(())
    }

    /// Opens the log for reading; none where the place never ran.
    ///
    /// # Errors
    /// As the log refuses.
    pub(crate) fn read(&self) -> Result<Option<Box<dyn Reader>>, LogError> {
        self.read_with(Some(&self.data))
    }

    /// The same for a handle that is kept: it leaves this machine's copy to whoever writes the log.
    ///
    /// # Errors
    /// As the log refuses.
    pub(crate) fn read_apart(&self) -> Result<Option<Box<dyn Reader>>, LogError> {
        self.read_with(None)
    }

    fn read_with(&self, copy: Option<&Path>) -> Result<Option<Box<dyn Reader>>, LogError> {
        let opened: Result<Box<dyn Reader>, LogError> = match &self.cluster {
            None => SqliteReader::open(&self.data, &self.place).map(|log| Box::new(log) as _),
            Some(link) => JetstreamReader::open(&link.jetstream, copy, &self.place)
                .map(|log| Box::new(log) as _),
        };
        match opened {
            Ok(log) => Ok(Some(log)),
            Err(LogError::Missing { .. } | LogError::Cluster(ClusterError::Missing { .. })) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Makes this the home of the very log that `log` is, in place of any other that is there.
    ///
    /// # Errors
    /// As either refuses.
    pub(crate) fn take_in(&self, log: &dyn LogRead) -> Result<Head, LogError> {
        match &self.cluster {
            None => {
                self.nobody_sleeps()?;
                raccord_bus::adopt(log, &self.data, true)
            }
            Some(link) => {
                jetstream::discard(&link.jetstream, &self.place)?;
                jetstream::to_cluster(log, &link.jetstream)
            }
        }
    }

    /// The same for a log of another time: what this machine kept of the cluster's goes with it.
    ///
    /// # Errors
    /// As either refuses.
    pub(crate) fn take_back(&self, log: &dyn LogRead) -> Result<Head, LogError> {
        let head = self.take_in(log)?;
        if self.is_shared() {
            jetstream::drop_copy(&self.data)?;
        }
        Ok(head)
    }

    /// Who asked to be forgotten: the list beside the log, and what other machines know.
    ///
    /// # Errors
    /// When it cannot be read: nobody must be brought back by mistake.
    pub(crate) fn forgotten(&self, log: &dyn LogRead) -> Result<Forgotten, LogError> {
        let mut list = Forgotten::open(&self.data)?;
        if self.cluster.is_some()
            && let Some(known) = log.meta(FORGOTTEN)?
        {
            list.join(&known)?;
        }
        Ok(list)
    }

    /// Tells the other machines who asked to be forgotten, where there are any.
    ///
    /// # Errors
    /// As a write fails.
    pub(crate) fn tell_forgotten(
        &self,
        log: &mut dyn Log,
        list: &Forgotten,
    ) -> Result<(), LogError> {
        if self.cluster.is_none() || list.is_empty() {
            return Ok(());
        }
        let text = list.text();
        if log.meta(FORGOTTEN)?.as_ref() == Some(&text) {
            return Ok(());
        }
        log.set_meta(FORGOTTEN, Some(&text))
    }

    /// What the log refused, as people read it.
    pub(crate) fn refused(&self, error: &LogError) -> Problem {
        refused(&self.address, error)
    }
}

/// What a log at `address` refused, as people read it.
pub(crate) fn refused(address: &str, error: &LogError) -> Problem {
    Problem::failed(address, error.code(), error.text(), error.mend())
}

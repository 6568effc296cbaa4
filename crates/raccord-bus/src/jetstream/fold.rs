//! Which messages of the subject are the log: the ones that extend the accepted chain in the highest
//! term announced. The broker is not trusted for order; what does not fit is skipped and told.
//!
//! Pure: messages go in, accepted commits come out.

use super::frame::{Content, Frame, Group, Part, unpack};
use crate::Head;

/// Where reading stands.
#[derive(Clone, Debug)]
pub(super) struct Fold {
    /// What reading started from.
    base: Head,
    /// The last accepted commit.
    head: Head,
    /// The highest term announced.
    term: u64,
    assembly: Option<Assembly>,
    /// The last commit of those that follow one that is not there.
    beyond: Option<Head>,
    /// From which commit on each term wrote, since `base`.
    terms: Vec<(u64, u64)>,
}

/// The parts of a group that are in.
#[derive(Clone, Debug)]
struct Assembly {
    first: Part,
    term: u64,
    packed: Vec<u8>,
    next: u16,
}

/// What became of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Took {
    /// A new term begins.
    Term,
    /// These commits extend the log.
    Group(Group),
    /// More parts are to come.
    Part,
    /// It lies before what reading started from.
    Known,
    /// It is not part of the log.
    Skipped(Skip),
}

/// Why a message is not part of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Skip {
    /// It is none of ours, or a later version's, or garbled.
    Unreadable,
    /// Its writer had been replaced.
    Replaced,
    /// A part without the parts before it.
    Stray,
    /// It follows another commit than the one that is there.
    OtherChain,
    /// It follows a commit that is not there.
    Gap,
}

impl Fold {
    /// Reading on from `base`.
    pub(super) fn from(base: Head, term: u64) -> Self {
        Self {
            base,
            head: base,
            term: term.max(base.term),
            assembly: None,
            beyond: None,
            terms: Vec::new(),
        }
    }

    pub(super) fn head(&self) -> Head {
        self.head
    }

    pub(super) fn term(&self) -> u64 {
        self.term
    }

    /// The last commit the subject speaks of, where one before it is missing.
    pub(super) fn beyond(&self) -> Option<Head> {
        self.beyond
    }

    /// Whether nothing is half read.
    pub(super) fn is_whole(&self) -> bool {
        self.assembly.is_none()
    }

    /// The term of commit `number`; none where reading did not see it.
    pub(super) fn term_of(&self, number: u64) -> Option<u64> {
        if number <= self.base.number || number > self.head.number {
            return None;
        }
        let index = self.terms.partition_point(|(from, _)| *from <= number);
        self.terms[..index].last().map(|(_, term)| *term)
    }

    /// Reads the next message.
    pub(super) fn take(&mut self, frame: Option<Frame>) -> Took {
        let Some(Frame { term, content }) = frame else {
            return Took::Skipped(Skip::Unreadable);
        };
        match content {
            Content::Term(_) if term > self.term => {
                self.term = term;
                self.assembly = None;
                Took::Term
            }
            // Announced before what reading started from.
            Content::Term(_) if term <= self.base.term => Took::Known,
            Content::Term(_) => Took::Skipped(Skip::Replaced),
            Content::Part(part) => self.take_part(term, &part),
        }
    }

    fn take_part(&mut self, term: u64, part: &Part) -> Took {
        let before = self.assembly.take();
        if term < self.term {
            // The writer in office may be amid its parts: another's message does not stop them.
            self.assembly = before;
            return if part.after < self.base.number {
                Took::Known
            } else {
                Took::Skipped(Skip::Replaced)
            };
        }
        let mut assembly = match before {
            _ if part.index == 0 => Assembly {
                first: part.without_bytes(),
                term,
                packed: Vec::new(),
                next: 0,
            },
            Some(assembly) if assembly.continues(term, part) => assembly,
            _ if part.after < self.base.number => return Took::Known,
            other => {
                self.assembly = other;
                return Took::Skipped(Skip::Stray);
            }
        };
        if assembly.packed.len() + part.bytes.len() > assembly.first.most() {
            return Took::Skipped(Skip::Unreadable);
        }
        assembly.packed.extend_from_slice(&part.bytes);
        assembly.next += 1;
        if assembly.next < part.count {
            self.assembly = Some(assembly);
            return Took::Part;
        }
        let Some(group) = unpack(&assembly.first, term, &assembly.packed) else {
            return Took::Skipped(Skip::Unreadable);
        };
        self.judge(term, &assembly.first, group)
    }

    fn judge(&mut self, term: u64, first: &Part, mut group: Group) -> Took {
        let Some(last) = group.commits.last().map(crate::Commit::head) else {
            return Took::Skipped(Skip::Unreadable);
        };
        if term > self.term {
            // Nobody announced it: its marker is missing, or what was read in its place is not what
            // stands there.
            return self.miss(first, last);
        }
        // Of a group that reading started within, the rest counts.
        let inside = first.after < self.base.number && self.head == self.base;
        if inside {
            if last.number < self.base.number || last == self.base {
                return Took::Known;
            }
            let known = group
                .commits
                .iter()
                .any(|commit| commit.number == self.base.number && commit.head() == self.base);
            if !known {
                return Took::Skipped(Skip::OtherChain);
            }
            group
                .commits
                .retain(|commit| commit.number > self.base.number);
        }
        let extends =
            inside || (first.after == self.head.number && first.previous == self.head.hash);
        let later = group
            .commits
            .first()
            .is_some_and(|commit| self.head.number == 0 || commit.at >= self.head.at);
        if extends && later && term == self.term {
            let from = group.commits[0].number;
            if self.terms.last().is_none_or(|(_, known)| *known != term) {
                self.terms.push((from, term));
            }
            self.head = last;
            self.beyond = None;
            return Took::Group(group);
        }
        if first.after > self.head.number {
            return self.miss(first, last);
        }
        Took::Skipped(Skip::OtherChain)
    }

    /// A group up to `last` follows what is not there.
    fn miss(&mut self, first: &Part, last: Head) -> Took {
        let follows = self
            .beyond
            .is_some_and(|beyond| beyond.number == first.after && beyond.hash == first.previous);
        if follows || self.beyond.is_none() {
            self.beyond = Some(last);
        }
        Took::Skipped(Skip::Gap)
    }
}

impl Assembly {
    fn continues(&self, term: u64, part: &Part) -> bool {
        let first = &self.first;
        term == self.term
            && part.index == self.next
            && (part.after, part.previous, part.count, part.size)
                == (first.after, first.previous, first.count, first.size)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::super::frame::{PART, pack};
    use super::*;

    fn genesis() -> Head {
        Head::genesis(&"raffinerie".parse().unwrap())
    }

    fn term(term: u64) -> Frame {
        Frame {
            term,
            content: Content::Term([0; 16]),
        }
    }

    fn group(after: &Head, term: u64, bodies: &[&str]) -> Frame {
        let entries: Vec<_> = bodies
            .iter()
            .map(|body| (Timestamp::UNIX_EPOCH, body))
            .collect();
        pack(after, term, entries.into_iter(), (&[], 0), PART).remove(0)
    }

    /// Parts of one commit that does not pack.
    fn parts(after: &Head, term: u64, seed: u8) -> Vec<Frame> {
        let body: Vec<u8> = (0..=255).map(|byte: u8| byte.wrapping_mul(seed)).collect();
        pack(
            after,
            term,
            [(Timestamp::UNIX_EPOCH, body)].into_iter(),
            (&[], 0),
            40,
        )
    }

    fn fold_of(frames: impl IntoIterator<Item = Frame>) -> Fold {
        let mut fold = Fold::from(genesis(), 0);
        for frame in frames {
            fold.take(Some(frame));
        }
        fold
    }

    #[test]
    fn a_writer_that_was_replaced_writes_nothing_more() {
        let mut fold = fold_of([term(1), group(&genesis(), 1, &["a", "b"])]);
        let head = fold.head();
        assert_eq!(head.number, 2);
        assert_eq!(fold.take(Some(term(2))), Took::Term);
        let late = fold.take(Some(group(&head, 1, &["late"])));
        assert_eq!(late, Took::Skipped(Skip::Replaced));
        assert_eq!(fold.take(Some(term(1))), Took::Skipped(Skip::Replaced));
        assert!(matches!(
            fold.take(Some(group(&head, 2, &["c"]))),
            Took::Group(_)
        ));
        assert_eq!((fold.term_of(2), fold.term_of(3)), (Some(1), Some(2)));
        assert_eq!(fold.term_of(4), None);
    }

    #[test]
    fn parts_count_with_the_last_and_a_stranger_between_them_changes_nothing() {
        let all = parts(&genesis(), 1, 3);
        assert!(all.len() > 3);
        let mut fold = fold_of([term(1)]);
        for frame in &all[..2] {
            assert_eq!(fold.take(Some(frame.clone())), Took::Part);
        }
        assert_eq!(fold.take(None), Took::Skipped(Skip::Unreadable));
        assert_eq!(fold.take(Some(term(1))), Took::Skipped(Skip::Replaced));
        for frame in &all[2..all.len() - 1] {
            assert_eq!(fold.take(Some(frame.clone())), Took::Part);
        }
        assert_eq!(fold.head().number, 0);
        assert!(matches!(fold.take(all.last().cloned()), Took::Group(_)));
    }

    #[test]
    fn parts_whose_rest_never_came_are_nothing() {
        let (lost, next) = (parts(&genesis(), 1, 3), parts(&genesis(), 2, 5));
        let mut fold = fold_of([term(1)]);
        fold.take(Some(lost[0].clone()));
        fold.take(Some(term(2)));
        assert!(fold.is_whole());
        let stray = fold.take(Some(Frame {
            term: 2,
            ..lost[1].clone()
        }));
        assert_eq!(stray, Took::Skipped(Skip::Stray));
        for frame in next {
            fold.take(Some(frame));
        }
        assert_eq!(fold.head().number, 1);
    }

    #[test]
    fn a_hole_is_told_and_not_stepped_over() {
        let whole = fold_of([term(1), group(&genesis(), 1, &["a"])]);
        let later = group(&whole.head(), 1, &["b", "c"]);
        let mut fold = fold_of([term(1)]);
        assert_eq!(fold.take(Some(later)), Took::Skipped(Skip::Gap));
        assert_eq!(fold.beyond().map(|head| head.number), Some(3));
        assert_eq!(fold.head().number, 0);
        // It was a stranger's invention if the writer goes on from here.
        fold.take(Some(group(&genesis(), 1, &["a"])));
        assert_eq!((fold.beyond(), fold.head().number), (None, 1));
        // A term nobody announced: its marker is missing.
        let unannounced = fold.take(Some(group(&whole.head(), 7, &["b"])));
        assert_eq!(unannounced, Took::Skipped(Skip::Gap));
    }

    /// The message in place of a marker was read from a server that still had what was lost.
    #[test]
    fn a_term_nobody_announced_is_told_wherever_reading_stands() {
        let common = fold_of([term(1), group(&genesis(), 1, &["a"])]).head();
        let lost = fold_of([
            term(1),
            group(&genesis(), 1, &["a"]),
            group(&common, 1, &["lost"]),
        ]);
        let stands = group(&common, 2, &["stands"]);
        for mut fold in [lost.clone(), Fold::from(lost.head(), 1)] {
            assert_eq!(fold.take(Some(stands.clone())), Took::Skipped(Skip::Gap));
            assert_eq!(fold.beyond().map(|head| head.number), Some(2));
        }
    }

    #[test]
    fn reading_may_begin_within_a_group() {
        let frames = [term(1), group(&genesis(), 1, &["a", "b", "c"])];
        let Took::Group(read) = fold_of([term(1)]).take(Some(frames[1].clone())) else {
            panic!("not accepted");
        };
        let base = read.commits[1].head();
        let mut fold = Fold::from(base, base.term);
        assert_eq!(fold.take(Some(frames[0].clone())), Took::Known);
        let Took::Group(rest) = fold.take(Some(frames[1].clone())) else {
            panic!("not accepted");
        };
        assert_eq!(rest.commits, read.commits[2..]);
        // Of another chain, the same place is not good enough.
        let mut fold = Fold::from(
            Head {
                hash: genesis().hash,
                ..base
            },
            1,
        );
        assert_eq!(
            fold.take(Some(frames[1].clone())),
            Took::Skipped(Skip::OtherChain)
        );
    }

    proptest! {
        /// Two writers whose messages arrive in any order, some twice, some not at all: what is
        /// accepted is one chain in rising terms.
        #[test]
        fn what_is_accepted_is_always_one_chain(
            picks in prop::collection::vec(any::<prop::sample::Index>(), 0..60)
        ) {
            let mut frames = vec![term(1), term(2), term(3)];
            let mut heads = vec![genesis()];
            for round in 0..12_u64 {
                let head = heads[(round * 7 % heads.len() as u64) as usize];
                let in_term = 1 + round % 3;
                let mut alone = Fold::from(head, in_term);
                let made = if round % 4 == 3 {
                    parts(&head, in_term, round as u8)
                } else {
                    vec![group(&head, in_term, &["x", "y"])]
                };
                for frame in &made {
                    alone.take(Some(frame.clone()));
                }
                heads.push(alone.head());
                frames.extend(made);
            }
            let mut fold = Fold::from(genesis(), 0);
            let mut head = genesis();
            for pick in picks {
                if let Took::Group(group) = fold.take(Some(pick.get(&frames).clone())) {
                    for commit in group.commits {
                        prop_assert_eq!(commit.previous, head.hash);
                        prop_assert_eq!(commit.number, head.number + 1);
                        prop_assert!(commit.term >= head.term);
                        head = commit.head();
                    }
                }
                prop_assert_eq!(fold.head(), head);
            }
        }
    }
}

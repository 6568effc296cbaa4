//! Which line of a new reading is which known entity.
//!
//! A source hands in lines without ids; people sort them, insert some, mend titles, move dates,
//! paste copies. Matching goes from certain to likely: native id, identical content, then scored
//! assignment of what is left. What could be read in two ways is not decided but asked.

mod certain;
mod doubt;
mod features;
mod matching;
mod series;
mod story;
mod verdict;
mod words;

#[cfg(test)]
mod tests;

pub use features::Features;
pub use matching::{Candidate, Heard, Matching, Question, Standing, match_lines};
pub use words::fold_title;

//! Measures how well lines of a programme keep their identity while people edit the sheet.
//!
//! Invents the lives of sheets by seed, with the truth (which line is which activity, all along),
//! plays them through the real reader and the real engine, and compares what the engine made of
//! them with the truth, beside simpler methods. It refuses to know how the engine matches: it
//! looks at readings, entities and questions only.

pub mod blocks;
pub mod edit;
pub mod history;
pub mod lines;
pub mod place;
pub mod referee;
pub mod rng;
pub mod sheet;
pub mod words;

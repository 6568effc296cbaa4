//! Measures how well lines of a programme keep their identity while people edit the sheet.
//!
//! Invents the lives of sheets by seed, with the truth (which line is which activity, all along),
//! plays them through the real reader and the real engine, and compares what the engine made of
//! them with the truth, beside simpler methods. It refuses to know how the engine matches: it
//! looks at readings, entities and questions only.

pub mod baseline;
pub mod blocks;
pub mod edit;
pub mod engine;
pub mod history;
pub mod lines;
pub mod place;
pub mod play;
pub mod read;
pub mod referee;
pub mod report;
pub mod rng;
pub mod score;
pub mod sheet;
pub mod truth;
pub mod words;

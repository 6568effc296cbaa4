//! The `raccord` program: command line, settings, the connector table, and what people read.
//!
//! Decisions are the engine's, durability is the bus's, translation is the connectors'; here they
//! are wired together and nothing else.

pub mod cli;
pub mod connectors;
pub mod locale;
pub mod log;
pub mod report;
pub mod runtime;
pub mod settings;
pub mod shapes;
mod sheet;
pub mod support;

//! The words of Raccord: entities, events, envelope, readings, effects and their schemas. No I/O.

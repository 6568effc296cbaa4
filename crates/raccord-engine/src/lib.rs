//! The pure state machine that decides: no I/O, no clock, no randomness.

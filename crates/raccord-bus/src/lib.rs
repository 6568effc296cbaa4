//! The log of a place: one trait, its backends, one conformance suite.

//! The HTTP face of Raccord: events in and out, health, metrics, the public programme.

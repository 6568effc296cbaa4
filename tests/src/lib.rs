//! End-to-end: the whole program against real servers and faithful stand-ins.

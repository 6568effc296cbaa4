//! Writes a small static web site with a calendar to subscribe to.

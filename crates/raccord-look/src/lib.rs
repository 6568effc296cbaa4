//! What everything that a place shows has in common, on paper and on screens: its colours and
//! their tint, the shapes that tell kinds apart without colour, the letters of titles, French and
//! English typography, the words for hours, and what of a foreign text can be shown at all.
//!
//! Pure: it opens no file and asks no clock. It knows neither pages nor paper; those who draw do.

pub mod clean;
mod colour;
pub mod dates;
pub mod html;
pub mod instants;
mod marks;
mod style;
mod typography;

pub use colour::{DARK, LIGHT, Theme, Tint, WrongColour, contrast};
pub use marks::{Marks, path, usual};
pub use style::{LETTERS, LETTERS_FILE, OUTLINES, squeezed, style};
pub use typography::{FIXED, NARROW, credits, hour, set};

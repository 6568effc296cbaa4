//! Prints the month's programme as a PDF.

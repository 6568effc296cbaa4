//! Typesets a document to PDF with Typst, with no file, network or package access.

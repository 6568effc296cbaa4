//! Reads the lines of a spreadsheet: CSV, XLSX, ODS, from disk or over http.

//! How much of a document is read: enough for any programme, too little for a bomb.

/// Bytes of a document on disk or over http.
pub(crate) const BYTES: u64 = 64 * 1024 * 1024;
/// Bytes a compressed workbook may hold once unpacked, all parts together.
pub(crate) const UNPACKED: u64 = 512 * 1024 * 1024;
/// Parts of a compressed workbook.
pub(crate) const PARTS: usize = 10_000;
/// Lines that hold something, in all tabs together.
pub(crate) const ROWS: u32 = 200_000;
/// Columns.
pub(crate) const COLUMNS: usize = 1_024;
/// Characters of a cell; a longer one is told, and left out.
pub(crate) const CELL: usize = 32_767;
/// Bytes of a cell; with a longer one the document is refused.
pub(crate) const CELL_BYTES: usize = 1024 * 1024;
/// Tabs.
pub(crate) const TABS: usize = 1_000;
/// Tables or rooms that are asked for one by one.
pub(crate) const TABLES: usize = 20;
/// Bytes of what a program says of one table, or of one room.
pub(crate) const TABLE: u64 = 16 * 1024 * 1024;
/// Cells and lines that could not be read, told one by one.
pub(crate) const TOLD: usize = 1_000;

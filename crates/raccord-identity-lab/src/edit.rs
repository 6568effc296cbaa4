//! The kinds of edits people make to a sheet.

/// A kind of edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "told by `name`")]
pub enum Edit {
    Typo,
    CaseAccentsEmoji,
    RetitleMore,
    RetitleWhole,
    MoveDate,
    MoveHours,
    MoveRoom,
    MoveDateHours,
    SeveralFields,
    Describe,
    CancelByStatus,
    SwapPositions,
    SwapTitles,
    SwapDates,
    Duplicate,
    DuplicateEdited,
    EditCopy,
    Split,
    Merge,
    Sort,
    Insert,
    InsertMany,
    Delete,
    DeleteOccurrence,
    CancelOccurrence,
    AddOccurrence,
    MoveOccurrence,
    ShiftSeries,
    Replace,
    BlockToTab,
    Cut,
    PasteWithin,
    PasteElsewhere,
    PasteAfterLong,
    RenameColumns,
    ReorderColumns,
    InsertColumn,
    DropColumn,
    Formats,
    Sections,
    BulkRoom,
    DragDown,
    PasteLastMonth,
    EditPasted,
    PasteLastMonthEdited,
    RenameTab,
    Empty,
    HalfLost,
    Undo,
    YearRolled,
    RollForward,
}

impl Edit {
    /// What it is called in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Typo => "typo in a title",
            Self::CaseAccentsEmoji => "case, accents, emoji",
            Self::RetitleMore => "title completed or cut",
            Self::RetitleWhole => "quite another title",
            Self::MoveDate => "another date",
            Self::MoveHours => "other hours",
            Self::MoveRoom => "another room",
            Self::MoveDateHours => "another date and other hours",
            Self::SeveralFields => "hours, room and who runs it",
            Self::Describe => "description rewritten",
            Self::CancelByStatus => "status says cancelled",
            Self::SwapPositions => "two lines change places",
            Self::SwapTitles => "two lines exchange titles",
            Self::SwapDates => "two activities exchange dates",
            Self::Duplicate => "line pasted below itself",
            Self::DuplicateEdited => "line duplicated and edited in one save",
            Self::EditCopy => "the copy is edited",
            Self::Split => "one line becomes two",
            Self::Merge => "two lines become one",
            Self::Sort => "sorted",
            Self::Insert => "a new line",
            Self::InsertMany => "several new lines",
            Self::Delete => "a line deleted",
            Self::DeleteOccurrence => "an occurrence deleted",
            Self::CancelOccurrence => "an occurrence cancelled by status",
            Self::AddOccurrence => "an occurrence added",
            Self::MoveOccurrence => "an occurrence moved",
            Self::ShiftSeries => "a series shifted by a week",
            Self::Replace => "one out, another in its slot",
            Self::BlockToTab => "a block moved to another tab",
            Self::Cut => "a line cut (first save)",
            Self::PasteWithin => "pasted in the same tab (second save)",
            Self::PasteElsewhere => "pasted in another tab (second save)",
            Self::PasteAfterLong => "pasted back after the cancellation",
            Self::RenameColumns => "columns renamed",
            Self::ReorderColumns => "columns reordered",
            Self::InsertColumn => "a column inserted",
            Self::DropColumn => "a column deleted",
            Self::Formats => "formats of dates and hours changed",
            Self::Sections => "blank lines and section titles",
            Self::BulkRoom => "a room renamed everywhere",
            Self::DragDown => "a cell dragged down",
            Self::PasteLastMonth => "last month pasted below",
            Self::EditPasted => "the pasted month gets its dates",
            Self::PasteLastMonthEdited => "last month pasted with new dates",
            Self::RenameTab => "a tab renamed",
            Self::Empty => "sheet emptied",
            Self::HalfLost => "half of the sheet lost",
            Self::Undo => "undone",
            Self::YearRolled => "the year rolled over",
            Self::RollForward => "past lines out, next occurrences in",
        }
    }

    /// Whether thresholds may be chosen on it.
    pub fn is_train(self) -> bool {
        matches!(
            self,
            Self::Typo
                | Self::RetitleWhole
                | Self::MoveDate
                | Self::MoveHours
                | Self::SeveralFields
                | Self::CancelByStatus
                | Self::SwapPositions
                | Self::SwapDates
                | Self::Duplicate
                | Self::EditCopy
                | Self::Sort
                | Self::Insert
                | Self::Delete
                | Self::DeleteOccurrence
                | Self::MoveOccurrence
                | Self::Replace
                | Self::Cut
                | Self::PasteWithin
                | Self::RenameColumns
                | Self::InsertColumn
                | Self::PasteLastMonth
                | Self::EditPasted
                | Self::Empty
                | Self::Undo
        )
    }
}

//! Connections made up segment by segment.

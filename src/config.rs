//! One file's schema: loads it, layers it, hands out its sections.

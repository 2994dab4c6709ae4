//! How a measurement is shown: text for people, JSON and CSV for programs, live lines while it runs.
//!
//! Percent, `Mbit/s` and colour exist only here. `report` knows every report type; no probe knows a renderer.

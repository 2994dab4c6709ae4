//! What the files of a capture are called, one after the other: by numbers or dates, as tcpdump calls its own.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use jiff::fmt::strtime;
use jiff::tz::TimeZone;

use super::Capture;
use crate::failure::{Class, Failure};
use crate::units::Timestamp;

/// The names.
pub(super) struct Names {
    path: PathBuf,
    /// Files of a ring.
    files: Option<u64>,
    dates: Option<Dates>,
    /// Of the next file.
    number: u64,
}

/// Names that hold a date, of this host's zone.
struct Dates {
    format: String,
    zone: TimeZone,
    latest: String,
}

impl Names {
    /// Of the files that `asked` writes at `path`. What follows a `%` is strftime(3)'s where time makes new files.
    ///
    /// # Errors
    /// Class `usage` where it is no date's.
    pub(super) fn of(asked: &Capture, path: &Path) -> Result<Self, Failure> {
        let format = path.to_string_lossy();
        let dates = (asked.rotate.is_some() && format.contains('%')).then(|| Dates {
            format: format.into_owned(),
            zone: TimeZone::system(),
            latest: String::new(),
        });
        let names = Self { path: path.to_owned(), files: asked.files.map(u64::from), dates, number: 0 };
        names.dates.iter().try_for_each(|dates| dates.at(0).map(drop))?;
        Ok(names)
    }

    /// The directory that all of them are in; `None` where their dates tell it.
    pub(super) fn directory(&self) -> Option<&Path> {
        let directory = self.path.parent().filter(|directory| !directory.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        let varies = self.dates.is_some() && directory.to_string_lossy().contains('%');
        (!varies).then_some(directory)
    }

    /// The next one, of a file that begins at `moment`, nanoseconds since the epoch.
    ///
    /// # Errors
    /// As [`Names::of`].
    pub(super) fn next(&mut self, moment: u64) -> Result<PathBuf, Failure> {
        let mut name = OsString::from(&self.path);
        if let Some(dates) = &mut self.dates {
            let date = dates.at(moment)?;
            if date != dates.latest {
                self.number = 0;
            }
            name = OsString::from(&date);
            dates.latest = date;
        }
        match self.files.filter(|_| self.dates.is_none()) {
            Some(files) => {
                let digits = (files - 1).max(1).to_string().len();
                name.push(format!("{:0digits$}", self.number % files));
            }
            None if self.number > 0 => name.push(self.number.to_string()),
            None => {}
        }
        self.number += 1;
        Ok(name.into())
    }
}

impl Dates {
    fn at(&self, moment: u64) -> Result<String, Failure> {
        let moment = Timestamp::from_nanosecond(moment.into()).unwrap_or(Timestamp::MAX);
        strtime::format(&self.format, &moment.to_zoned(self.zone.clone())).map_err(|error| {
            let name = &self.format;
            Class::Usage
                .because(format_args!("--write {name}: with -G this is a date of strftime(3): {error}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Span;

    fn names(path: &str, rotate: bool, files: Option<u32>) -> Names {
        let asked = Capture { rotate: rotate.then(|| Span::secs(60)), files, ..Capture::default() };
        let mut names = Names::of(&asked, Path::new(path)).expect("names");
        if let Some(dates) = &mut names.dates {
            dates.zone = TimeZone::UTC;
        }
        names
    }

    #[test]
    fn files_are_called_as_tcpdumps() {
        const MINUTE: u64 = 60_000_000_000;
        for (path, rotate, files, expected) in [
            ("a", true, None, ["a", "a1", "a2", "a3"]),
            ("a", false, Some(3), ["a0", "a1", "a2", "a0"]),
            ("a", true, Some(100), ["a00", "a01", "a02", "a03"]),
            ("a%H", false, None, ["a%H", "a%H1", "a%H2", "a%H3"]),
            ("a-%H%M", true, None, ["a-0000", "a-0001", "a-0002", "a-0003"]),
            // A ring of dates: what is too old goes by its name.
            (
                "a-%Y%m%d-%H:%M:%S.pcap",
                true,
                Some(2),
                [
                    "a-19700101-00:00:00.pcap",
                    "a-19700101-00:01:00.pcap",
                    "a-19700101-00:02:00.pcap",
                    "a-19700101-00:03:00.pcap",
                ],
            ),
            // No file is written over while its date is that of the next.
            ("a%H", true, None, ["a00", "a001", "a002", "a003"]),
            ("100%%", true, None, ["100%", "100%1", "100%2", "100%3"]),
        ] {
            let mut names = names(path, rotate, files);
            let found = [0, 1, 2, 3].map(|minute| names.next(minute * MINUTE).expect("a name"));
            assert_eq!(found, expected.map(PathBuf::from), "{path} {files:?}");
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        let asked = Capture { rotate: Some(Span::secs(60)), ..Capture::default() };
        let refused = Names::of(&asked, Path::new("a%!.pcap")).err().expect("no date");
        assert!(refused.class == Class::Usage && refused.detail.contains("strftime"), "{refused}");
    }
}

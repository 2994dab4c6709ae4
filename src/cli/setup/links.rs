//! The names by which a command is called alone: links to the one executable.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::{Component, Path, PathBuf};

use clap::Args;

use crate::cli::applet::{UPSTREAM, linked};
use crate::cli::{names, say};
use crate::failure::{Class, Failure};

#[derive(Debug, Args)]
pub(super) struct Links {
    /// Where to make them [default: ~/.local/bin]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// Put this before each name, such as `wp-`
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    prefix: String,
    /// Also the names of earlier tools (perfDB, waddledb, ppingParser)
    #[arg(long)]
    upstream: bool,
    /// Replace other files of these names
    #[arg(long)]
    force: bool,
    /// Make hard links
    #[arg(long, conflicts_with = "sym")]
    hard: bool,
    /// Make symbolic links, which is the default
    #[arg(long)]
    sym: bool,
    /// Only list the names
    #[arg(long, conflicts_with_all = ["remove", "force"])]
    list: bool,
    /// Remove the links again; nothing else is touched
    #[arg(long, conflicts_with = "force")]
    remove: bool,
}

pub(super) fn run(args: &Links) -> Result<u8, Failure> {
    let names = args.names()?;
    if args.list {
        return say(&lines(names));
    }
    let dir = args.dir.clone().map_or_else(usual_place, Ok)?;
    let program = super::program()?;
    if !args.remove {
        fs::create_dir_all(&dir)
            .map_err(|error| Failure::from_io(format_args!("create {}", dir.display()), &error))?;
    }
    let mut done = Vec::new();
    for name in names {
        let link = dir.join(name);
        let changed = if args.remove { remove(&link, &program) } else { args.make(&link, &program) };
        if changed? {
            done.push(link.display().to_string());
        }
    }
    say(&lines(done))
}

impl Links {
    fn names(&self) -> Result<Vec<String>, Failure> {
        if self.prefix.contains('/') {
            return Err(Class::Usage.because("--prefix: a name has no slash; --dir says where"));
        }
        let known: Vec<&str> = names().collect();
        let upstream = UPSTREAM
            .iter()
            .filter(|(_, words)| self.upstream && known.contains(&words[0]))
            .map(|(name, _)| *name);
        Ok(linked().chain(upstream).map(|name| format!("{}{name}", self.prefix)).collect())
    }

    /// Makes one link; false when it is there already.
    fn make(&self, link: &Path, program: &Path) -> Result<bool, Failure> {
        match is_ours(link, program)? {
            Some(true) => return Ok(false),
            Some(false) if !self.force => {
                return Err(Class::Usage.because(format_args!(
                    "{}: exists and is no link to this program; --force replaces it, --prefix avoids it",
                    link.display()
                )));
            }
            Some(false) => fs::remove_file(link).map_err(|error| told("replace", link, &error))?,
            None => {}
        }
        let made =
            if self.hard { fs::hard_link(program, link) } else { symlink(relative(link, program), link) };
        made.map(|()| true).map_err(|error| told("link", link, &error))
    }
}

fn remove(link: &Path, program: &Path) -> Result<bool, Failure> {
    if is_ours(link, program)? != Some(true) || link == program {
        return Ok(false);
    }
    fs::remove_file(link).map(|()| true).map_err(|error| told("remove", link, &error))
}

/// Whether what is at `link` is this program by another name; `None` where nothing is.
fn is_ours(link: &Path, program: &Path) -> Result<Option<bool>, Failure> {
    match fs::symlink_metadata(link) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(told("look at", link, &error)),
        Ok(_) => {}
    }
    let same = |one: fs::Metadata, other: fs::Metadata| (one.dev(), one.ino()) == (other.dev(), other.ino());
    let both = fs::metadata(link).and_then(|one| Ok(same(one, fs::metadata(program)?)));
    Ok(Some(both.unwrap_or(false)))
}

/// `program` as seen from the directory of `link`: a relative path where they are near, so that moving both works.
fn relative(link: &Path, program: &Path) -> PathBuf {
    let Some(from) = link.parent().and_then(|dir| fs::canonicalize(dir).ok()) else {
        return program.to_owned();
    };
    let shared = from.components().zip(program.components()).take_while(|(one, other)| one == other).count();
    if shared <= 1 {
        return program.to_owned();
    }
    let up = from.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(program.components().skip(shared)).collect()
}

fn usual_place() -> Result<PathBuf, Failure> {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    let missing = || Class::Usage.because("no HOME to make links in; say --dir");
    home.map(|home| PathBuf::from(home).join(".local/bin")).ok_or_else(missing)
}

fn told(what: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::from_io(format_args!("{what} {}", path.display()), error)
}

fn lines(names: Vec<String>) -> String {
    names.into_iter().map(|name| name + "\n").collect()
}

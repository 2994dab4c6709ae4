//! The picture of a watch: a thread that draws it, and hears keys and the terminal's size.

use std::io;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crossterm::event::{self, Event as Input, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use nix::sys::signal::{Signal, raise};
use ratatui::DefaultTerminal;
use tokio::sync::{mpsc as events, oneshot};
use tokio_util::sync::CancellationToken;

use super::lines::DEPTH;
use super::{options, terminal};
use crate::failure::{Class, Failure};
use crate::probe::{Event, Events, Measurement};
use crate::report::live::{self, Key, State, View};

/// How long keys are waited for before the picture is drawn again.
const TICK: Duration = Duration::from_millis(100);

/// The way to the thread that draws.
pub(super) struct Screen {
    events: Events,
    runs: mpsc::Sender<Run>,
    done: oneshot::Receiver<(State, io::Result<()>)>,
}

/// A run that has ended, and what its thresholds say.
struct Run(Measurement, Vec<String>);

impl Screen {
    /// Takes the terminal, until `stop`; the keys may cancel that.
    ///
    /// # Errors
    /// When there is no terminal that can be drawn on.
    pub(super) fn open(state: State, view: View, stop: CancellationToken) -> io::Result<Self> {
        let (events, heard) = Events::channel(DEPTH);
        let (runs, ended) = mpsc::channel();
        let (tell, done) = oneshot::channel();
        let taken = terminal::take()?;
        let mut picture = Picture { state, view, frozen: None, heard, ended, stop };
        let thread = thread::Builder::new().name("screen".to_owned()).spawn(move || {
            // Nobody measures for a picture that is gone, not even after a panic.
            let gone = picture.stop.clone().drop_guard();
            let shown = picture.show(taken);
            terminal::give_back();
            drop(gone);
            picture.take_rest();
            // Whoever measured may have broken off.
            let _ = tell.send((picture.state, shown));
        });
        if let Err(error) = thread {
            terminal::give_back();
            return Err(error);
        }
        Ok(Self { events, runs, done })
    }

    /// Where the events of a run go.
    pub(super) fn events(&self) -> Events {
        self.events.clone()
    }

    /// A run has ended, and `told` is what its thresholds say.
    pub(super) fn end_run(&self, measurement: Measurement, told: Vec<String>) {
        // The thread may be gone already.
        let _ = self.runs.send(Run(measurement, told));
    }

    /// Waits until the terminal is as it was; the watch must have been stopped.
    pub(super) async fn close(self) -> Result<State, Failure> {
        let Self { events, runs, done } = self;
        // The thread waits for what is still on its way.
        drop((events, runs));
        let (state, shown) =
            done.await.map_err(|_| Class::Internal.because("the drawing thread panicked"))?;
        shown.map_err(|error| Failure::from_io("draw on the terminal", &error))?;
        Ok(state)
    }
}

/// What is drawn.
struct Picture {
    state: State,
    view: View,
    /// What is shown instead while the picture rests.
    frozen: Option<State>,
    heard: events::Receiver<Event>,
    ended: mpsc::Receiver<Run>,
    stop: CancellationToken,
}

impl Picture {
    fn show(&mut self, mut taken: DefaultTerminal) -> io::Result<()> {
        let colour = options::style().colour;
        while !self.stop.is_cancelled() && terminal::is_taken() {
            self.take_in();
            let shown = self.frozen.as_ref().unwrap_or(&self.state);
            let view = &mut self.view;
            terminal::draw(&mut taken, |frame| live::draw(frame, shown, view, colour))?;
            if event::poll(TICK)?
                && let Input::Key(key) = event::read()?
            {
                self.press(key);
            }
        }
        Ok(())
    }

    /// Takes in what has happened since the last picture.
    fn take_in(&mut self) {
        // A run tells all its events before it ends: whoever sees the end finds them here.
        while let Ok(run) = self.ended.try_recv() {
            self.end_run(run);
        }
        while let Ok(event) = self.heard.try_recv() {
            self.state.hear(&event);
        }
    }

    /// Takes in all that is still to come: until the watch has ended.
    fn take_rest(&mut self) {
        while let Ok(run) = self.ended.recv() {
            self.end_run(run);
        }
        self.take_in();
    }

    fn end_run(&mut self, Run(measurement, told): Run) {
        self.state.end_run(measurement);
        if let Some(line) = told.into_iter().next_back() {
            self.state.note = Some(line);
        }
    }

    fn press(&mut self, key: KeyEvent) {
        if key.kind == KeyEventKind::Release {
            return;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            // A terminal in raw mode makes no signal of it.
            KeyCode::Char('c') if control => {
                if raise(Signal::SIGINT).is_err() {
                    self.stop.cancel();
                }
            }
            _ if control => {}
            code if self.view.takes_keys() => look_key(code).into_iter().for_each(|key| self.view.press(key)),
            KeyCode::Char('q') | KeyCode::Esc => self.stop.cancel(),
            KeyCode::Char('p') => self.rest(!self.view.paused),
            KeyCode::Char(' ') => self.rest(false),
            KeyCode::Char('r') => {
                self.state.reset();
                self.rest(false);
            }
            code => look_key(code).into_iter().for_each(|key| self.view.press(key)),
        }
    }

    /// Stops the picture, or lets it go on.
    fn rest(&mut self, paused: bool) {
        self.view.paused = paused;
        self.frozen = paused.then(|| self.state.clone());
    }
}

/// A key for the view.
const fn look_key(code: KeyCode) -> Option<Key> {
    Some(match code {
        KeyCode::Char(letter) => Key::Char(letter),
        KeyCode::Enter => Key::Enter,
        KeyCode::Backspace => Key::Backspace,
        KeyCode::Esc => Key::Escape,
        KeyCode::Up => Key::Up,
        KeyCode::Down => Key::Down,
        KeyCode::PageUp => Key::PageUp,
        KeyCode::PageDown => Key::PageDown,
        _ => return None,
    })
}

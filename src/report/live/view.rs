//! How a picture is looked at: what keys change, and nothing that was measured.

use crate::probe::Probe;
use crate::probe::mtr::Field;

/// Letters that may be typed for columns.
const MOST_LETTERS: usize = 24;

/// A key that looks another way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// A letter or sign.
    Char(char),
    /// The end of what is typed.
    Enter,
    /// Takes the last letter back.
    Backspace,
    /// Nothing of it.
    Escape,
    /// A line back.
    Up,
    /// A line on.
    Down,
    /// Half a page back.
    PageUp,
    /// Half a page on.
    PageDown,
}

/// How a picture is looked at.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The picture rests.
    pub paused: bool,
    /// `n`: addresses instead of names.
    pub(super) addresses: bool,
    /// Addresses beside names.
    pub(super) show_ips: bool,
    /// `y`, `z`: where addresses are, by mtr's number.
    pub(super) info: Option<u8>,
    /// `e`: no MPLS labels.
    pub(super) no_mpls: bool,
    /// `j`: jitter instead of `order`.
    pub(super) jitter: bool,
    /// `d`.
    pub(super) display: Display,
    /// The columns asked for, if not the usual ones.
    order: Option<String>,
    /// The letters that are typed for `o`.
    pub(super) typed: Option<String>,
    /// `h`: what the keys do.
    pub(super) help: bool,
    /// Lines above the first that is seen, and how many fit.
    pub(super) scroll: usize,
    pub(super) room: usize,
}

/// What is shown of each hop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Display {
    /// Numbers.
    #[default]
    Numbers,
    /// A mark for each of the latest probes: answered or not.
    Answers,
    /// The same, with how long each took.
    Times,
}

impl View {
    /// As the options of `probe` want it.
    pub fn of(probe: &Probe) -> Self {
        let Probe::Mtr(asked) = probe else {
            return Self::default();
        };
        let shape = &asked.shape;
        Self {
            addresses: asked.no_dns,
            show_ips: shape.show_ips,
            info: shape.info(),
            order: shape.order.clone(),
            ..Self::default()
        }
    }

    /// The columns.
    pub(super) fn fields(&self) -> Vec<Field> {
        match (self.jitter, &self.order) {
            (true, _) => Field::OF_JITTER.to_vec(),
            (false, Some(letters)) => Field::all(letters),
            (false, None) => Field::USUAL.to_vec(),
        }
    }

    /// Whether the next key is typed, or ends the help, whatever else it does.
    pub const fn takes_keys(&self) -> bool {
        self.typed.is_some() || self.help
    }

    /// Looks another way, if `key` is one for that.
    pub fn press(&mut self, key: Key) {
        if self.help {
            self.help = false;
        } else if self.typed.is_some() {
            self.type_in(key);
        } else {
            self.look(key);
        }
    }

    fn look(&mut self, key: Key) {
        let half = (self.room / 2).max(1);
        match key {
            Key::Char('n') => self.addresses ^= true,
            Key::Char('j') => self.jitter ^= true,
            Key::Char('e') => self.no_mpls ^= true,
            Key::Char('z') => self.info = if self.info == Some(0) { None } else { Some(0) },
            Key::Char('y') => self.info = self.info.map_or(Some(0), |info| (info < 2).then_some(info + 1)),
            Key::Char('d') => {
                self.display = match self.display {
                    Display::Numbers => Display::Answers,
                    Display::Answers => Display::Times,
                    Display::Times => Display::Numbers,
                }
            }
            Key::Char('o') => self.typed = Some(String::new()),
            Key::Char('h' | '?') => self.help = true,
            Key::Char('+') | Key::PageDown => self.scroll += half,
            Key::Char('-') | Key::PageUp => self.scroll = self.scroll.saturating_sub(half),
            Key::Down => self.scroll += 1,
            Key::Up => self.scroll = self.scroll.saturating_sub(1),
            _ => {}
        }
    }

    fn type_in(&mut self, key: Key) {
        let typed = self.typed.get_or_insert_default();
        match key {
            // Other letters name no column.
            Key::Char(letter) => {
                let letter = letter.to_ascii_uppercase();
                if Field::of(letter).is_some() && typed.chars().count() < MOST_LETTERS {
                    typed.push(letter);
                }
            }
            Key::Backspace => {
                typed.pop();
            }
            Key::Enter => {
                let typed = self.typed.take().filter(|typed| !typed.trim().is_empty());
                if typed.is_some() {
                    (self.order, self.jitter) = (typed, false);
                }
            }
            Key::Escape => self.typed = None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_letters_become_columns_and_others_do_not() {
        let mut view = View::default();
        let press = |view: &mut View, keys: &str| keys.chars().for_each(|key| view.press(Key::Char(key)));
        press(&mut view, "olsq!nX");
        view.press(Key::Backspace);
        assert!(view.takes_keys());
        view.press(Key::Enter);
        assert_eq!(view.fields(), [Field::Loss, Field::Sent, Field::Last]);
        press(&mut view, "j");
        assert_eq!(view.fields(), Field::OF_JITTER);
        press(&mut view, "jo");
        view.press(Key::Enter);
        assert_eq!(view.fields().len(), 3, "nothing typed changes nothing");
        press(&mut view, "oB");
        view.press(Key::Escape);
        assert_eq!(view.fields().len(), 3);
        press(&mut view, "hj");
        assert!(!view.takes_keys() && !view.jitter, "any key ends the help and does nothing else");
    }

    #[test]
    fn the_place_turns_round() {
        let mut view = View::default();
        let seen: Vec<Option<u8>> = (0..4)
            .map(|_| {
                view.press(Key::Char('y'));
                view.info
            })
            .collect();
        assert_eq!(seen, [Some(0), Some(1), Some(2), None]);
    }
}

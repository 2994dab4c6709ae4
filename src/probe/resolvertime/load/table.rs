//! What waits for answers on one socket: places with identifiers, each found by its number alone.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::failure::Failure;
use crate::probe::own_thread::random;

/// A query that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) sent: Instant,
    pub(super) question: u32,
}

/// The queries that wait. An identifier is a place in the table and how often it was used, so that a late answer is none to
/// the next query.
pub(super) struct Table {
    places: Vec<Option<Waiting>>,
    /// The identifier that each place has now.
    ids: Vec<u16>,
    free: Vec<u16>,
    /// In the order sent: place and identifier.
    order: VecDeque<(u16, u16)>,
}

impl Table {
    /// Room for `each` queries, 10,000 at most.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub(super) fn new(each: u32) -> Result<Self, Failure> {
        let places = each.next_power_of_two() as u16;
        let first = random()? as u16 & !(places - 1);
        Ok(Self {
            places: vec![None; places.into()],
            ids: (0..places).map(|place| first | place).collect(),
            free: (0..each as u16).rev().collect(),
            order: VecDeque::with_capacity(each as usize * 2),
        })
    }

    /// How many more queries may go.
    pub(super) fn room(&self) -> usize {
        self.free.len()
    }

    /// The identifier of the `k`-th query from now, where there is room for it.
    pub(super) fn id(&self, k: usize) -> [u8; 2] {
        self.ids[usize::from(self.free[self.free.len() - 1 - k])].to_be_bytes()
    }

    /// The next query has been sent.
    pub(super) fn sent(&mut self, waiting: Waiting) {
        let Some(place) = self.free.pop() else { return };
        self.places[usize::from(place)] = Some(waiting);
        self.order.push_back((place, self.ids[usize::from(place)]));
    }

    /// The query with this identifier, if it waits.
    pub(super) fn find(&self, id: u16) -> Option<Waiting> {
        let place = self.place(id);
        self.places[place].filter(|_| self.ids[place] == id)
    }

    /// The query with this identifier waits no more.
    pub(super) fn release(&mut self, id: u16) {
        let place = self.place(id);
        self.places[place] = None;
        self.ids[place] = self.ids[place].wrapping_add(self.places.len() as u16);
        self.free.push(place as u16);
    }

    /// Gives up what has waited for `timeout`; how many that were.
    pub(super) fn expire(&mut self, now: Instant, timeout: Duration) -> u64 {
        let mut expired = 0;
        while let Some(&(place, id)) = self.order.front() {
            match self.places[usize::from(place)].filter(|_| self.ids[usize::from(place)] == id) {
                Some(waiting) if now.saturating_duration_since(waiting.sent) < timeout => break,
                Some(_) => {
                    expired += 1;
                    self.release(id);
                }
                None => {}
            }
            self.order.pop_front();
        }
        expired
    }

    /// Gives up everything; how much that was.
    pub(super) fn clear(&mut self) -> u64 {
        let waiting: Vec<u16> = (0..self.ids.len())
            .filter(|place| self.places[*place].is_some())
            .map(|place| self.ids[place])
            .collect();
        waiting.iter().for_each(|id| self.release(*id));
        self.order.clear();
        waiting.len() as u64
    }

    /// Whether something may still wait.
    pub(super) fn waits(&self) -> bool {
        !self.order.is_empty()
    }

    /// When that was sent which has waited longest.
    pub(super) fn oldest(&self) -> Option<Instant> {
        let (place, _) = self.order.front()?;
        self.places[usize::from(*place)].map(|waiting| waiting.sent)
    }

    /// How many wait.
    pub(super) fn pending(&self) -> usize {
        self.places.iter().flatten().count()
    }

    fn place(&self, id: u16) -> usize {
        usize::from(id) & (self.places.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::clock;

    #[test]
    fn a_late_answer_is_none_to_the_next_query_in_its_place() {
        let mut table = Table::new(3).expect("a table");
        let start = clock::now().mono;
        let send = |table: &mut Table, question| {
            let id = u16::from_be_bytes(table.id(0));
            table.sent(Waiting { sent: start + Duration::from_secs(question), question: question as u32 });
            id
        };
        let first = send(&mut table, 0);
        assert_eq!(table.find(first).map(|waiting| waiting.question), Some(0));
        table.release(first);
        let second = send(&mut table, 1);
        assert!(first != second && table.find(first).is_none());
        send(&mut table, 2);
        send(&mut table, 3);
        assert_eq!((table.room(), table.pending(), table.waits()), (0, 3, true));
        assert_eq!(table.expire(start + Duration::from_secs(2), Duration::from_secs(1)), 1);
        assert_eq!((table.find(second), table.oldest()), (None, Some(start + Duration::from_secs(2))));
        assert_eq!((table.clear(), table.room(), table.waits(), table.pending()), (2, 3, false, 0));
    }
}

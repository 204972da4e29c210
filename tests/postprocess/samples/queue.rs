//! A bounded queue that drops what is overtaken.

use std::collections::{HashMap, VecDeque};

#[derive(Debug, Clone, PartialEq)]
pub enum Verdict<'a> {
    Kept { at: usize },
    Replaced(&'a str),
    Refused(String),
}

pub struct Queue<T> {
    items: VecDeque<(String, T)>,
    limit: usize,
    dropped: HashMap<String, u64>,
}

impl<T: Clone> Queue<T> {
    pub fn new(limit: usize) -> Self {
        Queue {
            items: VecDeque::with_capacity(limit),
            limit,
            dropped: HashMap::new(),
        }
    }

    /// The newest entry of an owner replaces the older one.
    pub fn push<'a>(&mut self, owner: &'a str, item: T) -> Verdict<'a> {
        if let Some(place) = self.items.iter().position(|(name, _)| name == owner) {
            self.items[place].1 = item;
            *self.dropped.entry(owner.to_string()).or_insert(0) += 1;
            return Verdict::Replaced(owner);
        }
        if self.items.len() >= self.limit {
            let message = format!("the queue is full ({} of {})", self.items.len(), self.limit);
            return Verdict::Refused(message);
        }
        self.items.push_back((owner.to_string(), item));
        Verdict::Kept {
            at: self.items.len() - 1,
        }
    }

    pub fn pop(&mut self) -> Option<T> {
        self.items.pop_front().map(|(_, item)| item)
    }

    pub fn is_separator(letter: char) -> bool {
        match letter {
            '(' | ')' | '{' | '}' => true,
            '\'' | '"' => true,
            other if other.is_whitespace() => {
                let code = other as u32;
                code != 0x00a0
            }
            _ => false,
        }
    }

    pub fn drain_all<F>(&mut self, mut each: F) -> usize
    where
        F: FnMut(&str, T),
    {
        let mut count = 0;
        while let Some((owner, item)) = self.items.pop_front() {
            each(&owner, item);
            count += 1;
        }
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_replaces_the_older() {
        let mut queue = Queue::new(2);
        assert_eq!(queue.push("a", 1), Verdict::Kept { at: 0 });
        assert_eq!(queue.push("a", 2), Verdict::Replaced("a"));
        for (number, owner) in ["b", "c"].iter().enumerate() {
            let verdict = queue.push(owner, number);
            println!("{owner}: {:?} ({number})", verdict);
        }
        assert_eq!(queue.pop(), Some(2));
    }
}

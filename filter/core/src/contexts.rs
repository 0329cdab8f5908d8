//! Whom a proxy has told a worker of, by the proxy's numbers: roots, each of which is a filter with its configuration, and requests, each
//! of which belongs to a root.
//!
//! Nearly always there is one root, and nothing need be kept of its requests to know whose they are: they begin and end without a trace.

use std::collections::HashMap;
use std::rc::Rc;

use hashlink::DefaultHashBuilder;

type ById<V> = HashMap<u32, V, DefaultHashBuilder>;

/// All roots, and those requests of which it would not be known otherwise to which root they belong.
#[derive(Debug)]
pub struct Contexts<R> {
    /// The root of every request of which nothing is kept.
    usual: Option<(u32, Rc<R>)>,
    /// How many requests there are of which nothing is kept. While there is one, no other root becomes the usual one, since it would be
    /// taken for that request's. It is exact where a host announces each request and ends it once, as it must.
    unkept: usize,
    others: ById<Rc<R>>,
    /// Requests that came when their root was not the usual one; and those that came without a root, which nobody can judge.
    requests: ById<Option<Rc<R>>>,
}

/// What has ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended<R> {
    /// A root.
    Root(Rc<R>),
    /// A request of this root; `None` if it had none, or one that was the usual one and ended before it.
    Request(Option<Rc<R>>),
}

impl<R> Default for Contexts<R> {
    fn default() -> Self {
        Self {
            usual: None,
            unkept: 0,
            others: ById::default(),
            requests: ById::default(),
        }
    }
}

impl<R> Contexts<R> {
    /// A root is there. A proxy announces one again that it configures anew: then it stays as it is, for the sake of its requests.
    pub fn begin_root(&mut self, id: u32, root: R) {
        self.requests.remove(&id);
        if !self.is_usual(id) {
            self.others.entry(id).or_insert_with(|| Rc::new(root));
            self.choose_usual();
        }
    }

    /// A request is there, which belongs to the root `parent`.
    pub fn begin_request(&mut self, id: u32, parent: u32) {
        if !self.is_usual(parent) {
            return self.keep(id, parent);
        }
        self.unkept = self.unkept.saturating_add(1);
        if !self.requests.is_empty() {
            self.requests.remove(&id);
        }
    }

    #[cold]
    fn keep(&mut self, id: u32, parent: u32) {
        let root = self.others.get(&parent).cloned();
        self.requests.insert(id, root);
    }

    /// The root `id`.
    pub fn root(&self, id: u32) -> Option<Rc<R>> {
        match &self.usual {
            Some((usual, root)) if *usual == id => Some(root.clone()),
            _ => self.others.get(&id).cloned(),
        }
    }

    /// The root to which the request `id` belongs; `None` if it has none, or one that was the usual one and has ended. A request that
    /// nobody announced is the usual root's.
    pub fn root_of(&self, id: u32) -> Option<Rc<R>> {
        if !self.requests.is_empty()
            && let Some(kept) = self.requests.get(&id)
        {
            return kept.clone();
        }
        self.usual_root()
    }

    /// A request is over, or a root.
    pub fn end(&mut self, id: u32) -> Ended<R> {
        if !self.requests.is_empty()
            && let Some(root) = self.requests.remove(&id)
        {
            return Ended::Request(root);
        }
        if let Some(root) = self.end_root(id) {
            return Ended::Root(root);
        }
        self.unkept = self.unkept.saturating_sub(1);
        let root = self.usual_root();
        if root.is_none() {
            self.choose_usual();
        }
        Ended::Request(root)
    }

    fn end_root(&mut self, id: u32) -> Option<Rc<R>> {
        if !self.is_usual(id) {
            return self.others.remove(&id);
        }
        let (_, root) = self.usual.take()?;
        self.choose_usual();
        Some(root)
    }

    /// Makes the latest root the usual one, if there is none and nothing is there that would be taken for its request: the configuration
    /// that came after one that was replaced.
    #[cold]
    fn choose_usual(&mut self) {
        if self.usual.is_none() && self.unkept == 0 {
            let latest = self.others.keys().max().copied();
            self.usual = latest.and_then(|latest| self.others.remove_entry(&latest));
        }
    }

    fn usual_root(&self) -> Option<Rc<R>> {
        self.usual.as_ref().map(|(_, root)| root.clone())
    }

    fn is_usual(&self, id: u32) -> bool {
        self.usual.as_ref().is_some_and(|(usual, _)| *usual == id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// What a root is called.
    type Name = char;

    const NOBODY: Name = '-';

    fn name(root: Option<Rc<Name>>) -> Name {
        root.map_or(NOBODY, |root| *root)
    }

    #[test]
    fn a_request_belongs_to_the_root_that_it_came_with() {
        let mut contexts = Contexts::default();
        contexts.begin_root(1, 'a');
        contexts.begin_request(2, 1);
        contexts.begin_root(3, 'b');
        contexts.begin_request(4, 3);
        contexts.begin_request(5, 1);
        let owner = |id| name(contexts.root_of(id));
        assert_eq!([2, 4, 5].map(owner), ['a', 'b', 'a']);
    }

    #[test]
    fn a_request_without_a_root_is_nobodys_also_where_there_is_one() {
        let mut contexts = Contexts::default();
        assert_eq!(name(contexts.root_of(9)), NOBODY);
        contexts.begin_root(1, 'a');
        contexts.begin_request(2, 77);
        assert_eq!(name(contexts.root_of(2)), NOBODY);
        assert_eq!(contexts.end(2), Ended::Request(None));
    }

    #[test]
    fn nothing_is_kept_of_the_requests_of_an_only_root() {
        let mut contexts = Contexts::default();
        contexts.begin_root(1, 'a');
        contexts.begin_request(2, 1);
        assert!(contexts.requests.is_empty());
        assert_eq!(contexts.end(2), Ended::Request(Some(Rc::new('a'))));
        assert_eq!(contexts.end(1), Ended::Root(Rc::new('a')));
        assert_eq!(name(contexts.root(1)), NOBODY);
    }

    #[test]
    fn requests_stay_with_their_root_while_others_come_and_go() {
        let mut contexts = Contexts::default();
        contexts.begin_root(1, 'a');
        contexts.begin_root(2, 'b');
        contexts.begin_root(3, 'c');
        contexts.begin_request(4, 2);
        contexts.begin_request(5, 3);
        assert_eq!(contexts.end(1), Ended::Root(Rc::new('a')));
        contexts.begin_request(6, 2);
        contexts.begin_request(7, 3);
        let owner = |id| name(contexts.root_of(id));
        let owners = [4, 5, 6, 7].map(owner);
        assert_eq!(owners, ['b', 'c', 'b', 'c']);
        for (id, owner) in [(5, 'c'), (6, 'b'), (4, 'b'), (7, 'c')] {
            assert_eq!(contexts.end(id), Ended::Request(Some(Rc::new(owner))));
        }
        assert!(contexts.requests.is_empty());
        assert_eq!(contexts.end(3), Ended::Root(Rc::new('c')));
        assert_eq!(name(contexts.root(2)), 'b');
    }

    #[test]
    fn a_request_that_outlives_its_root_is_nobodys_and_never_the_next_ones() {
        let mut contexts = Contexts::default();
        contexts.begin_root(1, 'a');
        contexts.begin_request(2, 1);
        contexts.begin_root(3, 'b');
        assert_eq!(contexts.end(1), Ended::Root(Rc::new('a')));
        contexts.begin_root(4, 'c');
        contexts.begin_request(5, 3);
        let owner = |contexts: &Contexts<Name>, id| name(contexts.root_of(id));
        assert_eq!([2, 5].map(|id| owner(&contexts, id)), [NOBODY, 'b']);
        assert_eq!(contexts.end(2), Ended::Request(None));
        contexts.begin_request(6, 4);
        contexts.begin_request(7, 3);
        assert_eq!([5, 6, 7].map(|id| owner(&contexts, id)), ['b', 'c', 'b']);
    }

    #[test]
    fn nothing_is_kept_again_once_the_requests_of_a_root_that_ended_are_over() {
        let mut contexts = Contexts::default();
        contexts.begin_root(1, 'a');
        contexts.begin_request(2, 1);
        contexts.begin_root(3, 'b');
        contexts.end(1);
        contexts.end(2);
        contexts.begin_request(4, 3);
        assert!(contexts.requests.is_empty());
        assert_eq!(contexts.end(4), Ended::Request(Some(Rc::new('b'))));
    }

    #[test]
    fn a_root_that_is_announced_again_stays_as_it_is_and_ends_once() {
        let mut contexts = Contexts::default();
        contexts.begin_root(1, 'a');
        contexts.begin_root(2, 'b');
        contexts.begin_request(3, 1);
        contexts.begin_request(4, 2);
        contexts.begin_root(1, 'c');
        contexts.begin_root(2, 'd');
        let owner = |id| name(contexts.root_of(id));
        assert_eq!([3, 4].map(owner), ['a', 'b']);
        for (id, root) in [(3, 'a'), (4, 'b')] {
            assert_eq!(contexts.end(id), Ended::Request(Some(Rc::new(root))));
        }
        for (id, root) in [(1, 'a'), (2, 'b')] {
            assert_eq!(contexts.end(id), Ended::Root(Rc::new(root)));
            assert_eq!(name(contexts.root(id)), NOBODY);
        }
    }

    #[test]
    fn a_number_that_is_used_again_is_its_new_owners() {
        let mut contexts = Contexts::default();
        contexts.begin_root(1, 'a');
        contexts.begin_root(2, 'b');
        contexts.begin_request(3, 2);
        contexts.begin_request(3, 1);
        assert_eq!(name(contexts.root_of(3)), 'a');
        contexts.begin_request(3, 2);
        assert_eq!(name(contexts.root_of(3)), 'b');
        contexts.begin_root(3, 'c');
        assert_eq!(contexts.end(3), Ended::Root(Rc::new('c')));
    }

    #[test]
    fn a_request_whose_root_is_known_has_it_also_after_the_roots_end() {
        let mut contexts = Contexts::default();
        contexts.begin_root(1, 'a');
        contexts.begin_root(2, 'b');
        contexts.begin_request(3, 2);
        assert_eq!(contexts.end(2), Ended::Root(Rc::new('b')));
        contexts.begin_root(4, 'c');
        assert_eq!(name(contexts.root_of(3)), 'b');
        assert_eq!(contexts.end(3), Ended::Request(Some(Rc::new('b'))));
    }
}

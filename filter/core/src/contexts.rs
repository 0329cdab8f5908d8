//! Whom a proxy has told a worker of, by the proxy's numbers: roots, each of which is a filter with its configuration, and requests, each
//! of which belongs to a root.
//!
//! Nearly always there is one root, and nothing need be kept of its requests to know whose they are: they begin and end without a trace.

use std::collections::HashMap;
use std::rc::Rc;

use hashlink::DefaultHashBuilder;

type ById<V> = HashMap<u32, V, DefaultHashBuilder>;

/// All roots, and the requests of all of them but one.
#[derive(Debug)]
pub struct Contexts<R> {
    /// The root of every request of which nothing is kept.
    usual: Option<(u32, Rc<R>)>,
    others: ById<Rc<R>>,
    /// The requests of the others; and those that came without a root, which nobody can judge.
    requests: ById<Option<Rc<R>>>,
}

/// What has ended.
#[derive(Debug, PartialEq, Eq)]
pub enum Ended<R> {
    /// A root. Its requests ended before it.
    Root(Rc<R>),
    /// A request of this root; `None` if it had none.
    Request(Option<Rc<R>>),
}

impl<R> Default for Contexts<R> {
    fn default() -> Self {
        Self {
            usual: None,
            others: ById::default(),
            requests: ById::default(),
        }
    }
}

impl<R> Contexts<R> {
    /// A root is there.
    pub fn begin_root(&mut self, id: u32, root: R) {
        let root = Rc::new(root);
        if self.usual.is_none() {
            self.usual = Some((id, root));
        } else {
            self.others.insert(id, root);
        }
    }

    /// A request is there, which belongs to the root `parent`.
    pub fn begin_request(&mut self, id: u32, parent: u32) {
        if !self.is_usual(parent) {
            self.keep(id, parent);
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

    /// The root to which the request `id` belongs.
    pub fn root_of(&self, id: u32) -> Option<Rc<R>> {
        if !self.requests.is_empty()
            && let Some(kept) = self.requests.get(&id)
        {
            return kept.clone();
        }
        self.usual.as_ref().map(|(_, root)| root.clone())
    }

    /// A request is over, or a root.
    pub fn end(&mut self, id: u32) -> Ended<R> {
        if !self.requests.is_empty()
            && let Some(root) = self.requests.remove(&id)
        {
            return Ended::Request(root);
        }
        match self.end_root(id) {
            Some(root) => Ended::Root(root),
            None => Ended::Request(self.usual.as_ref().map(|(_, root)| root.clone())),
        }
    }

    fn end_root(&mut self, id: u32) -> Option<Rc<R>> {
        if !self.is_usual(id) {
            return self.others.remove(&id);
        }
        // A configuration was replaced: the one that came after it is the usual one now.
        let next = self.others.keys().max().copied();
        let next = next.and_then(|next| self.others.remove_entry(&next));
        std::mem::replace(&mut self.usual, next).map(|(_, root)| root)
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
}

//! What of it all is measured: the groups that were asked for, or everything.

/// The words of `--only`. Each is an id, what stands before a hyphen in one, or a part of a title. Without any, everything is measured.
#[derive(Debug)]
pub(crate) struct Selection<'a>(&'a [String]);

impl<'a> Selection<'a> {
    /// What these words ask for.
    pub(crate) const fn new(words: &'a [String]) -> Self {
        Self(words)
    }

    /// Whether what has this id and this title is asked for.
    pub(crate) fn takes(&self, id: &str, title: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|word| names(word, id, title))
    }

    /// The first word that asks for none of these.
    pub(crate) fn vain(&self, sections: &[(&str, &str)]) -> Option<&'a str> {
        let is_vain = |word: &&String| !sections.iter().any(|(id, title)| names(word, id, title));
        self.0.iter().find(is_vain).map(String::as_str)
    }
}

fn names(word: &str, id: &str, title: &str) -> bool {
    let rest = id.strip_prefix(word);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-')) || title.contains(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOT: (&str, &str) = ("hot", "one token, again and again");
    const COLD: (&str, &str) = ("cold-rs256", "a new RS256 token with each request");

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn an_id_or_a_part_of_a_title_is_asked_for_and_without_a_word_everything() {
        let takes = |wanted: &[&str]| {
            let words = words(wanted);
            [HOT, COLD].map(|(id, title)| Selection::new(&words).takes(id, title))
        };
        assert_eq!(takes(&[]), [true, true]);
        assert_eq!(takes(&["hot"]), [true, false]);
        assert_eq!(takes(&["RS256"]), [false, true]);
        assert_eq!(takes(&["again", "cold-rs256"]), [true, true]);
        assert_eq!(takes(&["cold"]), [false, true]);
        assert_eq!(takes(&["cold-rs"]), [false, false]);
    }

    #[test]
    fn a_word_that_asks_for_nothing_is_found() {
        let vain = |wanted: &[&str]| {
            let words = words(wanted);
            Selection::new(&words).vain(&[HOT, COLD]).map(str::to_owned)
        };
        assert_eq!(vain(&["hot", "warm"]), Some("warm".to_owned()));
        assert_eq!(vain(&["hot", "RS256"]), None);
    }
}

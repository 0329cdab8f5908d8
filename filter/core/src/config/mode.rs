//! Which decisions are held to: the plugin's mode, and that of each resource which has one of its own.

use super::Config;
use super::fault::{Faults, Place};
use super::field::Field;
use super::words::Word;
use crate::line::one_line;
use crate::policy::{Mode, Policy};

/// Reads a mode; one that is left out is `inherited`.
pub(super) fn validate(
    field: Field<Word<Mode>>,
    inherited: Mode,
    place: &Place,
    faults: &mut Faults,
) -> Mode {
    field.or(Word(inherited), place, faults).0
}

/// The mode for requests that could be for any resource.
pub(super) fn of_ambiguous(policy: Option<&Policy>, inherited: Mode) -> Mode {
    let mut resources = policy.into_iter().flat_map(Policy::iter);
    if resources.any(|resource| resource.mode.enforces()) {
        Mode::Enforce
    } else {
        inherited
    }
}

impl Config {
    /// One line for the operator where not every decision is held to: it must not be overlooked that somebody may pass who should not.
    pub fn monitor_notice(&self) -> Option<String> {
        match self.mode {
            Mode::Enforce => {
                let open = self.resources_in(Mode::Monitor)?;
                Some(format!(
                    "MONITOR MODE for the resources {open}: every request for them passes, whatever is decided"
                ))
            }
            Mode::Monitor => Some(match self.resources_in(Mode::Enforce) {
                None => "MONITOR MODE: every request passes, whatever is decided".to_owned(),
                Some(held) => format!(
                    "MONITOR MODE: every request passes, whatever is decided, but those for the resources {held} and those that could be for any"
                ),
            }),
        }
    }

    /// The names of the resources in this mode, each once, as they are told; `None` if there are none.
    fn resources_in(&self, mode: Mode) -> Option<String> {
        let mut names: Vec<String> = Vec::new();
        for resource in self.policy.iter().filter(|resource| resource.mode == mode) {
            let name = format!("`{}`", one_line(resource.name.as_str()));
            if !names.contains(&name) {
                names.push(name);
            }
        }
        (!names.is_empty()).then(|| names.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    /// What an operator is told of two resources in these modes.
    fn notice(plugin: Option<&str>, resources: [Option<&str>; 2]) -> Option<String> {
        let resource = |name: &str, mode: Option<&str>| {
            let mut resource = json!({ "name": name, "access": "public", "match": { "paths": [format!("/{name}")] } });
            if let Some(mode) = mode {
                resource["mode"] = json!(mode);
            }
            resource
        };
        let [first, second] = resources;
        let mut config = json!({ "resources": [resource("a", first), resource("b", second)] });
        if let Some(mode) = plugin {
            config["mode"] = json!(mode);
        }
        let config = Config::parse(config.to_string().as_bytes()).unwrap();
        config.monitor_notice()
    }

    #[test]
    fn an_operator_is_told_where_nothing_is_held_back() {
        assert_eq!(notice(None, [None, None]), None);
        assert_eq!(notice(Some("enforce"), [None, Some("enforce")]), None);
        let told = notice(None, [None, Some("monitor")]).unwrap();
        assert!(told.contains("the resources `b`: every"), "{told}");
        let told = notice(Some("monitor"), [None, Some("monitor")]).unwrap();
        assert!(told.ends_with("whatever is decided"), "{told}");
        let told = notice(Some("monitor"), [Some("enforce"), None]).unwrap();
        assert!(
            told.contains("but those for the resources `a` and those"),
            "{told}"
        );
    }

    #[test]
    fn another_word_is_no_mode() {
        let config = json!({
            "mode": "observe",
            "resources": [{ "name": "a", "access": "public", "mode": "Monitor" }],
        });
        let faults = Config::parse(config.to_string().as_bytes()).unwrap_err();
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].starts_with("`mode`"), "{told:?}");
        assert!(told[1].starts_with("`resources[0].mode`"), "{told:?}");
    }
}

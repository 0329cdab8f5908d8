//! Finds configurations: a file of JSON is one, and YAML of the proxies that load the filter holds some.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::place::{self, Position};

/// One configuration in a file.
pub(crate) struct Document {
    /// Where in the file's structure it is, for YAML.
    pub(crate) within: Option<String>,
    /// The configuration itself.
    pub(crate) text: String,
    /// The line before its first, and the columns before each of its lines, in the file. `None` if it does not stand there as it is.
    offset: Option<(usize, usize)>,
}

impl Document {
    /// Where in the file the value at a path is.
    pub(crate) fn position(&self, path: &str) -> Option<Position> {
        let (lines, columns) = self.offset?;
        let within = place::find(&self.text, path)?;
        Some(Position {
            line: within.line + lines,
            column: within.column + columns,
        })
    }
}

/// The text of a file; `-` is the standard input.
///
/// # Errors
/// When it cannot be read, or is not UTF-8.
pub(crate) fn read(path: &Path) -> Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .context("cannot read the standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// A parser's words on YAML go on with a piece of the text, which an editor shows better.
fn neither(why: &str) -> anyhow::Error {
    let why = why.lines().next().unwrap_or_default();
    anyhow::anyhow!("it is neither JSON nor YAML: {why}")
}

/// Every configuration in the text of a file.
///
/// # Errors
/// When the text is neither JSON nor YAML with a configuration in it.
pub(crate) fn find(text: String) -> Result<Vec<Document>> {
    let begins_as_json = text.trim_start().starts_with(['{', '[']);
    let is_proxys = || {
        let json: Option<Value> = serde_json::from_str(&text).ok();
        json.is_some_and(|json| json.get("static_resources").is_some())
    };
    if text.trim().is_empty() || (begins_as_json && !is_proxys()) {
        return Ok(vec![Document {
            within: None,
            text,
            offset: Some((0, 0)),
        }]);
    }
    let parts: Vec<Value> =
        serde_saphyr::from_multiple(&text).map_err(|error| neither(&error.to_string()))?;
    let mut found = Vec::new();
    for part in &parts {
        of_manifest(part, &mut found);
        of_filters(part, "", &mut found);
    }
    if found.is_empty() {
        bail!(
            "there is no configuration of Hallpass in it: expected a wasm filter with `hallpass` in its name, root_id, vm_id or file name, \
             a WasmPlugin, an EnvoyExtensionPolicy, or the configuration alone as JSON"
        );
    }
    let mut searched = 0;
    let documents = found.into_iter().map(|(within, config)| {
        let offset = lines_of(&text, &config, searched);
        searched = offset.map_or(searched, |(lines, _)| lines + 1);
        Document {
            within: Some(within),
            text: config,
            offset,
        }
    });
    Ok(documents.collect())
}

/// Envoy's own configuration: a wasm filter of our name, whose configuration is a string.
fn of_filters(value: &Value, place: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(members) => {
            let is_ours = |member: &str| {
                let text = value.pointer(member).and_then(Value::as_str);
                text.is_some_and(|text| text.to_ascii_lowercase().contains("hallpass"))
            };
            let named = [
                "/name",
                "/root_id",
                "/vm_config/vm_id",
                "/vm_config/code/local/filename",
            ];
            let config = value.pointer("/configuration/value");
            if let Some(Value::String(config)) = config
                && members.contains_key("vm_config")
                && named.into_iter().any(is_ours)
            {
                found.push((format!("{place}.configuration.value"), config.clone()));
            }
            for (name, member) in members {
                let separator = if place.is_empty() { "" } else { "." };
                of_filters(member, &format!("{place}{separator}{name}"), found);
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                of_filters(element, &format!("{place}[{index}]"), found);
            }
        }
        _ => {}
    }
}

/// Manifests of Kubernetes, whose configuration is an object in place.
fn of_manifest(part: &Value, found: &mut Vec<(String, String)>) {
    let kind = part["kind"].as_str().unwrap_or_default();
    match kind {
        "WasmPlugin" if part.pointer("/spec/pluginConfig").is_some() => {
            let config = part["spec"]["pluginConfig"].to_string();
            found.push(("spec.pluginConfig".to_owned(), config));
        }
        "EnvoyExtensionPolicy" => {
            let filters = part["spec"]["wasm"].as_array().into_iter().flatten();
            for (index, filter) in filters.enumerate() {
                if filter.get("config").is_some() {
                    let place = format!("spec.wasm[{index}].config");
                    found.push((place, filter["config"].to_string()));
                }
            }
        }
        _ => {}
    }
}

/// Where the lines of `part` stand one after the other in `text`, all indented by as much: how many lines come before, and the indentation.
fn lines_of(text: &str, part: &str, from: usize) -> Option<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let part: Vec<&str> = part.lines().collect();
    let first = part.first()?;
    let stands_at = |at: usize| {
        let line = lines.get(at)?;
        let indentation = line.strip_suffix(first)?;
        let is_blank = indentation.bytes().all(|byte| byte == b' ');
        let follows = part
            .iter()
            .zip(lines.get(at..)?)
            .all(|(part, line)| line.strip_prefix(indentation).unwrap_or(line) == *part);
        (is_blank && follows).then_some((at, indentation.len()))
    };
    (from..lines.len()).find_map(stands_at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENVOY: &str = r#"
filters:
  - name: other
    config: { vm_config: { vm_id: other }, configuration: { value: "{}" } }
  - name: guard
    config:
      root_id: hallpass
      vm_config: { runtime: v8 }
      configuration:
        value: |
          {
            "mode": "off"
          }
"#;

    #[test]
    fn a_configuration_in_yaml_is_found_with_its_lines() {
        let found = find(ENVOY.to_owned()).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].within.as_deref(),
            Some("filters[1].config.configuration.value")
        );
        let position = found[0].position("mode").unwrap();
        assert_eq!((position.line, position.column), (12, 21));
    }

    #[test]
    fn a_configuration_in_a_manifest_is_found() {
        let manifest =
            "kind: Service\n---\nkind: WasmPlugin\nspec:\n  pluginConfig:\n    mode: open\n";
        let found = find(manifest.to_owned()).unwrap();
        assert_eq!(found[0].text, r#"{"mode":"open"}"#);
        assert_eq!(found[0].position("mode"), None);
    }

    #[test]
    fn yaml_without_a_configuration_is_an_error() {
        assert!(find("a: 1".to_owned()).is_err());
    }
}

//! What all objects of Kubernetes have. The kinds beside this file have the fields that their documentation names, and no others: a
//! cluster drops a field that it does not know without a word, and a gate that is not there is noticed by nobody.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Object {
    api_version: String,
    kind: String,
    metadata: Metadata,
    spec: Value,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    name: String,
    namespace: String,
}

/// What an object is attached to.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Target {
    pub(super) group: String,
    pub(super) kind: String,
    pub(super) name: String,
}

/// The objects in a file, all of one namespace.
pub(super) struct Objects(Vec<Object>);

impl Objects {
    pub(super) fn read(path: &str) -> Self {
        let text = super::in_workspace(path);
        let objects: Vec<Object> = serde_saphyr::from_multiple(&text).expect(path);
        for object in &objects {
            assert!(!object.metadata.name.is_empty());
            let namespace = &object.metadata.namespace;
            assert_eq!(*namespace, objects[0].metadata.namespace, "one namespace");
        }
        Self(objects)
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// What is asked of all objects of this kind.
    pub(super) fn of<Spec: DeserializeOwned>(&self, api_version: &str, kind: &str) -> Vec<Spec> {
        self.0
            .iter()
            .filter(|object| object.kind == kind)
            .map(|object| {
                assert_eq!(object.api_version, api_version, "{kind}");
                serde_json::from_value(object.spec.clone())
                    .unwrap_or_else(|fault| panic!("{kind}: {fault}"))
            })
            .collect()
    }
}

/// It is a gateway of the Gateway API.
#[track_caller]
pub(super) fn assert_gateway(target: &Target) {
    assert_eq!(target.group, "gateway.networking.k8s.io");
    assert_eq!(target.kind, "Gateway");
    assert!(!target.name.is_empty());
}

/// It is a digest in hexadecimal.
#[track_caller]
pub(super) fn assert_digest(sha256: &str) {
    let digits = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    assert!(sha256.len() == 64 && sha256.bytes().all(digits), "{sha256}");
}

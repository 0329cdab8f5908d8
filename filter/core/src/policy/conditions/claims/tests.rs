//! Tests of claims, as tables of claim, test and verdict.

use super::Verdict::{Fails, Holds, Unknown};
use super::*;
use serde_json::{Value as Json, json};
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn scalar(value: Json) -> Scalar {
    Scalar::new(value).unwrap()
}

fn scalars(values: Json) -> Box<[Scalar]> {
    let Json::Array(values) = values else {
        panic!("{values}")
    };
    values.into_iter().map(scalar).collect()
}

fn judged(test: &ValueTest, claim: &Json) -> Verdict {
    let json = claim.to_string();
    let claim: Value<'_> = serde_json::from_str(&json).unwrap();
    test.judge((!claim.is_null()).then_some(&claim))
}

#[test]
fn each_test_judges_values_of_its_kind_and_knows_nothing_of_others() {
    let equals = |value| ValueTest::Equals(scalar(value));
    let contains = |value| ValueTest::Contains(scalar(value));
    let one_of = |values| ValueTest::OneOf(scalars(values));
    let any_of = |values| ValueTest::AnyOf(scalars(values));
    let prefix = |text: &str| ValueTest::Prefix(text.into());
    for (test, claim, expected) in [
        (equals(json!("a")), json!("a"), Holds),
        (equals(json!("a")), json!("A"), Fails),
        (equals(json!("1")), json!(1), Unknown),
        (equals(json!(true)), json!("true"), Unknown),
        (equals(json!(true)), json!(true), Holds),
        (equals(json!(false)), json!(true), Fails),
        (equals(json!("a")), json!(["a"]), Unknown),
        (equals(json!("a")), json!({ "a": "a" }), Unknown),
        (equals(json!("a")), json!(null), Unknown),
        (one_of(json!(["a", "b"])), json!("b"), Holds),
        (one_of(json!(["a", "b"])), json!("c"), Fails),
        (one_of(json!(["a", 1])), json!(1), Holds),
        (one_of(json!(["a", 1])), json!(2), Unknown),
        (one_of(json!(["a", "b"])), json!(["a"]), Unknown),
        (contains(json!("a")), json!(["b", "a"]), Holds),
        (contains(json!("a")), json!(["b"]), Fails),
        (contains(json!("a")), json!(["b", 1]), Unknown),
        (contains(json!("a")), json!([["a"]]), Unknown),
        (contains(json!("a")), json!([]), Fails),
        (contains(json!("a")), json!("a"), Unknown),
        (contains(json!(7)), json!([7]), Holds),
        (any_of(json!(["a", "b"])), json!("b"), Holds),
        (any_of(json!(["a", "b"])), json!(["c", "b"]), Holds),
        (any_of(json!(["a", "b"])), json!(["c"]), Fails),
        (any_of(json!(["a", "b"])), json!("c"), Fails),
        (any_of(json!(["a"])), json!(null), Unknown),
        (prefix("ops-"), json!("ops-7"), Holds),
        (prefix("ops-"), json!("ops"), Fails),
        (prefix("ops-"), json!(["ops-7"]), Unknown),
        (prefix("7"), json!(7), Unknown),
        (ValueTest::Present(true), json!(false), Holds),
        (ValueTest::Present(true), json!(null), Fails),
        (ValueTest::Present(false), json!(null), Holds),
        (ValueTest::Present(false), json!(""), Fails),
    ] {
        assert_eq!(judged(&test, &claim), expected, "{claim} {test}");
    }
}

#[test]
fn numbers_are_compared_by_their_value_as_far_as_it_is_certain() {
    for (number, claim, expected) in [
        ("1", "1", Holds),
        ("1", "1.0", Holds),
        ("1.5", "1.5", Holds),
        ("1", "2", Fails),
        ("1", "1.5", Fails),
        ("-1", "1", Fails),
        ("18446744073709551615", "18446744073709551615", Holds),
        ("18446744073709551615", "18446744073709551614", Fails),
        ("18446744073709551615", "-1", Fails),
        ("9007199254740993", "9007199254740992.0", Unknown),
        ("9007199254740993", "1e300", Unknown),
        ("1", "1e300", Fails),
    ] {
        let test = ValueTest::Equals(scalar(serde_json::from_str(number).unwrap()));
        let claim: Value<'_> = serde_json::from_str(claim).unwrap();
        assert_eq!(test.judge(Some(&claim)), expected, "{claim} is {number}");
    }
}

#[test]
fn a_path_is_a_name_or_a_pointer() {
    let parts = |text: &str| {
        let path = ClaimPath::parse(text).ok()?;
        let parts = std::iter::once(&path.first).chain(&path.further);
        Some(parts.map(ToString::to_string).collect::<Vec<_>>().join("|"))
    };
    for (text, expected) in [
        ("groups", Some("groups")),
        (
            "https://corp.example/roles",
            Some("https://corp.example/roles"),
        ),
        ("a.b", Some("a.b")),
        ("a~b", Some("a~b")),
        ("/realm_access/roles", Some("realm_access|roles")),
        (
            "/https:~1~1corp.example~1roles/0",
            Some("https://corp.example/roles|0"),
        ),
        ("/a~01", Some("a~1")),
        ("/", Some("")),
        ("/a//b", Some("a||b")),
        ("", None),
        ("/a~", None),
        ("/a~2", None),
    ] {
        assert_eq!(parts(text).as_deref(), expected, "{text}");
        if let (Ok(path), true) = (ClaimPath::parse(text), text.matches('/').count() > 1) {
            let shown = path.to_string();
            assert!(shown == text || !text.starts_with('/'), "{text}: {shown}");
        }
    }
    assert!(ClaimPath::parse(&"/a".repeat(MAX_PATH_PARTS)).is_ok());
    assert!(ClaimPath::parse(&"/a".repeat(MAX_PATH_PARTS + 1)).is_err());
}

#[test]
fn an_index_is_a_plain_number() {
    for (part, expected) in [
        ("0", Some(0)),
        ("10", Some(10)),
        ("01", None),
        ("+1", None),
        ("-", None),
        ("", None),
        ("99999999999999999999999", None),
    ] {
        assert_eq!(index(part), expected, "{part}");
    }
}

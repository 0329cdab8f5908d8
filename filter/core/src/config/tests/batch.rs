use super::*;
use crate::grant::gathering::GatheringRules;
#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn together(batch: Value) -> Value {
    with("/grants/service/batch", batch)
}

#[test]
fn nothing_is_put_together_unless_that_is_written_down() {
    let config = parse(&sound()).unwrap();
    assert_eq!(config.grants.service.unwrap().batch, None);
}

#[test]
fn putting_questions_together_needs_no_more_than_to_be_named() {
    let config = parse(&together(json!({}))).unwrap();
    let settings = config.grants.service.unwrap().batch.unwrap();
    assert_eq!(settings.path, "/access/v1/evaluations");
    let expected = GatheringRules {
        calls: 2,
        max_questions: 32,
    };
    assert_eq!(settings.rules, expected);
}

#[test]
fn every_fault_of_a_batch_is_told() {
    let told = faults(&together(
        json!({ "path": "evaluations", "calls": 0, "max_questions": 101, "timeout": "1s" }),
    ));
    for expected in [
        r#"`grants.service.batch.path`: found `"evaluations"`, expected a path"#,
        "`grants.service.batch.calls`: found `0`, expected a number from `1` to `64`",
        "`grants.service.batch.max_questions`: found `101`, expected a number from `2` to `100`",
        "`grants.service.batch.timeout`: found an unknown field",
    ] {
        assert!(
            told.iter().any(|fault| fault.starts_with(expected)),
            "not told: {expected}\ntold: {told:#?}"
        );
    }
    assert_eq!(told.len(), 4, "{told:#?}");
    let told = faults(&together(json!(true)));
    assert_eq!(told.len(), 1, "{told:#?}");
}

//! Several questions with one call (`AuthZEN` 1.0, the Access Evaluations API): what is sent, and which answer is whose.

use std::fmt;

use super::evaluation::said;
use super::reply::{MAX_REPLY_BYTES, RawReply, ServiceFault};
use crate::json::borrowed::{self, Value};

/// A larger reply to several questions is not read.
pub const MAX_REPLIES_BYTES: usize = 4 * MAX_REPLY_BYTES;

/// The body that puts these questions together; each is the body that puts it by itself.
pub fn body_of<'a>(questions: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut body = br#"{"evaluations":["#.to_vec();
    for (place, question) in questions.into_iter().enumerate() {
        if place > 0 {
            body.push(b',');
        }
        body.extend_from_slice(question);
    }
    body.extend_from_slice(b"]}");
    body
}

impl RawReply<'_> {
    /// The bodies of the replies to each of so many questions, in their order, as if each had been put by itself.
    ///
    /// Which answer is whose is known by its place alone, so there must be as many answers as questions: of a reply in which one is
    /// missing, none is believed. An answer that tells an error (section "Errors") is none, though it is worded as a denial.
    ///
    /// # Errors
    /// [`ServiceFault`] for everything that does not answer each question.
    pub fn parts(
        &self,
        questions: usize,
    ) -> Result<Vec<Result<Vec<u8>, ServiceFault>>, ServiceFault> {
        self.check(MAX_REPLIES_BYTES)?;
        let reply =
            borrowed::object(self.body).ok_or_else(|| fault("it is no sound JSON object"))?;
        let Some(Value::Array(answers)) = reply.get("evaluations") else {
            return Err(fault("it has no list of `evaluations`"));
        };
        if answers.len() != questions {
            let found = answers.len();
            return Err(fault(format_args!(
                "it has {found} `evaluations` for {questions} questions"
            )));
        }
        Ok(answers.iter().map(part).collect())
    }
}

/// The body of one answer.
fn part(answer: &Value<'_>) -> Result<Vec<u8>, ServiceFault> {
    match error_in(answer) {
        Some(error) => Err(error),
        None => serde_json::to_vec(answer).map_err(fault),
    }
}

/// What went wrong with one of several questions, where the service says so.
fn error_in(answer: &Value<'_>) -> Option<ServiceFault> {
    let context = said(answer.as_object()?, "context")?.as_object()?;
    let error = said(context, "error")?;
    let member = |name| error.as_object().and_then(|members| members.get(name));
    let message = member("message").and_then(Value::as_str);
    Some(ServiceFault::Error {
        status: member("status").and_then(Value::as_u64),
        message: message.unwrap_or_default().to_owned(),
    })
}

fn fault(what: impl fmt::Display) -> ServiceFault {
    ServiceFault::Body(what.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    type Parts = Result<Vec<Result<String, ServiceFault>>, ServiceFault>;

    fn parts(body: &str, questions: usize) -> Parts {
        let parts = RawReply::json(body.as_bytes()).parts(questions)?;
        let text = |part: Vec<u8>| String::from_utf8(part).unwrap();
        Ok(parts.into_iter().map(|part| part.map(text)).collect())
    }

    #[test]
    fn questions_are_put_together_as_they_are_put_by_themselves() {
        let [one, other] = [br#"{"a":1}"#, br#"{"b":2}"#].map(|text| &text[..]);
        assert_eq!(
            body_of([one, other]),
            br#"{"evaluations":[{"a":1},{"b":2}]}"#
        );
        assert_eq!(body_of([one]), br#"{"evaluations":[{"a":1}]}"#);
    }

    #[test]
    fn each_question_has_the_answer_in_its_place() {
        let body = r#" {"more": [1], "evaluations" : [ {"decision" : true}, {"decision":false,"context":{"a":["\u00e9",1.5]}} ] } "#;
        let expected = [
            r#"{"decision":true}"#,
            r#"{"decision":false,"context":{"a":["é",1.5]}}"#,
        ];
        assert_eq!(
            parts(body, 2),
            Ok(expected.map(|part| Ok(part.to_owned())).to_vec())
        );
    }

    #[test]
    fn no_answer_is_believed_where_one_is_missing_or_one_is_too_many() {
        let body = r#"{"evaluations":[{"decision":true},{"decision":true}]}"#;
        for questions in [1, 3] {
            let told = format!("it has 2 `evaluations` for {questions} questions");
            assert_eq!(parts(body, questions), Err(ServiceFault::Body(told)));
        }
    }

    #[test]
    fn an_error_that_is_told_of_one_question_is_no_denial_of_it() {
        let body = r#"{"evaluations":[
            {"decision":false,"context":{"error":{"status":400,"message":"no\nsubject"}}},
            {"decision":false,"context":{"error":"broken"}},
            {"decision":true,"context":{"error":{}}},
            {"decision":false,"context":{"error":null,"reason":"none"}}
        ]}"#;
        let parts = parts(body, 4).unwrap();
        let told = |status, message: &str| {
            let message = message.to_owned();
            Err(ServiceFault::Error { status, message })
        };
        assert_eq!(parts[0], told(Some(400), "no\nsubject"));
        assert_eq!(parts[1], told(None, ""));
        assert_eq!(parts[2], told(None, ""));
        assert!(parts[3].is_ok());
    }

    #[test]
    fn what_is_no_list_of_answers_is_a_fault() {
        for body in [
            "",
            "null",
            r#"[[{"decision":true}]]"#,
            r#"{"decision":true}"#,
            r#"{"evaluations":{"decision":true}}"#,
            r#"{"evaluations":null}"#,
            r#"{"evaluations":[{"decision":true}],"evaluations":[{"decision":true}]}"#,
            r#"{"evaluations":[{"decision":true,"decision":true}]}"#,
            r#"{"evaluations":[{"decision":true}]}x"#,
            r#"{"evaluations":[{"decision":true]}"#,
            r#"{"evaluations":[{"decision":tru}]}"#,
            r#"{"evaluations":[{"decision":true}],"more":1e999}"#,
            r#"{"evaluations":[{"decision":true}],"more":"\ud800"}"#,
        ] {
            let fault = parts(body, 1);
            assert!(
                matches!(fault, Err(ServiceFault::Body(_))),
                "{body}: {fault:?}"
            );
        }
    }

    #[test]
    fn the_whole_must_be_a_reply_as_each_must() {
        let reply = RawReply::json(br#"{"evaluations":[{"decision":true}]}"#);
        let with_status = RawReply {
            status: 404,
            ..reply
        };
        assert_eq!(with_status.parts(1), Err(ServiceFault::Status(404)));
        let of_html = RawReply {
            content_type: Some(b"text/html"),
            ..reply
        };
        assert_eq!(of_html.parts(1), Err(ServiceFault::ContentType));
        let large = vec![b' '; MAX_REPLIES_BYTES + 1];
        let too_large = RawReply {
            body: &large,
            ..reply
        };
        assert_eq!(
            too_large.parts(1),
            Err(ServiceFault::TooLarge(MAX_REPLIES_BYTES))
        );
    }
}

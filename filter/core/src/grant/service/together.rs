//! Several questions with one call (`AuthZEN` 1.0, the Access Evaluations API): what is sent, and which answer is whose.

use std::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::reply::{MAX_REPLY_BYTES, RawReply, ServiceFault};
use crate::json;

/// A larger reply to several questions is not read.
pub const MAX_REPLIES_BYTES: usize = 16 * MAX_REPLY_BYTES;

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

/// The reply's members. Those that are not known are ignored, as the specification says.
#[derive(Deserialize)]
struct Evaluations<'a> {
    #[serde(borrow)]
    evaluations: Vec<&'a RawValue>,
}

impl<'a> RawReply<'a> {
    /// The replies to each of so many questions, in their order, as if each had been put by itself.
    ///
    /// Which answer is whose is known by its place alone, so there must be as many answers as questions: of a reply in which one is
    /// missing, none is believed.
    ///
    /// # Errors
    /// [`ServiceFault`] for everything that does not answer each question.
    pub fn parts(self, questions: usize) -> Result<Vec<Self>, ServiceFault> {
        if self.status != 200 {
            return Err(ServiceFault::Status(self.status));
        }
        if self.body.len() > MAX_REPLIES_BYTES {
            return Err(ServiceFault::TooLarge(MAX_REPLIES_BYTES));
        }
        if !self.is_json() {
            return Err(ServiceFault::ContentType);
        }
        // `serde` reads the members of a list, too.
        if self.body.trim_ascii_start().first() != Some(&b'{') {
            return Err(fault("it is no object"));
        }
        let Evaluations { evaluations } =
            serde_json::from_slice(self.body).map_err(|error| fault(json::told(&error)))?;
        if evaluations.len() != questions {
            let answers = evaluations.len();
            return Err(fault(format_args!(
                "it has {answers} `evaluations` for {questions} questions"
            )));
        }
        let part = |evaluation: &'a RawValue| Self {
            request_id: None,
            asked_as: None,
            body: evaluation.get().as_bytes(),
            ..self
        };
        Ok(evaluations.into_iter().map(part).collect())
    }
}

fn fault(what: impl fmt::Display) -> ServiceFault {
    ServiceFault::Body(what.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn parts(body: &str, questions: usize) -> Result<Vec<String>, ServiceFault> {
        let parts = RawReply::json(body.as_bytes()).parts(questions)?;
        let text = |part: &RawReply<'_>| String::from_utf8(part.body.to_vec()).unwrap();
        Ok(parts.iter().map(text).collect())
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
        let body = r#" {"more": [1], "evaluations" : [ {"decision" : true}, {"decision":false,"context":{}} ] } "#;
        assert_eq!(
            parts(body, 2).unwrap(),
            [
                r#"{"decision" : true}"#,
                r#"{"decision":false,"context":{}}"#
            ]
        );
    }

    #[test]
    fn what_is_said_of_all_counts_for_each() {
        let reply = RawReply {
            cache_control: Some(b"max-age=3"),
            request_id: Some(b"another"),
            asked_as: Some("sent"),
            ..RawReply::json(br#"{"evaluations":[{"decision":true}]}"#)
        };
        let parts = reply.parts(1).unwrap();
        assert_eq!(parts[0].cache_control, Some(&b"max-age=3"[..]));
        assert_eq!(parts[0].content_type, reply.content_type);
        assert_eq!((parts[0].request_id, parts[0].asked_as), (None, None));
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
    fn what_is_no_list_of_answers_is_a_fault() {
        for body in [
            "",
            "null",
            r#"[[{"decision":true}]]"#,
            r#"{"decision":true}"#,
            r#"{"evaluations":{"decision":true}}"#,
            r#"{"evaluations":null}"#,
            r#"{"evaluations":[{"decision":true}],"evaluations":[{"decision":true}]}"#,
            r#"{"evaluations":[{"decision":true}]}x"#,
            r#"{"evaluations":[{"decision":true]}"#,
            r#"{"evaluations":[{"decision":tru}]}"#,
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
        assert_eq!(with_status.parts(1).unwrap_err(), ServiceFault::Status(404));
        let of_html = RawReply {
            content_type: Some(b"text/html"),
            ..reply
        };
        assert_eq!(of_html.parts(1).unwrap_err(), ServiceFault::ContentType);
        let large = vec![b' '; MAX_REPLIES_BYTES + 1];
        let too_large = RawReply {
            body: &large,
            ..reply
        };
        assert_eq!(
            too_large.parts(1).unwrap_err(),
            ServiceFault::TooLarge(MAX_REPLIES_BYTES)
        );
    }
}

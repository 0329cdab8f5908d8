//! The decision point: the `AuthZEN` Authorization API 1.0, evaluation and evaluations, and where everything is.

mod answer;
mod judge;
mod question;

use axum::extract::{FromRequest, FromRequestParts, Request, State};
use axum::http::HeaderValue;
use axum::http::header::CACHE_CONTROL;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json as Answer, Router};
use serde_json::{Value, json};

use super::body::{Json, NoParams};
use super::caller::Anyone;
use super::problem::{Kind, Problem};
use super::shape::Node;
use crate::app::App;
use crate::identity::Caller;
use answer::{DENIAL_COUNTS_FOR, caching, counts_for, to_json};
use judge::{Verdict, judge};
use question::Question;

/// More questions in one request are refused.
const MAX_EVALUATIONS: usize = 100;

/// When the answers to several questions are enough (section "Evaluations semantics").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Semantic {
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

/// `POST /access/v1/evaluation`, `POST /access/v1/evaluations` and `GET /.well-known/authzen-configuration`.
pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/access/v1/evaluation", post(evaluation))
        .route("/access/v1/evaluations", post(evaluations))
        .route("/.well-known/authzen-configuration", get(metadata))
}

/// What was sent, and by whom. Nothing is read of what a stranger sends.
struct Sent {
    caller: Caller,
    body: Value,
}

impl FromRequest<App> for Sent {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let Anyone(caller) = Anyone::from_request_parts(&mut parts, app).await?;
        NoParams::from_request_parts(&mut parts, app).await?;
        let Json(body) = Json::from_request(Request::from_parts(parts, body), app).await?;
        Ok(Self { caller, body })
    }
}

async fn evaluation(State(app): State<App>, sent: Result<Sent, Problem>) -> Response {
    let answer = async {
        let Sent { caller, body } = sent?;
        one(&app, &caller, &body).await
    };
    answer.await.unwrap_or_else(Problem::into_message)
}

async fn evaluations(State(app): State<App>, sent: Result<Sent, Problem>) -> Response {
    let answer = async {
        let Sent { caller, body } = sent?;
        let root = Node::root(&body);
        let semantic = semantic(&root)?;
        let items = match root.member("evaluations")?.present() {
            Some(items) => items.elements()?,
            None => Vec::new(),
        };
        match items.len() {
            // Without any it is a single question, for the sake of those who know only that (section "The Access Evaluations API Request").
            0 => one(&app, &caller, &body).await,
            1..=MAX_EVALUATIONS => several(&app, &caller, &root, &items, semantic).await,
            _ => Err(Problem::new(
                Kind::Malformed,
                format!("`evaluations`: expected at most {MAX_EVALUATIONS} elements"),
            )),
        }
    };
    answer.await.unwrap_or_else(Problem::into_message)
}

async fn one(app: &App, caller: &Caller, body: &Value) -> Result<Response, Problem> {
    let question = Question::read(&Node::root(body), None)?;
    let verdict = judge(app, caller, question).await?;
    let now = app.desk.clock().now();
    let cache_control = (CACHE_CONTROL, caching(counts_for(&verdict, now)));
    Ok(([cache_control], Answer(to_json(app, &verdict, now))).into_response())
}

async fn several(
    app: &App,
    caller: &Caller,
    defaults: &Node<'_>,
    items: &[Node<'_>],
    semantic: Semantic,
) -> Result<Response, Problem> {
    let mut answers = Vec::with_capacity(items.len());
    // They are told together, so that no grant counts longer than the one that ends first. How long a denial counts is for the proxy to bound:
    // one among them must not have all others asked for again at once.
    let mut grants_count_for = None;
    for item in items {
        let question = Question::read(item, Some(defaults)).map_err(Problem::from);
        let verdict = match question {
            Ok(question) => judge(app, caller, question).await,
            Err(problem) => Err(problem),
        };
        let is_allowed = matches!(verdict, Ok(Verdict::Allowed(_)));
        let now = app.desk.clock().now();
        if let Ok(grant @ Verdict::Allowed(_)) = &verdict {
            let longest = grants_count_for.unwrap_or(u64::MAX);
            grants_count_for = Some(counts_for(grant, now).min(longest));
        }
        answers.push(match verdict {
            Ok(verdict) => to_json(app, &verdict, now),
            // What is wrong with all of them is no answer to any.
            Err(problem) if problem.status().is_server_error() => return Err(problem),
            Err(problem) => error(&problem),
        });
        match semantic {
            Semantic::DenyOnFirstDeny if !is_allowed => break,
            Semantic::PermitOnFirstPermit if is_allowed => break,
            _ => {}
        }
    }
    let seconds = grants_count_for.unwrap_or(DENIAL_COUNTS_FOR);
    let cache_control = (CACHE_CONTROL, caching(seconds));
    Ok(([cache_control], Answer(json!({ "evaluations": answers }))).into_response())
}

/// What went wrong with one of several questions (section "Errors"): it is denied.
fn error(problem: &Problem) -> Value {
    let error = json!({ "status": problem.status().as_u16(), "message": problem.detail() });
    json!({ "decision": false, "context": { "error": error } })
}

fn semantic(root: &Node<'_>) -> Result<Semantic, Problem> {
    let Some(options) = root.member("options")?.present() else {
        return Ok(Semantic::ExecuteAll);
    };
    let Some(semantic) = options.member("evaluations_semantic")?.present() else {
        return Ok(Semantic::ExecuteAll);
    };
    match semantic.string()? {
        "execute_all" => Ok(Semantic::ExecuteAll),
        "deny_on_first_deny" => Ok(Semantic::DenyOnFirstDeny),
        "permit_on_first_permit" => Ok(Semantic::PermitOnFirstPermit),
        _ => Err(semantic
            .expected("`execute_all`, `deny_on_first_deny` or `permit_on_first_permit`")
            .into()),
    }
}

async fn metadata(State(app): State<App>, _: NoParams) -> Response {
    let cache_control = (CACHE_CONTROL, HeaderValue::from_static("max-age=300"));
    let document = json!({
        "policy_decision_point": app.address(""),
        "access_evaluation_endpoint": app.address("/access/v1/evaluation"),
        "access_evaluations_endpoint": app.address("/access/v1/evaluations"),
        "access_request_endpoint": app.address("/access/v1/requests"),
        "capabilities": ["urn:openid:authzen:capability:access-request"],
    });
    ([cache_control], Answer(document)).into_response()
}

//! The story: alice wants to read an order, and the orders need a grant. She asks for one, lena approves, it ends; and ada takes the next
//! one back.

mod asking;
mod ending;
mod passing;
mod records;

use std::time::Duration;

use anyhow::Result;

use super::ask::Ask;
use super::narrator::Narrator;
use super::stage::Stage;

/// What everyone asks for.
const ORDER: &str = "/orders/7";
/// How long a refusal is remembered (`deny_ttl` in Envoy's configuration), and a little more.
const REFUSAL_FORGOTTEN: Duration = Duration::from_millis(1100);

pub(super) fn walk(stage: &Stage, narrator: &mut Narrator) -> Result<()> {
    let tour = Tour { stage };
    narrator.open(stage);
    tour.no_token(narrator.step("No token"))?;
    tour.no_grant(narrator.step("A token, but no grant"))?;
    let request = tour.request(narrator.step("Alice requests access"))?;
    let end = tour.approve(narrator.step("Lena approves"), &request)?;
    tour.one_call(narrator.step("The same request passes"))?;
    tour.no_call(narrator.step("And again, without a call"))?;
    tour.spoofed_identity(narrator.step("A spoofed identity"))?;
    tour.embedded_grant(narrator.step("A grant inside the token"))?;
    tour.the_end(narrator.step("The grant ends by itself"), end)?;
    let grant = tour.in_again(narrator.step("Access once more, for longer"))?;
    tour.revoke(narrator.step("Ada revokes it"), &grant)?;
    tour.audit_lines(narrator.step("Every decision is on record"));
    tour.chained_record(narrator.step("And so is everything that led to it"))?;
    Ok(())
}

/// The visit, step by step.
struct Tour<'a> {
    stage: &'a Stage,
}

impl Tour<'_> {
    fn order(&self) -> Ask {
        Ask::get(format!("http://{}{ORDER}", self.stage.addresses.proxy))
    }

    fn order_by(&self, user: &str) -> Ask {
        self.order().with_token_from(self.token_url(user))
    }

    fn token_url(&self, user: &str) -> String {
        format!("http://{}/token?user={user}", self.stage.idp.address())
    }

    /// The address of `path` at the grant service.
    fn service(&self, path: &str) -> String {
        format!("http://{}{path}", self.stage.grants.address())
    }

    /// How often the filter found no decision at hand so far: it then asks the grant service, once.
    fn calls(&self) -> Result<u64> {
        self.stage.addresses.stat("wasmcustom.hallpass.grants.miss")
    }

    fn served(&self) -> usize {
        self.stage.upstream.served(ORDER)
    }
}

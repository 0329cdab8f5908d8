//! Two who want something at the same moment, each at another replica: there is an order, and both are told what it was.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use hallpass_grants::audit::Event;
use hallpass_grants::desk::Desk;
use hallpass_grants::life::{Origin, Person, Refusal, RequestId};
use hallpass_grants::store::{AuditFilter, GrantFilter, Revoked};
use sqlx::{Any, AnyPool, Executor, Transaction};
use tokio::spawn;
use tokio::task::JoinHandle;

use crate::world::{Database, World, on_each_database, orders, person, refusal, told, wish};

/// So often, so that whatever order comes up is one of those that are told apart.
const ROUNDS: usize = 8;

type Told = Result<&'static str, Refusal>;

#[tokio::test(flavor = "multi_thread")]
async fn two_approvers_at_once_make_one_grant_and_both_are_told_so() {
    on_each_database(async |world| {
        let alice = person("alice", &["dev"]);
        for round in 1..=ROUNDS {
            let id = world.ask(&alice, wish("read", 60)).await;
            let lena = approval(&world.desk, "lena", &id);
            let leo = approval(&world.other, "leo", &id);
            let told = sorted([lena.await.unwrap(), leo.await.unwrap()]);
            assert_eq!(told, [Ok("approved"), Err(Refusal::Over("approved"))]);
            assert_eq!(grants(&world).await, round);
            let events = world.events().await;
            assert_eq!(count(&events, Event::GrantGiven), round);
            assert_eq!(count(&events, Event::RequestApproved), round);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_approvals_at_once_both_count_where_it_takes_two() {
    on_each_database(async |world| {
        let alice = person("alice", &["dev"]);
        for round in 1..=ROUNDS {
            let id = world.ask(&alice, wish("write", 60)).await;
            let lena = approval(&world.desk, "lena", &id);
            let leo = approval(&world.other, "leo", &id);
            let told = sorted([lena.await.unwrap(), leo.await.unwrap()]);
            assert_eq!(told, [Ok("approved"), Ok("pending")]);
            assert_eq!(grants(&world).await, round);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_first_to_the_end_of_the_record_is_first() {
    on_each_database(async |world| {
        let alice = person("alice", &["dev"]);
        let all = Revoked::Subject(alice.id.clone());
        for yes_is_first in [true, false, true, false] {
            let id = world.ask(&alice, wish("read", 600)).await;
            let mut queue = Queue::behind_the_end(&world).await;
            let (yes, ended) = if yes_is_first {
                let yes = queue.join(|desk| approving(desk, "lena", &id)).await;
                (yes, queue.join(|desk| revoking(desk, &all)).await)
            } else {
                let ended = queue.join(|desk| revoking(desk, &all)).await;
                (queue.join(|desk| approving(desk, "lena", &id)).await, ended)
            };
            queue.let_go().await;
            let told = (yes.await.unwrap(), ended.await.unwrap());
            if yes_is_first {
                assert_eq!(told, (Ok("approved"), 1));
            } else {
                assert_eq!(told, (Err(Refusal::Over("denied")), 0));
            }
            assert_eq!(world.live(&alice, "read").await, None);
            world.pass(Duration::from_secs(1));
        }
    })
    .await;
}

/// Changes that wait, one behind the other, until the end of the record is let go.
struct Queue<'a> {
    world: &'a World,
    pool: AnyPool,
    end: Transaction<'static, Any>,
    many: i64,
}

impl<'a> Queue<'a> {
    async fn behind_the_end(world: &'a World) -> Self {
        let pool = world.back_door().await;
        let mut end = pool.begin().await.unwrap();
        end.execute("UPDATE chain SET position = position")
            .await
            .unwrap();
        Self {
            world,
            pool,
            end,
            many: 0,
        }
    }

    /// Waits until this one waits. `PostgreSQL` keeps the order in which replicas come; a file keeps none, so there both come to the same
    /// replica, which does.
    async fn join<T: Send + 'static>(
        &mut self,
        change: impl FnOnce(&Arc<Desk>) -> BoxFuture<'static, T>,
    ) -> JoinHandle<T> {
        self.many += 1;
        let is_other = self.many == 2 && self.world.database == Database::Postgres;
        let desk = if is_other {
            &self.world.other
        } else {
            &self.world.desk
        };
        let mut changing = change(desk);
        // By its first step it has the replica's turn, or stands behind whoever has.
        assert!((&mut changing).now_or_never().is_none(), "it waits");
        let changing = spawn(changing);
        if self.world.database == Database::Postgres {
            self.world.until_they_wait(&self.pool, self.many).await;
        }
        changing
    }

    async fn let_go(self) {
        self.end.rollback().await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_approver_at_both_replicas_at_once_counts_once() {
    on_each_database(async |world| {
        let id = world
            .ask(&person("alice", &["dev"]), wish("write", 60))
            .await;
        let clicks = [&world.desk, &world.other, &world.desk, &world.other];
        for click in clicks.map(|desk| approval(desk, "lena", &id)) {
            assert_eq!(click.await.unwrap(), Ok("pending"));
        }
        assert_eq!(grants(&world).await, 0);
        let expected = [Event::RequestOpened, Event::RequestSeconded];
        assert_eq!(
            world.events().await,
            expected,
            "what she says again is no news"
        );
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_and_a_revocation_at_once_leave_no_live_grant() {
    on_each_database(async |world| {
        let alice = person("alice", &["dev"]);
        let wholes = [
            Revoked::Subject(alice.id.clone()),
            Revoked::Resource("orders".to_owned()),
            Revoked::Everything,
        ];
        for (round, what) in wholes.iter().cycle().take(ROUNDS * 2).enumerate() {
            let before = world.events().await.len();
            let id = world.ask(&alice, wish("read", 600)).await;
            let (yes, ended) = if round % 2 == 0 {
                let yes = approval(&world.desk, "lena", &id);
                (yes, revocation(&world.other, what))
            } else {
                let ended = revocation(&world.other, what);
                (approval(&world.desk, "lena", &id), ended)
            };
            let (yes, ended) = (yes.await.unwrap(), ended.await.unwrap());
            assert_eq!(world.live(&alice, "read").await, None, "{what:?}");
            let trail = world.events().await.split_off(before + 1);
            let taken_back = match what {
                Revoked::Subject(_) => Event::SubjectRevoked,
                Revoked::Resource(_) => Event::ResourceRevoked,
                _ => Event::EverythingRevoked,
            };
            if yes == Ok("approved") {
                assert_eq!(ended, 1);
                let approved = [Event::RequestApproved, Event::GrantGiven];
                assert_eq!(
                    trail,
                    [&approved[..], &[taken_back, Event::GrantRevoked]].concat()
                );
            } else {
                assert_eq!((yes, ended), (Err(Refusal::Over("denied")), 0));
                assert_eq!(trail, [taken_back, Event::RequestDenied]);
            }
            // What was given before or at the moment of a revocation no longer counts: the next round is another moment.
            world.pass(Duration::from_secs(1));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn taking_a_request_back_and_approving_or_denying_it_at_once_is_one_of_them() {
    on_each_database(async |world| {
        let alice = person("alice", &["dev"]);
        for round in 0..ROUNDS {
            let grants_before = grants(&world).await;
            let id = world.ask(&alice, wish("read", 60)).await;
            let (desk, asker, whose) = (world.desk.clone(), alice.clone(), id.clone());
            let back =
                spawn(async move { told(desk.withdraw(&asker, &whose, &Origin::default()).await) });
            let decision = if round % 2 == 0 {
                approval(&world.other, "lena", &id)
            } else {
                denial(&world.other, "lena", &id)
            };
            let (back, decision) = (back.await.unwrap(), decision.await.unwrap());
            let state = match (&back, &decision) {
                (Ok(state), Err(Refusal::Over(said))) | (Err(Refusal::Over(said)), Ok(state)) => {
                    assert_eq!(state, said);
                    *state
                }
                both => panic!("not one of them: {both:?}"),
            };
            let request = world.desk.store().request(&id).await.unwrap().unwrap();
            assert_eq!(request.state(), state);
            let made = grants(&world).await - grants_before;
            assert_eq!(made, usize::from(state == "approved"));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_wish_sent_many_times_at_once_under_one_key_is_one_request() {
    on_each_database(async |world| {
        let senders: Vec<_> = [&world.desk, &world.other]
            .into_iter()
            .cycle()
            .take(6)
            .map(|desk| {
                let (desk, mut wish) = (desk.clone(), wish("read", 60));
                wish.idempotency_key = Some("once".to_owned());
                spawn(async move {
                    let alice = person("alice", &["dev"]);
                    let request = desk
                        .request(&alice, wish, &Origin::default())
                        .await
                        .unwrap();
                    request.facts().id.clone()
                })
            })
            .collect();
        let mut ids = Vec::new();
        for sender in senders {
            ids.push(sender.await.unwrap());
        }
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        assert_eq!(world.events().await, [Event::RequestOpened]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_wish_sent_twice_at_once_without_a_key_waits_once() {
    on_each_database(async |world| {
        let ask = |desk: &Arc<Desk>| {
            let desk = desk.clone();
            spawn(async move {
                let alice = person("alice", &["dev"]);
                let request = desk
                    .request(&alice, wish("read", 60), &Origin::default())
                    .await;
                request.map(|request| request.facts().id.clone())
            })
        };
        let (one, two) = (ask(&world.desk), ask(&world.other));
        let (id, refused) = match (one.await.unwrap(), two.await.unwrap()) {
            (Ok(id), refused) | (refused, Ok(id)) => (id, refusal(refused)),
            both => panic!("neither waits: {both:?}"),
        };
        assert_eq!(refused, Refusal::Duplicate(id));
        assert_eq!(world.events().await, [Event::RequestOpened]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_ends_while_someone_takes_it_back_ends_once() {
    on_each_database(async |world| {
        let oscar = person("oscar", &["dev", "oncall"]);
        for round in 1..=ROUNDS {
            world.ask(&oscar, wish("read", 60)).await;
            let grant = world.live(&oscar, "read").await.unwrap();
            world.pass(Duration::from_mins(1));
            let desk = world.desk.clone();
            let sweep = spawn(async move { desk.expire().await.unwrap() });
            let (other, what) = (world.other.clone(), Revoked::Grant(grant.id.clone()));
            let back = spawn(async move {
                let ada = person("ada", &["security"]);
                refusal(other.revoke(&ada, &what, "why", &Origin::default()).await)
            });
            sweep.await.unwrap();
            assert_eq!(back.await.unwrap(), Refusal::Over("expired"));
            let events = world.events().await;
            assert_eq!(count(&events, Event::GrantExpired), round);
            assert_eq!(count(&events, Event::GrantRevoked), 0);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_by_itself_is_on_record_once_however_many_look() {
    const MANY: usize = 120;
    on_each_database(async |world| {
        for number in 0..MANY {
            let someone = person(&format!("oscar-{number}"), &["dev", "oncall"]);
            world.ask(&someone, wish("read", 60)).await;
        }
        world
            .ask(&person("alice", &["dev"]), wish("read", 60))
            .await;
        world.pass(Duration::from_hours(2));
        let sweeps = [&world.desk, &world.other].map(|desk| {
            let desk = desk.clone();
            spawn(async move { while desk.expire().await.unwrap() {} })
        });
        for sweep in sweeps {
            sweep.await.unwrap();
        }
        let events = world.events().await;
        assert_eq!(count(&events, Event::GrantExpired), MANY);
        assert_eq!(count(&events, Event::RequestExpired), 1);
        let still = GrantFilter {
            live_at: Some(crate::world::NOON),
            limit: 10,
            ..GrantFilter::default()
        };
        assert_eq!(world.desk.store().grants(&still).await.unwrap(), []);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_write_at_both_replicas_leave_one_chain_in_one_order() {
    on_each_database(async |world| {
        let writers: Vec<_> = (0..8)
            .map(|number| {
                let desk = [&world.desk, &world.other][number % 2].clone();
                spawn(async move {
                    let oscar = person(&format!("oscar-{number}"), &["dev", "oncall"]);
                    for action in ["read", "write"] {
                        let id = desk
                            .request(&oscar, wish(action, 60), &Origin::default())
                            .await;
                        assert_eq!(told(id), Ok("approved"));
                    }
                    assert_eq!(revoke(&desk, &Revoked::Subject(oscar.id)).await, 2);
                })
            })
            .collect();
        for writer in writers {
            writer.await.unwrap();
        }
        // 2 × (opened, approved, given), then the subject's revocation and those of 2 grants.
        assert_eq!(world.record().await.len(), 8 * (2 * 3 + 1 + 2));
        let news = AuditFilter {
            event: Some("subject_revoked".to_owned()),
            limit: 100,
            ..AuditFilter::default()
        };
        assert_eq!(world.desk.store().audit(&news).await.unwrap().len(), 8);
        let target = orders("read");
        let nobody = person("oscar-0", &[]).id;
        let evaluation = world.desk.evaluate(&nobody, &target).await.unwrap();
        assert_eq!(evaluation, hallpass_grants::desk::Evaluation::Denied);
    })
    .await;
}

fn approval(desk: &Arc<Desk>, name: &str, id: &RequestId) -> JoinHandle<Told> {
    spawn(approving(desk, name, id))
}

fn approving(desk: &Arc<Desk>, name: &str, id: &RequestId) -> BoxFuture<'static, Told> {
    let (desk, lead, id) = (desk.clone(), lead(name), id.clone());
    Box::pin(async move { told(desk.approve(&lead, &id, &Origin::default()).await) })
}

fn denial(desk: &Arc<Desk>, name: &str, id: &RequestId) -> JoinHandle<Told> {
    let (desk, lead, id) = (desk.clone(), lead(name), id.clone());
    spawn(async move { told(desk.deny(&lead, &id, "no", &Origin::default()).await) })
}

fn revocation(desk: &Arc<Desk>, what: &Revoked) -> JoinHandle<usize> {
    spawn(revoking(desk, what))
}

fn revoking(desk: &Arc<Desk>, what: &Revoked) -> BoxFuture<'static, usize> {
    let (desk, what) = (desk.clone(), what.clone());
    Box::pin(async move { revoke(&desk, &what).await })
}

async fn revoke(desk: &Desk, what: &Revoked) -> usize {
    let ada = person("ada", &["security"]);
    let ended = desk
        .revoke(&ada, what, "incident", &Origin::default())
        .await;
    ended.unwrap()
}

fn lead(name: &str) -> Person {
    person(name, &["lead"])
}

fn sorted(mut told: [Told; 2]) -> [Told; 2] {
    told.sort_by_key(|told| (told.is_err(), told.clone().ok()));
    told
}

fn count(events: &[Event], which: Event) -> usize {
    events.iter().filter(|&&event| event == which).count()
}

async fn grants(world: &World) -> usize {
    let all = GrantFilter {
        limit: 1_000,
        ..GrantFilter::default()
    };
    world.desk.store().grants(&all).await.unwrap().len()
}

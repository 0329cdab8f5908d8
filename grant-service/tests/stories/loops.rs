//! The loop: request, approve, in, over.

use std::time::Duration;

use hallpass_grants::audit::{Hash, verify};
use hallpass_grants::desk::{Evaluation, Fault};
use hallpass_grants::life::{Refusal, Request};
use hallpass_grants::store::{AuditFilter, Revoked};

use crate::world::{on_each_database, orders, person, wish};

#[tokio::test]
async fn access_is_requested_approved_by_someone_else_and_ends_by_itself() {
    on_each_database(async |world| {
        let (alice, lena) = (person("alice", &["dev", "lead"]), person("lena", &["lead"]));
        let desk = &world.desk;
        let request = desk
            .request(&alice, wish("read", 60), &world.origin)
            .await
            .unwrap();
        assert_eq!(request.state(), "pending");
        let id = &request.facts().id;
        let own = desk.approve(&alice, id, &world.origin).await;
        assert!(matches!(own, Err(Fault::Refused(Refusal::OwnRequest))));
        assert_eq!(
            desk.evaluate(&alice.id, &orders("read")).await.unwrap(),
            Evaluation::Denied
        );
        let approved = desk.approve(&lena, id, &world.origin).await.unwrap();
        assert!(matches!(approved, Request::Closed(_)));
        let Evaluation::Allowed(grant) = desk.evaluate(&alice.id, &orders("read")).await.unwrap()
        else {
            panic!("it is approved");
        };
        assert_eq!(grant.holder, alice.id);
        for (who, target) in [(&lena, orders("read")), (&alice, orders("write"))] {
            let other = desk.evaluate(&who.id, &target).await.unwrap();
            assert_eq!(other, Evaluation::Denied, "{target:?}");
        }
        world.pass(Duration::from_mins(1));
        assert_eq!(
            desk.evaluate(&alice.id, &orders("read")).await.unwrap(),
            Evaluation::Denied
        );
        desk.expire().await.unwrap();
        let filter = AuditFilter {
            limit: 100,
            ..AuditFilter::default()
        };
        let entries = desk.store().audit(&filter).await.unwrap();
        let mut end = (0, Hash::GENESIS);
        for (_, link) in &entries {
            end = verify(end, link).unwrap();
        }
        assert_eq!(end.0, 4, "{entries:#?}");
    })
    .await;
}

#[tokio::test]
async fn what_is_revoked_is_out_and_in_the_feed() {
    on_each_database(async |world| {
        let (oscar, admin) = (
            person("oscar", &["dev", "oncall"]),
            person("ada", &["security"]),
        );
        let desk = &world.desk;
        let request = desk
            .request(&oscar, wish("read", 60), &world.origin)
            .await
            .unwrap();
        assert_eq!(request.state(), "approved");
        let before = desk.store().end_of_record().await.unwrap();
        let ended = desk
            .revoke(&admin, &Revoked::Everything, "incident 9", &world.origin)
            .await
            .unwrap();
        assert_eq!(ended, 1);
        assert_eq!(
            desk.evaluate(&oscar.id, &orders("read")).await.unwrap(),
            Evaluation::Denied
        );
        let now = desk.clock().now();
        let feed = desk.store().revocations(before, now, 1_000).await.unwrap();
        assert_eq!(feed.epoch, Some(now));
        assert_eq!(feed.revocations.len(), 1);
        assert_eq!(
            desk.store()
                .revocations(feed.cursor, now, 1_000)
                .await
                .unwrap()
                .revocations,
            []
        );
    })
    .await;
}

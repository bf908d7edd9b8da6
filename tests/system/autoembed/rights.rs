//! Who may have a column kept embedded, and that the worker, a superuser, lends its rights to nobody's triggers.

use super::{settle, until};
use postgres::Client;
use postgres::error::SqlState;
use vw_tests::cluster::Cluster;

/// A role that owns a table, and one that may write to it only.
fn roles(cluster: &Cluster) -> (Client, Client, Client) {
    let mut admin = cluster.with_vw("app");
    admin
        .batch_execute(
            "CREATE ROLE owner LOGIN; CREATE ROLE writer LOGIN;
             CREATE SCHEMA own AUTHORIZATION owner; GRANT USAGE ON SCHEMA own TO writer",
        )
        .expect("roles");
    let (mut owner, writer) = (cluster.connect_as("owner", "app"), cluster.connect_as("writer", "app"));
    owner
        .batch_execute(
            "CREATE TABLE own.doc (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text, e vector(1024));
             GRANT SELECT, INSERT, UPDATE ON own.doc TO writer",
        )
        .expect("a table");
    (admin, owner, writer)
}

#[test]
fn only_the_owner_decides_and_everybody_who_may_write_is_served() {
    let cluster = Cluster::start("");
    let (mut admin, mut owner, mut writer) = roles(&cluster);
    let call = "SELECT vw_autoembed('own.doc', 'body', 'e')";
    let error = writer.batch_execute(call).expect_err("not his table");
    assert_eq!(error.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{error:?}");
    owner.batch_execute(call).expect("her table");
    writer.batch_execute("INSERT INTO own.doc (body) VALUES ('by somebody else')").expect("he may write");
    assert!(settle(&mut owner).done >= 1);
    let seen: i64 = writer.query_one("SELECT count(*) FROM vw_autoembed_status()", &[]).expect("a list").get(0);
    assert_eq!(seen, 0, "what is hers is not shown to him");
    writer.batch_execute("SELECT vw_autoembed_drop('own.doc', 'e')").expect_err("not his to end");
    let internal = "SELECT vw.as_owner('own.doc', 'SELECT 1', NULL, NULL, NULL)";
    assert_eq!(
        owner.batch_execute(internal).expect_err("not for users").code(),
        Some(&SqlState::INSUFFICIENT_PRIVILEGE)
    );
    admin.batch_execute("SELECT vw_autoembed_drop('own.doc', 'e')").expect("a superuser may");
}

#[test]
fn triggers_run_with_the_owners_rights_and_get_no_others() {
    let cluster = Cluster::start("vw.autoembed_attempts = 2\nvw.autoembed_retry_delay = '50ms'");
    let (mut admin, mut owner, _) = roles(&cluster);
    owner
        .batch_execute(
            "CREATE TABLE own.seen (what text, who text, path text);
             GRANT INSERT ON own.seen TO PUBLIC;
             CREATE FUNCTION own.spy() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 INSERT INTO own.seen VALUES ('update', current_user, current_setting('search_path'));
                 IF NEW.body = 'evil' THEN
                     EXECUTE 'RESET ROLE';
                     EXECUTE 'ALTER ROLE owner SUPERUSER';
                 END IF;
                 PERFORM set_config('search_path', 'own', false);
                 RETURN NEW;
             END $$;
             CREATE TRIGGER spy BEFORE UPDATE ON own.doc FOR EACH ROW EXECUTE FUNCTION own.spy();
             CREATE FUNCTION own.later() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN ALTER ROLE owner SUPERUSER; RETURN NULL; END $$;
             SELECT vw_autoembed('own.doc', 'body', 'e', existing => 'none');
             INSERT INTO own.doc (body) VALUES ('good'), ('evil')",
        )
        .expect("a table with triggers");
    let status = settle(&mut owner);
    assert!(status.done >= 1 && status.failed >= 1, "{status:?}");
    let seen = owner.query("SELECT DISTINCT who, path FROM own.seen", &[]).expect("what the trigger saw");
    assert!(!seen.is_empty() && seen.iter().all(|row| row.get::<_, &str>(0) == "owner"), "{seen:?}");
    assert!(seen.iter().all(|row| row.get::<_, &str>(1) == "pg_catalog"), "settings are put back: {seen:?}");
    // What is put off would run when the rights are the worker's again.
    owner
        .batch_execute(
            "CREATE CONSTRAINT TRIGGER later AFTER UPDATE ON own.doc DEFERRABLE INITIALLY DEFERRED
                 FOR EACH ROW EXECUTE FUNCTION own.later();
             INSERT INTO own.doc (body) VALUES ('deferred')",
        )
        .expect("a deferred trigger");
    until(&mut owner, "it is refused", |status| status.failed == 2);
    let failed = "SELECT count(*), min(error_code) FROM vw_autoembed_failed('own.doc', 'e')";
    assert_eq!(owner.query_one(failed, &[]).expect("her rows").get::<_, i64>(0), 2);
    owner.batch_execute("UPDATE vw.autoembed SET done = 9").expect_err("what a worker counts is not hers to write");
    owner.batch_execute("DROP TRIGGER later ON own.doc; SELECT vw_autoembed_retry('own.doc')").expect("another try");
    until(&mut owner, "one of them is better now", |status| status.pending == 0 && status.failed == 1);
    let rights = "SELECT rolsuper FROM pg_roles WHERE rolname = 'owner'";
    assert!(!admin.query_one(rights, &[]).expect("a role").get::<_, bool>(0));
}

#[test]
fn rows_that_the_owner_may_not_see_are_an_error_not_a_silence() {
    let cluster = Cluster::start("");
    let (_, mut owner, _) = roles(&cluster);
    owner
        .batch_execute(
            "ALTER TABLE own.doc ENABLE ROW LEVEL SECURITY;
             SELECT vw_autoembed('own.doc', 'body', 'e'); INSERT INTO own.doc (body) VALUES ('seen')",
        )
        .expect("policies do not hold for an owner");
    assert!(settle(&mut owner).done >= 1);
    owner
        .batch_execute(
            "ALTER TABLE own.doc FORCE ROW LEVEL SECURITY; CREATE POLICY add ON own.doc FOR INSERT WITH CHECK (true);
             INSERT INTO own.doc (body) VALUES ('unseen')",
        )
        .expect("unless they are forced to");
    let held = until(&mut owner, "it is said", |status| status.error.is_some());
    assert!(
        held.error.as_ref().is_some_and(|error| error.contains("row-level security")) && held.pending == 1,
        "{held:?}"
    );
}

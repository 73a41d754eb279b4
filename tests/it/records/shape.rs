//! The shape of the records: brought up to date by whoever comes first, and never
//! taken back.

use promoter::adapter::store::Shape;
use promoter::port::RecordsError;

use super::*;

const NEWEST: i64 = 1;

#[test]
fn it_is_brought_up_to_date_once() {
    on_each(async |on| {
        let file = on.fresh().await;
        let (first, again) = (file.again(), file.again());
        let (from, to) = (0, NEWEST);
        assert_eq!(first.migrate().await, Ok(Shape { from, to }));
        let (from, to) = (NEWEST, NEWEST);
        assert_eq!(first.migrate().await, Ok(Shape { from, to }));
        assert_eq!(again.migrate().await, Ok(Shape { from, to }));
    });
}

#[test]
fn that_of_a_newer_promoter_is_refused() {
    on_each(async |on| {
        let file = on.fresh().await;
        file.keep(&[]).await;
        let newer = "INSERT INTO _sqlx_migrations \
                     (version, description, success, checksum, execution_time) \
                     SELECT 99, 'later', success, checksum, 0 FROM _sqlx_migrations";
        let mut other = file.connected().await;
        sqlx::query(newer).execute(&mut other).await.unwrap();
        let place = file.store.location().to_string();
        let newer = Err(RecordsError::Newer { place });
        assert_eq!(file.again().keep(&here(), &[]).await, newer);
        assert_eq!(file.again().migrate().await.map(|_| ()), newer);
    });
}

#[test]
fn who_may_make_no_tables_uses_those_that_somebody_made() {
    let events = super::kept::failed();
    in_real_time(async {
        let file = On::Postgres.fresh().await;
        let Place::Server(database) = &file.database else {
            unreachable!("it was asked for");
        };
        let none = format!(
            "ALTER DATABASE {} OWNER TO postgres; REVOKE ALL ON SCHEMA public FROM PUBLIC; \
             GRANT USAGE ON SCHEMA public TO PUBLIC",
            database.name
        );
        database.run(&none).await;
        let error = file.again().keep(&here(), &[]).await.unwrap_err();
        let said = error.to_string();
        assert!(
            said.ends_with("permission denied for schema public"),
            "{said}"
        );
        database
            .run("GRANT CREATE ON SCHEMA public TO PUBLIC")
            .await;
        file.again().migrate().await.unwrap();
        database
            .run("REVOKE CREATE ON SCHEMA public FROM PUBLIC")
            .await;
        file.keep(&events).await;
        file.only().await;
    });
}

#[test]
fn where_nothing_may_be_written_what_is_there_is_read() {
    let events = super::kept::failed();
    in_real_time(async {
        let file = On::Postgres.fresh().await;
        file.keep(&events).await;
        let entry = file.only().await;
        let Place::Server(database) = &file.database else {
            unreachable!("it was asked for");
        };
        let set = |what: &str| {
            let name = &database.name;
            format!(
                "ALTER ROLE promoter IN DATABASE {name} SET default_transaction_read_only = {what}"
            )
        };
        database.run(&set("on")).await;
        let store = file.again();
        let again = notes(&events);
        let error = store.keep(&here(), &again).await.unwrap_err();
        let RecordsError::Failed { action, reason, .. } = &error else {
            panic!("{error:?}");
        };
        assert_eq!(*action, "write");
        assert!(reason.contains("in a read-only transaction"), "{reason}");
        assert_eq!(store.last(&all(), 10).await.unwrap(), [entry]);
        // It is another server by then, or this one may be written again.
        database.run(&set("off")).await;
        store.keep(&here(), &again).await.unwrap_err();
        store.keep(&here(), &again).await.unwrap();
    });
}

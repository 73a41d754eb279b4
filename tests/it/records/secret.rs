//! An address has a password in it: it is used, over TLS as `sslmode` says, and
//! never shown.

use std::process::Command;

use super::*;
use crate::support::postgres::{PASSWORD, Server, own};
use crate::support::wire::Wire;

/// A server with a certificate for its address, which takes nobody without TLS.
fn with_tls() -> Server {
    let mut server = Server::init();
    let folder = server.folder().to_owned();
    let openssl = |subject: &str, rest: &[&str]| {
        let mut openssl = Command::new("openssl");
        openssl
            .current_dir(&folder)
            .args(["req", "-x509", "-days", "2", "-nodes", "-subj", subject]);
        openssl.args(["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]);
        let done = openssl.args(rest).output().unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    openssl("/CN=ca", &["-keyout", "ca.key", "-out", "ca.pem"]);
    let name = format!("subjectAltName=IP:{}", server.address());
    openssl(
        "/CN=db",
        &[
            &[
                "-CA", "ca.pem", "-CAkey", "ca.key", "-keyout", "db.key", "-out", "db.pem",
            ][..],
            &[
                "-addext",
                &name,
                "-addext",
                "basicConstraints=critical,CA:FALSE",
            ],
        ]
        .concat(),
    );
    let (key, hba) = (folder.join("db.key"), folder.join("hba.conf"));
    own(&key);
    own(&folder.join("db.pem"));
    let rules = "local all all trust\nhostssl all all all scram-sha-256\n";
    std::fs::write(&hba, rules).unwrap();
    own(&hba);
    server.set("hba_file", hba.display());
    server.set("ssl", "on");
    server.set("ssl_cert_file", folder.join("db.pem").display());
    server.set("ssl_key_file", key.display());
    server.run();
    server
}

#[test]
fn tls_is_used_as_sslmode_says() {
    let server = with_tls();
    in_real_time(async {
        let database = server.database().await;
        let wire = Wire::to(server.address()).await;
        let root = format!("sslrootcert={}", server.folder().join("ca.pem").display());
        let reached = async |host: &str, port, query: &str| {
            let store = store(database.url_by(host, port, query));
            store
                .last(&all(), 1)
                .await
                .map_err(|error| error.to_string())
        };
        let address = server.address().to_string();
        let right = async |query: &str| reached(&address, 5432, query).await;
        // There it has another name.
        let elsewhere = async |query: &str| reached("127.0.0.1", wire.port(), query).await;
        let refused = right("sslmode=disable").await.unwrap_err();
        assert!(refused.contains("no pg_hba.conf entry"), "{refused}");
        for mode in ["allow", "prefer", "require"] {
            assert_eq!(
                right(&format!("sslmode={mode}")).await,
                Ok(Vec::new()),
                "{mode}"
            );
        }
        for mode in ["require", "verify-ca", "verify-full"] {
            let with_root = format!("sslmode={mode}&{root}");
            assert_eq!(right(&with_root).await, Ok(Vec::new()), "{mode}");
            let is_full = mode == "verify-full";
            assert_eq!(elsewhere(&with_root).await.is_err(), is_full, "{mode}");
        }
        let unknown = right("sslmode=verify-full").await.unwrap_err();
        assert!(unknown.contains("UnknownIssuer"), "{unknown}");
    });
    in_real_time(async {
        let plain = On::Postgres.fresh().await;
        let Place::Server(database) = &plain.database else {
            unreachable!("it was asked for");
        };
        let host = database.address().to_string();
        let reached = async |mode: &str| {
            let url = database.url_by(&host, 5432, &format!("sslmode={mode}"));
            store(url).last(&all(), 1).await
        };
        assert_eq!(reached("prefer").await, Ok(Vec::new()));
        let error = reached("require").await.unwrap_err().to_string();
        assert!(error.ends_with("server does not support TLS"), "{error}");
    });
}

#[test]
fn no_error_repeats_it() {
    in_real_time(async {
        let file = On::Postgres.fresh().await;
        let Place::Server(database) = &file.database else {
            unreachable!("it was asked for");
        };
        let host = database.address().to_string();
        let right = database.url();
        let wrong = [
            right.replace("hunter2", "hunter3"),
            right.replace("promoter:", "nobody:"),
            right.replace(&database.name, "none"),
            database.url_by("127.0.0.1", 1, "sslmode=disable"),
            database.url_by("no-such-host.invalid", 5432, "sslmode=disable"),
            database.url_by(&host, 5432, "sslmode=verify-full"),
            database.url_by(&host, 5432, "sslmode=verify-full&sslrootcert=/no/such/file"),
        ];
        for url in wrong {
            let store = store(&url);
            let error = store.last(&all(), 1).await.unwrap_err();
            let said = format!("{error} {error:?} {:?}", store.location());
            assert!(said.contains("postgres://"), "{said}");
            for secret in ["hunter", PASSWORD, "%2F"] {
                assert!(!said.contains(secret), "{said}");
            }
        }
    });
}

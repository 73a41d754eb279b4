//! What may be shown of an address, and how its `sslmode` is meant.

use super::*;

fn parse(text: &str) -> Result<Location, LocationError> {
    Location::parse(OsStr::new(text))
}

fn modes(text: &str) -> Vec<String> {
    let mode = |url: Url| {
        let mut pairs = url.query_pairs();
        pairs.find(|(name, _)| name == "sslmode").unwrap().1.into()
    };
    parse(text).unwrap().urls().into_iter().map(mode).collect()
}

#[test]
fn a_path_is_a_file() {
    for path in [
        "/var/lib/promoter/records.db",
        "records.db",
        "a b?c#d%41.db",
        "/srv/ann@home/postgres/12:30.db",
    ] {
        let location = parse(path).unwrap();
        assert_eq!(location.file(), Some(Path::new(path)));
        assert_eq!(location.to_string(), path);
        let [url] = &location.urls()[..] else {
            panic!("{location}");
        };
        assert!(url.as_str().starts_with("sqlite:%"), "{url}");
        assert!(url.query().is_none() && url.fragment().is_none(), "{url}");
    }
}

#[test]
fn of_an_address_only_host_port_and_database_are_shown() {
    let address = "postgres://ann:hunter2@db.example.com/promoter?sslmode=disable";
    let location = parse(address).unwrap();
    let shown = "postgres://db.example.com:5432/promoter";
    assert_eq!(location.to_string(), shown);
    assert_eq!(format!("{location:?}"), format!("Server({shown})"));
    let spelled = "postgresql:///?host=/run/pg&port=5433&dbname=promoter&password=hunter2";
    let shown = parse(spelled).unwrap().to_string();
    assert_eq!(shown, "postgres:///run/pg:5433/promoter");
}

#[test]
fn a_password_that_is_not_escaped_is_said_and_not_repeated() {
    for address in [
        "postgres://ann:hunter2/x@db/promoter",
        "postgres://ann:12/hunter2@db/promoter",
        "postgres://ann:12#hunter2@db/promoter",
        "postgres://ann:12?hunter2@db/promoter",
        "postgres://ann:hunter2@db/promoter?pasword=hunter2",
        "postgres://ann:hunter2@db/promoter?sslmode=hunter2",
        "mysql://ann:hunter2@db/promoter",
        "postgres://ann:hunter2@db:port/promoter",
        "postgres:/ann:hunter2@db/promoter",
        "postgres//ann:hunter2@db/promoter",
        "POSTGRES:/ann:hunter2",
        " postgresql:ann hunter2",
        "ann:hunter2@db/promoter",
        "postgre:/ann:hunter2@db/promoter",
    ] {
        let error = parse(address).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
    assert!(parse("postgres://ann:%2F%3F%23%40@db/promoter").is_ok());
}

#[test]
fn tls_is_used_as_libpq_does() {
    let with = |query: &str| modes(&format!("postgres://db/promoter{query}"));
    assert_eq!(with(""), ["prefer", "disable"]);
    assert_eq!(with("?sslmode=disable"), ["disable"]);
    assert_eq!(with("?sslmode=allow"), ["disable", "require"]);
    assert_eq!(with("?sslmode=require"), ["require"]);
    assert_eq!(with("?sslmode=require&sslrootcert=/ca.pem"), ["verify-ca"]);
    assert_eq!(with("?sslmode=verify-full"), ["verify-full"]);
}

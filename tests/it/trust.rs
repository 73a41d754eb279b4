//! A machine without certificates of authorities, as an image without files: what is
//! reached by HTTPS is not asked, and it is said what to do.

use std::process::Command;

/// How `promoter doctor` ends there, and what it says.
fn doctor(settings: &[(&str, &str)]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_promoter"));
    command.env_clear().env("HOME", "/nowhere");
    command.env("SSL_CERT_FILE", "/nowhere/certificates.pem");
    command.env("AWS_EC2_METADATA_DISABLED", "true");
    command.env("AWS_ACCESS_KEY_ID", "AKIDTEST");
    command.env("AWS_SECRET_ACCESS_KEY", "not-to-be-seen");
    command.envs(settings.iter().copied());
    let output = command.arg("doctor").output().unwrap();
    let all = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(all).unwrap())
}

#[test]
fn without_certificates_nobody_is_asked_and_it_says_what_to_do() {
    let (code, said) = doctor(&[]);
    assert_eq!(code, Some(7), "{said}");
    assert!(
        said.contains("there are no certificates of authorities on this machine"),
        "{said}"
    );
    assert!(
        said.contains("give a file of them in SSL_CERT_FILE"),
        "{said}"
    );
}

#[test]
fn who_needs_no_certificates_is_asked_all_the_same() {
    let (code, said) = doctor(&[("AWS_ENDPOINT_URL", "http://127.0.0.1:1")]);
    assert_eq!(code, Some(7), "{said}");
    assert!(said.contains("Connection refused"), "{said}");
    assert!(!said.contains("certificates"), "{said}");
}

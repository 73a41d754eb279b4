//! A whole group taken out of the cluster.

use crate::support::Folder;

#[test]
fn a_group_goes_with_all_that_is_its_own_after_it_was_shown() {
    let folder = Folder::new("removed");
    folder.open(&folder.hello("master"));
    // Nobody can be asked here.
    let asked = folder.promoter(["remove", "master"]).run();
    println!("{asked}");
    assert_eq!(asked.code, 2, "{asked}");
    assert!(
        asked
            .stdout
            .contains("Deployment hello-a-blue, hello-b-blue"),
        "{asked}"
    );
    assert!(asked.stdout.contains("hello-a; then hello-b"), "{asked}");
    assert_eq!(
        folder.list("Pod", "promoter.dev/app").len(),
        2,
        "nothing went"
    );

    let removed = folder.promoter(["remove", "master", "--yes"]).run();
    println!("{removed}");
    assert_eq!(removed.code, 0, "{removed}");
    // Whoever comes later must not begin with the epochs of who was here.
    assert_eq!(folder.owned(), ["Lease/promoter-master"]);
    assert_eq!(folder.list("Secret", "promoter.dev/role=plan").len(), 0);
    assert!(folder.get("DeploymentGroup", "master").is_none());
    let again = folder.promoter(["remove", "master", "--yes"]).run();
    assert_eq!(again.code, 0, "{again}");
    assert!(
        again.stdout.contains("nothing of it is in the cluster"),
        "{again}"
    );
    folder.promote("master");
}

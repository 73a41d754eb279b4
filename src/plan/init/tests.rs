//! What is proposed for what was found.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::plan::image::Digest;

fn repositories(names: &[&str]) -> Repositories {
    Repositories {
        host: "1.dkr.ecr.eu-west-1.amazonaws.com".to_owned(),
        account: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
        names: names
            .iter()
            .map(|name| RepositoryName::parse(name).unwrap())
            .collect(),
    }
}

/// Images with one tag each, the last one newest.
fn images(tags: &[&str]) -> Vec<RegistryImage> {
    let image = |(n, tag): (i64, &&str)| RegistryImage {
        digest: Digest::parse(&format!("sha256:{n:064x}")).unwrap(),
        tags: vec![(*tag).to_owned()],
        pushed_at: Timestamp::from_second(n).unwrap(),
    };
    (1..).zip(tags).map(image).collect()
}

fn found(objects: Vec<Value>, repositories: &[(&str, &[&str])]) -> Found {
    let names: Vec<_> = repositories.iter().map(|(name, _)| *name).collect();
    let registry = self::repositories(&names);
    let objects: Vec<_> = objects.into_iter().map(Object).collect();
    let wanted = wanted(&objects, &registry);
    let images = repositories.iter().filter_map(|(name, tags)| {
        let name = RepositoryName::parse(name).unwrap();
        wanted.contains(&name).then(|| (name, images(tags)))
    });
    Found {
        context: "prod".to_owned(),
        namespace: Namespace::parse("shop").unwrap(),
        images: images.collect(),
        objects,
        registry,
    }
}

/// A Deployment as the server gives it back.
fn deployment(name: &str, image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": "shop",
            "uid": "5f0c", "resourceVersion": "77", "generation": 3,
            "creationTimestamp": "2026-11-30T00:00:00Z",
            "labels": { "app": name },
            "annotations": {
                "deployment.kubernetes.io/revision": "3",
                "kubectl.kubernetes.io/last-applied-configuration": "{}",
            },
            "managedFields": [{ "manager": "kubectl" }],
        },
        "spec": {
            "replicas": 2,
            "progressDeadlineSeconds": 600,
            "revisionHistoryLimit": 10,
            "selector": { "matchLabels": { "app": name } },
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": { "maxSurge": "25%", "maxUnavailable": "25%" },
            },
            "template": {
                "metadata": {
                    "creationTimestamp": null,
                    "labels": { "app": name },
                    "annotations": { "kubectl.kubernetes.io/restartedAt": "2026-11-30" },
                },
                "spec": {
                    "containers": [{
                        "name": "web",
                        "image": format!("1.dkr.ecr.eu-west-1.amazonaws.com/{image}"),
                        "imagePullPolicy": "IfNotPresent",
                        "args": ["--format", "{{ .Name }} {% raw %} {# no #}"],
                        "env": [
                            { "name": "GREETING", "value": "Hello" },
                            { "name": "DB_PASSWORD", "value": "hunter2" },
                            { "name": "API_TOKEN", "valueFrom": { "secretKeyRef": { "name": "api", "key": "token" } } },
                        ],
                        "ports": [
                            { "name": "http", "containerPort": 8080, "protocol": "TCP" },
                            { "name": "admin", "containerPort": 9090, "protocol": "TCP" },
                        ],
                        "readinessProbe": {
                            "httpGet": { "path": "/readyz", "port": "http", "scheme": "HTTP" },
                            "periodSeconds": 1, "failureThreshold": 3,
                            "successThreshold": 1, "timeoutSeconds": 1,
                        },
                        "resources": { "requests": { "cpu": "25m" } },
                        "terminationMessagePath": "/dev/termination-log",
                        "terminationMessagePolicy": "File",
                    }],
                    "dnsPolicy": "ClusterFirst",
                    "restartPolicy": "Always",
                    "schedulerName": "default-scheduler",
                    "securityContext": {},
                    "terminationGracePeriodSeconds": 30,
                },
            },
        },
        "status": { "readyReplicas": 2 },
    })
}

fn service(name: &str, of: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": name, "namespace": "shop", "uid": "5f0d" },
        "spec": {
            "clusterIP": "10.0.0.7", "clusterIPs": ["10.0.0.7"],
            "internalTrafficPolicy": "Cluster",
            "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack",
            "ports": [{ "name": "http", "port": 80, "protocol": "TCP", "targetPort": "http", "nodePort": 30080 }],
            "selector": { "app": of },
            "sessionAffinity": "None",
            "type": "NodePort",
        },
        "status": { "loadBalancer": {} },
    })
}

fn shown(found: &Found, wish: &Wish) -> String {
    match draft(found, wish) {
        Err(why) => format!("nothing: {why}"),
        Ok(draft) => {
            let files = draft.files.iter();
            let files = files.map(|file| format!("== {}: {}\n{}", file.path, file.what, file.text));
            let notes = draft.notes.iter().map(|note| format!("note: {note}\n"));
            files.chain(notes).collect()
        }
    }
}

fn running() -> Found {
    let objects = vec![
        deployment("hello-a", "team/hello-a:master-2-f12224a"),
        service("hello-a", "hello-a"),
        deployment("hello-b", "team/hello-b:v1.4"),
        deployment("redis", "team/gone:1"),
    ];
    found(
        objects,
        &[
            ("team/hello-a", &["master-2-f12224a"]),
            ("team/hello-b", &["old-7-aaaaaaa", "next-8-bbbbbbb"]),
            ("team/hello-tests", &["master-1-ccccccc"]),
            ("other/web-tests", &["master-1-ddddddd"]),
        ],
    )
}

#[test]
fn what_runs_becomes_a_group() {
    let mut found = running();
    assert_eq!(found.images.len(), 3, "others' tests are not looked at");
    let shown = shown(&found, &Wish::default());
    let (files, manifests) = shown.split_once("== groups/manifests").unwrap();
    insta::assert_snapshot!(files, @r#"
    == environments/shop.toml: where it runs
    [environment]
    name      = "shop"
    namespace = "shop"
    cluster   = { context = "prod" }   # of the kubeconfig

    [registry]
    account = "123456789012"
    region  = "eu-west-1"
    == groups/master.toml: what it is
    # From what ran in namespace shop of prod. Look it through: a branch may be a guess.

    [group]
    name        = "master"
    environment = "shop"
    branch      = "master"   # for every app and check that names none

    [[app]]
    name       = "hello-a"
    repository = "team/hello-a"
    manifest   = "manifests/hello-a.yaml"
    port       = 8080
    replicas   = 2
    # needs    = []   # apps of the group that it calls: they are taken down after it

    [[app]]
    name       = "hello-b"
    repository = "team/hello-b"
    branch     = "next"   # what runs (v1.4) names no branch
    manifest   = "manifests/hello-b.yaml"
    replicas   = 2
    # needs    = []   # apps of the group that it calls: they are taken down after it

    # Nothing is promoted unless every check passes against the candidate.
    [[check]]
    name       = "hello-tests"
    repository = "team/hello-tests"
    # command  = ["npm", "test"]   # what the image runs, unless told
    timeout    = "10m"
    # report   = "tap"   # or "junit": shows single test cases, not just an exit code
    "#);
    let (_, notes) = manifests.split_once("note: ").unwrap();
    insta::assert_snapshot!(notes, @"Deployment redis is left out: no container runs an image of 1.dkr.ecr.eu-west-1.amazonaws.com");
    // In whichever order the cluster gives them.
    found.objects.reverse();
    assert_eq!(self::shown(&found, &Wish::default()), shown);
}

#[test]
fn a_manifest_is_what_runs_without_what_the_server_says() {
    let files = draft(&running(), &Wish::default()).unwrap().files;
    let paths: Vec<_> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths[2..],
        [
            "groups/manifests/hello-a.yaml",
            "groups/manifests/hello-b.yaml"
        ]
    );
    let warning = "app hello-a shows what looks like a secret in env DB_PASSWORD: move it to a Secret before you commit this file";
    assert_eq!(files[2].warning.as_deref(), Some(warning));
    assert_eq!(files[1].warning, None);
    insta::assert_snapshot!(files[2].text, @r#"
    # hello-a as it ran in namespace shop of prod. promoter fills in the image, how many pods there are, and the colour.
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      labels:
        app: hello-a
      name: hello-a
    spec:
      selector:
        matchLabels:
          app: hello-a
      template:
        metadata:
          labels:
            app: hello-a
        spec:
          containers:
          - args:
            - --format
            - "{{ "{{" }} .Name }} {{ "{%" }} raw %} {{ "{#" }} no #}"
            env:
            - name: GREETING
              value: Hello
            - name: DB_PASSWORD
              value: hunter2
            - name: API_TOKEN
              valueFrom:
                secretKeyRef:
                  key: token
                  name: api
            image: {{ image }}
            name: web
            ports:
            - containerPort: 8080
              name: http
            - containerPort: 9090
              name: admin
            readinessProbe:
              httpGet:
                path: /readyz
                port: http
              periodSeconds: 1
            resources:
              requests:
                cpu: 25m
    ---
    apiVersion: v1
    kind: Service
    metadata:
      name: hello-a
    spec:
      ports:
      - name: http
        nodePort: 30080
        port: 80
        targetPort: http
      selector:
        app: hello-a
      type: NodePort
    "#);
}

#[test]
fn without_tests_it_says_so() {
    let objects = vec![deployment(
        "hello-a",
        "hello-a@sha256:0000000000000000000000000000000000000000000000000000000000000002",
    )];
    let found = found(
        objects,
        &[("hello-a", &["main-1-aaaaaaa", "feature-x-2-bbbbbbb"])],
    );
    let wish = Wish {
        group: Some(GroupName::parse("nightly").unwrap()),
        environment: Some(EnvironmentName::parse("v2").unwrap()),
        schemas: true,
    };
    let draft = draft(&found, &wish).unwrap();
    let texts: Vec<_> = draft.files[..2]
        .iter()
        .map(|file| file.text.as_str())
        .collect();
    insta::assert_snapshot!(texts.join("==\n"), @r#"
    #:schema ../schema/environment.json

    [environment]
    name      = "v2"
    namespace = "shop"
    cluster   = { context = "prod" }   # of the kubeconfig
    untested  = "allowed"   # groups without a check: take this out once there is one

    [registry]
    account = "123456789012"
    region  = "eu-west-1"
    ==
    #:schema ../schema/group.json

    # From what ran in namespace shop of prod. Look it through: a branch may be a guess.

    [group]
    name        = "nightly"
    environment = "v2"
    branch      = "feature-x"   # for every app and check that names none

    [[app]]
    name       = "hello-a"
    repository = "hello-a"
    manifest   = "manifests/hello-a.yaml"
    replicas   = 2

    # Nothing tests this group yet, so whatever starts is promoted. Put your integration tests into an image, then take
    # `untested` out of the environment's file and say which it is:
    # [[check]]
    # name       = "tests"
    # repository = "tests"
    "#);
}

#[test]
fn where_nothing_runs_repositories_are_offered() {
    let found = found(
        vec![],
        &[
            ("hello-a", &["master-2-f12224a"]),
            ("team/hello-b", &["release-1-aaaaaaa", "next-2-aaaaaaa"]),
            ("base", &["latest"]),
            ("hello-a-blue", &["master-1-aaaaaaa"]),
            ("hello-tests", &["master-1-ccccccc"]),
        ],
    );
    insta::assert_snapshot!(shown(&found, &Wish::default()), @r#"
    == environments/shop.toml: where it runs
    [environment]
    name      = "shop"
    namespace = "shop"
    cluster   = { context = "prod" }   # of the kubeconfig

    [registry]
    account = "123456789012"
    region  = "eu-west-1"
    == groups/master.toml: what it is
    # From the repositories of 1.dkr.ecr.eu-west-1.amazonaws.com. Look it through: a branch may be a guess.

    [group]
    name        = "master"
    environment = "shop"
    branch      = "master"   # for every app and check that names none

    [[app]]
    name       = "hello-a"
    repository = "hello-a"
    # port     = 8080   # what it listens on: then it gets a Service of its name
    # replicas = 2
    # needs    = []   # apps of the group that it calls: they are taken down after it

    [[app]]
    name       = "hello-b"
    repository = "team/hello-b"
    branch     = "next"
    # port     = 8080   # what it listens on: then it gets a Service of its name
    # replicas = 2
    # needs    = []   # apps of the group that it calls: they are taken down after it

    # Nothing is promoted unless every check passes against the candidate.
    [[check]]
    name       = "hello-tests"
    repository = "hello-tests"
    # command  = ["npm", "test"]   # what the image runs, unless told
    timeout    = "10m"
    # report   = "tap"   # or "junit": shows single test cases, not just an exit code
    note: repository base has no image that is tagged {slug}-{build}-{sha}, so it is left out
    note: repository hello-a-blue is left out, as a Deployment of hello-a is called hello-a-blue
    "#);
    let none = shown(&self::found(vec![], &[]), &Wish::default());
    assert_eq!(
        none,
        "nothing: ECR has no repository in eu-west-1: check AWS_PROFILE and AWS_REGION"
    );
    let empty = self::found(vec![], &[("base", &["latest"])]);
    insta::assert_snapshot!(shown(&empty, &Wish::default()), @"nothing: nothing in namespace shop of prod runs an image of 1.dkr.ecr.eu-west-1.amazonaws.com, and no repository there has an image that is tagged {slug}-{build}-{sha}");
}

#[test]
fn what_is_left_out_and_why() {
    let with = |name: &str, change: fn(&mut Value)| {
        let mut object = deployment(name, "team/hello-a:master-2-f12224a");
        change(&mut object);
        object
    };
    let headless = |name: &str| {
        let mut service = service(name, "hello-a");
        service["spec"]["clusterIP"] = "None".into();
        service
    };
    let mut both = service("both", "x");
    both["spec"]["selector"] = json!({ "tier": "web" });
    let tier = |object: &mut Value| {
        object["spec"]["template"]["metadata"]["labels"]["tier"] = "web".into();
    };
    let objects = vec![
        with("hello-a", tier),
        with("hello-b", tier),
        with("owned", |object| {
            object["metadata"]["ownerReferences"] = json!([{ "kind": "Rollout" }]);
        }),
        with("idle", |object| object["spec"]["replicas"] = 0.into()),
        with("promoted", |object| {
            object["metadata"]["labels"][GROUP] = "master".into();
        }),
        headless("hello-a-peers"),
        both,
        service("elsewhere", "hello-c"),
    ];
    let found = found(objects, &[("team/hello-a", &["master-2-f12224a"])]);
    let notes = draft(&found, &Wish::default()).unwrap().notes;
    insta::assert_snapshot!(notes.join("\n"), @"
    Deployment idle is left out: it asks for no pods, so nothing of it serves
    Deployment owned is left out: it is owned by a Rollout, which would undo changes
    Deployment promoted is left out: it belongs to a group of promoter already
    Service hello-a-peers of app hello-a is left out: it is headless; make it a Service with a cluster IP
    Service both of app hello-a is left out: it leads to pods of hello-b too; narrow its selector
    Service both of app hello-b is left out: it leads to pods of hello-a too; narrow its selector
    ");
}

#[test]
fn what_adoption_would_refuse_is_told() {
    let mut hello = deployment("hello-a", "team/hello-a:master-2-f12224a");
    let host = "1.dkr.ecr.eu-west-1.amazonaws.com";
    let containers = hello["spec"]["template"]["spec"]["containers"].as_array_mut();
    containers.unwrap().extend([
        json!({ "name": "proxy", "image": format!("{host}/team/proxy:3") }),
        json!({ "name": "same", "image": format!("{host}/team/hello-a:master-2-f12224a") }),
        json!({ "name": "public", "image": "nginx:1" }),
    ]);
    let autoscaler = |name: &str, of: &str| {
        json!({
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": { "name": name },
            "spec": { "scaleTargetRef": { "kind": "Deployment", "name": of } },
        })
    };
    let objects = vec![
        hello,
        deployment("hello-a-green", "team/hello-a:master-2-f12224a"),
        deployment("alone-blue", "team/hello-a:master-2-f12224a"),
        autoscaler("by-load", "hello-a"),
        autoscaler("other", "redis"),
        service(&"s".repeat(57), "hello-a"),
        service(&"t".repeat(58), "hello-a"),
    ];
    let tags: &[&str] = &["master-2-f12224a"];
    let found = found(objects, &[("team/hello-a", tags), ("team/proxy", tags)]);
    let draft = draft(&found, &Wish::default()).unwrap();
    insta::assert_snapshot!(draft.notes.join("\n"), @"
    Deployment hello-a-green is left out: a Deployment of app hello-a would be called so
    Service tttttttttttttttttttttttttttttttttttttttttttttttttttttttttt of app hello-a is left out: its name leaves no room for the colour; use at most 57 characters
    app hello-a: container proxy stays at 1.dkr.ecr.eu-west-1.amazonaws.com/team/proxy:3; a promotion changes only the image of team/hello-a
    app hello-a: HorizontalPodAutoscaler by-load scales it, so `promoter adopt` refuses it: delete that one first, and bring one in the manifest if there is to be one
    ");
    let paths = draft.files.iter().map(|file| file.path.as_str());
    let manifests: Vec<_> = paths.filter(|path| path.contains("/manifests/")).collect();
    assert_eq!(
        manifests,
        [
            "groups/manifests/alone-blue.yaml",
            "groups/manifests/hello-a.yaml"
        ]
    );
}

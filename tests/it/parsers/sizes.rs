//! Large files of shapes that could take time or stack beyond all measure.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use promoter::group::spec::{EnvironmentSpec, GroupSpec};
use promoter::group::validate::{self, Manifests, Overrides};
use promoter::plan::color::Color;
use promoter::plan::planner;

use crate::support::given;

/// Bytes of a file, about: enough for what grows faster than the file to show.
const LARGE: usize = 50_000;

const HEAD: &str = "[group]\nname = 'g'\nenvironment = 'v2'\nbranch = 'm'\n";

/// What is said of a group file.
fn problems(text: &str) -> Vec<String> {
    let (spec, mut problems) = GroupSpec::read("groups/g.toml", text);
    let environment = "[environment]\nname = 'v2'\nnamespace = 'v2'\ncluster = {in-cluster = true}";
    let environment = EnvironmentSpec::read("environments/v2.toml", environment).0;
    if let Some(spec) = spec {
        let valid = validate::environment(environment.as_ref().unwrap()).0;
        let none = Manifests::new();
        problems.extend(validate::group(&spec, valid.as_ref(), &none, &Overrides::default()).1);
        let groups = BTreeMap::from([
            ("g".to_owned(), Some(spec.clone())),
            ("h".to_owned(), Some(spec)),
        ]);
        problems.extend(validate::across(
            &groups,
            &BTreeMap::from([("v2".to_owned(), environment)]),
        ));
    }
    // What is shown of all is bounded.
    assert!(problems.to_string().len() < 1_000_000);
    problems
        .iter()
        .map(|problem| problem.message.clone())
        .collect()
}

#[track_caller]
fn says(said: &[String], message: &str) {
    let found = said.iter().any(|said| said.starts_with(message));
    assert!(
        found,
        "{message} is none of {} problems, like {:?}",
        said.len(),
        said.first()
    );
}

/// Many of something, each with its number.
fn many(bytes: usize, one: impl Fn(usize) -> String) -> String {
    let mut text = String::new();
    let mut n = 0;
    while text.len() < bytes {
        text.push_str(&one(n));
        n += 1;
    }
    text
}

fn app(n: usize) -> String {
    format!("[[app]]\nname = 'a{n}'\n")
}

#[test]
fn names_that_are_not_there() {
    let needs = many(LARGE / 2, |n| format!("'b{n}',"));
    let apps = many(LARGE / 2, app);
    let said = problems(&format!(
        "{HEAD}[[app]]\nname = 'x'\nneeds = [{needs}]\n{apps}"
    ));
    says(&said, "`needs` names `b0`, which is no app of the group");
    let checks = many(LARGE / 2, |n| {
        format!("[[check]]\nname = 'c{n}'\napp = 'b'\n")
    });
    let said = problems(&format!("{HEAD}{apps}{checks}"));
    says(&said, "the group has no app `b`");
}

#[test]
fn names_that_are_there_twice() {
    let said = problems(&format!("{HEAD}requires = [{}]", "'a',".repeat(LARGE / 4)));
    says(&said, "`a` is already in line 5");
    let said = problems(&format!("{HEAD}{}", many(LARGE, |_| app(0))));
    says(&said, "app `a0` is already in line");
    // Each app of `g` is an app of `h` as well.
    let said = problems(&format!("{HEAD}{}", many(LARGE, app)));
    says(&said, "app `a0` is also in group");
}

#[test]
fn circles() {
    let mut apps = String::new();
    for n in 0..5000 {
        writeln!(apps, "{}needs = ['a{}']", app(n), n + 1).unwrap();
    }
    let back = "'a0',".repeat(LARGE / 10);
    let said = problems(&format!("{HEAD}{apps}{}needs = [{back}]\n", app(5000)));
    says(&said, "`needs` goes in a circle: a0 -> a1 -> ");
}

#[test]
fn toml_of_all_shapes() {
    for shape in [
        "a.",
        "[a.",
        "[",
        "{",
        "a = {b = {c = {",
        "a = [[[[[[\n",
        "= = =\n",
        "a = \"\n",
        "requires = [1,",
        "a = 1\n",
    ] {
        let text = shape.repeat(LARGE / shape.len());
        assert!(!problems(&text).is_empty(), "{shape:?}");
        assert!(!problems(&format!("{HEAD}{text}")).is_empty(), "{shape:?}");
    }
}

/// What is said of a manifest.
fn refusals(text: &str) -> String {
    let group = given::group(
        vec![given::templated("hello-a", text)],
        vec![given::check("greets")],
    );
    let draft = planner::draft(
        &group,
        &given::resolved(&group),
        &given::survey(),
        Color::Blue,
    );
    let refusals = draft.map_or_else(|refusals| refusals, |_| Vec::new());
    let said: Vec<_> = refusals.iter().map(ToString::to_string).collect();
    said.join("\n")
}

#[test]
fn templates_that_nest_without_end() {
    for (shape, before, after) in [
        ("not ", "{{ ", "1 }}"),
        ("-", "{{ ", "1 }}"),
        ("+1", "{{ 1", " }}"),
        ("~'a'", "{{ 'a'", " }}"),
        (".a", "{{ values", " }}"),
        ("()", "{{ values", " }}"),
        ("|string", "{{ 1", " }}"),
        (" and 1", "{{ 1", " }}"),
        ("1 if 1 else ", "{{ ", "1 }}"),
        ("(", "{{ ", "1"),
        ("[", "{{ ", "1"),
        ("{% elif 0 %}", "{% if 0 %}", "{% endif %}"),
        ("{% if 1 %}", "", ""),
        ("{% set x = [x] %}", "{% set x = [] %}", "{{ x }}"),
        (
            "{% set x = {'a': x} %}",
            "{% set x = {} %}",
            "{{ x|tojson }}",
        ),
    ] {
        let text = format!("{before}{}{after}", shape.repeat(LARGE / shape.len()));
        assert!(!refusals(&text).is_empty(), "{shape}");
    }
}

#[test]
fn templates_that_go_on_without_end() {
    let loops = "{% for i in range(9999) %}".repeat(3) + "a" + &"{% endfor %}".repeat(3);
    assert!(refusals(&loops).contains("manifests/hello-a.yaml:1: engine ran out of fuel"));
    let long = "{% for i in range(9999) %}{{ 'a' * 1000 }}{% endfor %}";
    assert!(refusals(long).contains("manifests/hello-a.yaml: renders to more than 4 MiB"));
    let deep = "{% set n = namespace(x=[]) %}{% for i in range(9999) %}{% set n.x = [n.x] %}{% endfor %}{{ n.x }}";
    assert!(refusals(deep).contains("is not YAML once rendered"));
}

#[test]
fn yaml_of_all_shapes() {
    let line = |n: usize| match n {
        0 => "a0: &a0 [x,x,x,x,x,x,x,x,x]\n".to_owned(),
        n => format!(
            "a{n}: &a{n} [{}]\n",
            vec![format!("*a{}", n - 1); 9].join(",")
        ),
    };
    let laughs: String = (0..20).map(line).collect();
    assert!(refusals(&laughs).contains("is not YAML once rendered"));
    for shape in [
        "[",
        "{a: ",
        "- ",
        "? ",
        "a: ",
        "---\n",
        "&a ",
        "*a ",
        "!!int ",
        "'",
        "\"",
        "|\n ",
        "a: 1\n",
        "9",
        "#\n",
        "\t",
        "%YAML 1.1\n",
        "<<: *a\n",
        "[1,",
        "\u{85}",
        "\\x41",
    ] {
        let said = refusals(&shape.repeat(LARGE / shape.len()));
        assert!(
            !said.is_empty() && said.len() < 2000,
            "{shape:?}: {} bytes",
            said.len()
        );
    }
}

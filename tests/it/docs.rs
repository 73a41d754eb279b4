//! What the pages say is true: their examples are valid, their commands can be typed,
//! their tables name what there is, and their links lead somewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser};
use promoter::adapter::files::Catalog;
use promoter::cli::args::Args;
use promoter::group::spec::{EnvironmentSpec, GroupSpec};
use serde_json::Value;

mod examples;

/// Pages that are read by name; those of `docs/` are found.
const README: &str = "README.md";
const KEYS: &str = "docs/groups.md";
const CODES: &str = "docs/exit-codes.md";

/// The tables of keys, as pointers into the schemas, and the section of the page that
/// each is in.
const SECTIONS: [(&str, &str); 10] = [
    ("/group", "`[group]`"),
    ("/strategy", "`[strategy]`"),
    ("/app/items", "`[[app]]`"),
    ("/check/items", "`[[check]]`"),
    ("/hook/items", "`[[hook]]`"),
    ("/environment", "`[environment]`"),
    ("/environment/properties/cluster", "`cluster`"),
    ("/defaults", "`[defaults]`"),
    ("/registry", "`[registry]`"),
    ("/github", "`[github]`"),
];

/// A page, by its path from the root.
struct Page {
    path: String,
    text: String,
}

/// A fenced block.
struct Block {
    /// Of the page, and the line it begins in.
    place: String,
    /// What stands behind the fence.
    info: String,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn page(path: &str) -> Page {
    let text = fs::read_to_string(root().join(path)).unwrap();
    let path = path.to_owned();
    Page { path, text }
}

fn pages() -> Vec<Page> {
    let entries = fs::read_dir(root().join("docs")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut paths: Vec<_> = names.map(|name| format!("docs/{name}")).collect();
    paths.sort();
    assert!(paths.len() >= 5, "only {paths:?} are there");
    paths.push(README.to_owned());
    paths.iter().map(|path| page(path)).collect()
}

impl Page {
    fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (n, line) in self.text.lines().enumerate() {
            match (open.take(), line.strip_prefix("```")) {
                (None, Some(info)) => {
                    open = Some(Block {
                        place: format!("{}:{}", self.path, n + 1),
                        info: info.to_owned(),
                        text: String::new(),
                    });
                }
                (Some(block), Some(_)) => blocks.push(block),
                (Some(mut block), None) => {
                    block.text.push_str(line);
                    block.text.push('\n');
                    open = Some(block);
                }
                (None, None) => {}
            }
        }
        assert!(open.is_none(), "{}: a block does not end", self.path);
        blocks
    }

    /// Its text without blocks.
    fn prose(&self) -> String {
        let parts = self.text.split("\n```").step_by(2);
        parts.collect::<Vec<_>>().join("\n")
    }

    /// What stands below a heading, up to the next one.
    fn section(&self, heading: &str) -> &str {
        let is_heading = |line: &&str| line.trim_start_matches('#').trim() == heading;
        let line = self.text.lines().find(is_heading);
        let line = line.unwrap_or_else(|| panic!("{} has no section {heading}", self.path));
        let (_, rest) = self.text.split_once(&format!("{line}\n")).unwrap();
        rest.split("\n#").next().unwrap_or_default()
    }

    /// Where links can lead within it, as GitHub names them.
    fn anchors(&self) -> BTreeSet<String> {
        let text = self.prose();
        let headings = text.lines().filter(|line| line.starts_with('#'));
        let anchor = |heading: &str| {
            let heading = heading.trim_start_matches('#').trim().to_lowercase();
            let kept = |c: &char| c.is_alphanumeric() || " -_".contains(*c);
            let anchor: String = heading.chars().filter(kept).collect();
            anchor.replace(' ', "-")
        };
        headings.map(anchor).collect()
    }
}

/// The first cells of a table's rows, without quotes.
fn first_cells(text: &str) -> Vec<&str> {
    let rows = text.lines().filter_map(|line| line.strip_prefix("| "));
    let rows = rows.skip(1);
    let cells = rows.filter_map(|row| row.split(" |").next());
    cells.map(|cell| cell.trim().trim_matches('`')).collect()
}

/// Fails with every place at once.
#[track_caller]
fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn every_file_is_valid() {
    let mut faults = Vec::new();
    let mut seen = 0;
    for page in pages() {
        for block in page.blocks() {
            let folder = tempfile::tempdir().unwrap();
            let is_fragment = match block.info.as_str() {
                "toml" => false,
                "toml fragment" => true,
                other => {
                    assert!(!other.contains("toml"), "{}: {other}", block.place);
                    continue;
                }
            };
            seen += 1;
            examples::write(folder.path(), &block.text, is_fragment);
            let found = Catalog::load(folder.path()).validate_all();
            assert!(found.problems.has_errors() || !found.groups.is_empty());
            let errors = found.problems.errors();
            faults.extend(errors.map(|error| format!("{}: {}", block.place, error.message)));
        }
    }
    none(&faults);
    assert!(seen > 10, "only {seen} files were found");
}

#[test]
fn every_command_can_be_typed() {
    let mut faults = Vec::new();
    let mut seen = 0;
    for page in pages() {
        for block in page.blocks() {
            let lines = block.text.lines();
            let typed: Vec<&str> = match block.info.as_str() {
                "sh" => lines.collect(),
                "console" => lines.filter_map(|line| line.strip_prefix("$ ")).collect(),
                _ => continue,
            };
            for command in typed.iter().flat_map(|line| commands(line)) {
                seen += 1;
                if let Err(error) = Args::try_parse_from(&command) {
                    faults.push(format!("{}: {command:?}: {error}", block.place));
                }
            }
        }
        // In a sentence a command may lack what it is about.
        let prose = page.prose().replace('\n', " ");
        let named = prose.split("`promoter ").skip(1);
        let named = named.filter_map(|rest| rest.split(['`', ' ']).next());
        let known = Args::command();
        let unknown = named.filter(|name| known.find_subcommand(name).is_none());
        faults.extend(unknown.map(|name| format!("{}: no command {name}", page.path)));
    }
    none(&faults);
    assert!(seen > 30, "only {seen} commands were found");
}

/// The words of every call of promoter in a line of a shell.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut quote = None;
    for c in line.chars().chain([';']) {
        let last = commands.last_mut().unwrap();
        match c {
            _ if quote == Some(c) => quote = None,
            _ if quote.is_some() => word.get_or_insert_default().push(c),
            '"' | '\'' => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            '#' if word.is_none() => break,
            ' ' => last.extend(word.take()),
            ';' | '|' | '&' => {
                last.extend(word.take());
                commands.push(Vec::new());
            }
            c => word.get_or_insert_default().push(c),
        }
    }
    for command in &mut commands {
        let is_setting = |word: &String| word.contains('=');
        let settings = command.iter().take_while(|word| is_setting(word)).count();
        command.drain(..settings);
    }
    commands.retain(|command| command.first().is_some_and(|word| word == "promoter"));
    commands
}

#[test]
fn lines_are_read_as_a_shell_does() {
    let line = "A=b promoter plan master; echo x | promoter ban 1 --reason \"a; b\" # promoter x";
    assert_eq!(
        commands(line),
        [
            vec!["promoter", "plan", "master"],
            vec!["promoter", "ban", "1", "--reason", "a; b"],
        ]
    );
}

#[test]
fn every_key_has_its_line() {
    let page = page(KEYS);
    let schemas = [GroupSpec::schema(), EnvironmentSpec::schema()];
    for (table, heading) in SECTIONS {
        let pointer = format!("/properties{table}/properties");
        let mut found = schemas.iter().filter_map(|schema| schema.pointer(&pointer));
        let table = found.next().and_then(Value::as_object).unwrap();
        let known: BTreeSet<_> = table.keys().map(String::as_str).collect();
        let section = page.section(heading);
        let written: BTreeSet<_> = first_cells(section).into_iter().collect();
        // Tables of few keys are told in sentences.
        let missing = known.iter().find(|key| {
            let named = section.contains(&format!("`{key}`"));
            !written.contains(*key) && (!written.is_empty() || !named)
        });
        assert_eq!(missing, None, "{heading}");
        assert!(written.is_subset(&known), "{heading}: {written:?}");
    }
    for schema in &schemas {
        for table in schema["properties"].as_object().unwrap().keys() {
            let forms = [format!("## `[{table}]`"), format!("## `[[{table}]]`")];
            let is_told = forms.iter().any(|form| page.text.contains(form));
            assert!(is_told, "{KEYS} does not tell of {table}");
        }
    }
}

#[test]
fn every_exit_code_has_its_line() {
    let source = include_str!("../../src/cli/exit.rs");
    let arms = source
        .lines()
        .filter_map(|line| line.trim().strip_suffix(','));
    let arms = arms.filter_map(|line| line.strip_prefix("Self::")?.split_once(" => "));
    let known: Vec<_> = arms.map(|(_, code)| code).collect();
    assert!(known.contains(&"130"), "{known:?}");
    let page = page(CODES);
    let (table, _) = page.text.split_once("\nIf there").unwrap();
    let rows = first_cells(table);
    assert_eq!(known, rows, "{CODES}");
    let readme = self::page(README);
    let rows = first_cells(readme.section("Exit codes"));
    assert_eq!(known, rows, "{README}");
}

#[test]
fn links_lead_somewhere() {
    let mut faults = Vec::new();
    let mut seen = 0;
    for page in pages() {
        let folder = Path::new(&page.path).parent().unwrap();
        let prose = page.prose();
        let links = prose.split("](").skip(1);
        for link in links.filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            seen += 1;
            let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
            let target: PathBuf = match path {
                "" => page.path.as_str().into(),
                path => folder.join(path),
            };
            let is_there = root().join(&target).exists();
            let leads = is_there
                && (anchor.is_empty()
                    || self::page(target.to_str().unwrap())
                        .anchors()
                        .contains(anchor));
            if !leads {
                faults.push(format!("{}: {link}", page.path));
            }
        }
    }
    none(&faults);
    assert!(seen > 20, "only {seen} links were found");
}

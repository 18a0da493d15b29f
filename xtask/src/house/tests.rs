//! Tests of the checks, on small trees of sources in memory.

use super::circles::circles;
use super::edges::{Edge, edges};
use super::floors::{self, Floors};
use super::modules::Crate;
use super::purity::{self, Pure};
use super::source::Sources;

/// Reads a crate from the files of its `src`.
fn read(files: &[(&str, &str)]) -> Crate {
    let paths: Vec<String> = files.iter().map(|(path, _)| format!("src/{path}")).collect();
    let files: Vec<(&str, &str)> =
        paths.iter().zip(files).map(|(path, (_, text))| (path.as_str(), *text)).collect();
    Crate::read(&Sources::of(&files), "a", "src/lib.rs").unwrap()
}

/// Returns the references between the files, as `from > to`, without folder and extension.
fn references(files: &[(&str, &str)]) -> Vec<String> {
    let short = |file: &str| file.trim_start_matches("src/").trim_end_matches(".rs").to_owned();
    let shown = |edge: &Edge| format!("{} > {}", short(&edge.from), short(&edge.to));
    edges(&read(files)).iter().map(shown).collect()
}

fn is_circle(files: &[(&str, &str)]) -> bool {
    !circles(&edges(&read(files)), &[]).is_empty()
}

const LIB: (&str, &str) = ("lib.rs", "mod a; mod b; mod c;");
const C: (&str, &str) = ("c.rs", "pub struct C; pub fn c() {}");

/// Returns the files that `a` refers to, where `b` and `c` define `B`, `b()`, `C` and `c()`.
fn references_of(a: &str) -> Vec<String> {
    let b = ("b.rs", "pub struct B; pub fn b() {} pub enum E { One }");
    references(&[LIB, ("a.rs", a), b, C])
}

#[test]
fn imports_are_references() {
    assert_eq!(references_of("use crate::b::B;"), ["a > b"]);
    assert_eq!(references_of("use super::b::B as Other;"), ["a > b"]);
    assert_eq!(references_of("use crate::{b::{self, B}, c::C};"), ["a > b", "a > c"]);
    assert_eq!(references_of("use crate::b::E::*;"), ["a > b"]);
    assert_eq!(references_of("fn f() { use crate::c::C; }"), ["a > c"]);
    assert!(references_of("use std::fmt; use serde::b::B; use ::b::B;").is_empty());
}

#[test]
fn paths_in_code_are_references() {
    assert_eq!(references_of("fn f(b: crate::b::B) {}"), ["a > b"]);
    assert_eq!(references_of("use super::b; fn f() { b::b() }"), ["a > b"]);
    assert_eq!(references_of("use crate::b as other; fn f() { other::b(); }"), ["a > b"]);
    assert_eq!(references_of("fn f() { println!(\"{}\", crate::c::c()) }"), ["a > c"]);
    assert_eq!(references_of("fn f() { [0].map(crate::b::E::One) }"), ["a > b"]);
    let serde = "struct A { #[serde(with = \"crate::c\", default = \"crate::b::b\")] a: u8 }";
    assert_eq!(references_of(serde), ["a > b"]);
}

#[test]
fn what_a_glob_brings_in_counts_where_it_is_named() {
    assert_eq!(references_of("use crate::b::*; fn f(one: B) {}"), ["a > b"]);
    assert_eq!(references_of("use crate::b::*; fn f() { b() }"), ["a > b"]);
    assert!(references_of("use crate::b::*; fn f(b: u8) { x.b(); b }").is_empty());
}

#[test]
fn names_that_only_look_alike_are_no_references() {
    assert!(references_of("fn f(b: u8) { self.b(); T::b(); x::<u8>::b::B; }").is_empty());
    assert!(references_of("/// See [`crate::b::B`].\nfn f() {}").is_empty());
}

#[test]
fn tests_do_not_count() {
    assert!(references_of("#[cfg(test)] mod tests { use crate::b::B; }").is_empty());
    assert!(references_of("#[cfg(test)] use crate::b::B;").is_empty());
    assert!(references_of("impl A { #[cfg(test)] fn f() { crate::b::b() } }").is_empty());
    assert_eq!(references_of("mod inner { use super::super::b::B; }"), ["a > b"]);
}

#[test]
fn a_name_that_is_passed_on_leads_to_its_definition() {
    let files = [
        ("lib.rs", "mod a; mod b; pub use b::B;"),
        ("a.rs", "use crate::b::inner::D; use crate::B;"),
        ("b.rs", "mod c; pub mod inner { pub use super::c::C as D; } pub use c::B;"),
        ("b/c.rs", "pub struct B; pub struct C;"),
    ];
    assert_eq!(references(&files), ["a > b/c"]);
    let chain = [
        ("lib.rs", "mod a; mod b; mod c;"),
        ("a.rs", "use crate::b::*; fn f(c: C) {}"),
        ("b.rs", "pub use crate::c::*;"),
        C,
    ];
    assert_eq!(references(&chain), ["a > c"]);
}

#[test]
fn an_item_that_a_macro_makes_leads_to_its_module() {
    assert_eq!(references_of("use crate::b::MADE;"), ["a > b"]);
    let macros = [
        ("lib.rs", "#[macro_use] mod a; mod b;"),
        ("a.rs", "macro_rules! make { () => {} }"),
        ("b.rs", "make!(); fn f() { vec![] }"),
    ];
    assert_eq!(references(&macros), ["b > a"]);
}

#[test]
fn a_child_may_use_its_parent_if_the_parent_only_passes_it_on() {
    let child = ("b/c.rs", "use super::B; pub struct C(B);");
    let lib = ("lib.rs", "mod b;");
    assert!(!is_circle(&[lib, ("b.rs", "mod c; pub use c::C; pub struct B;"), child]));
    assert!(is_circle(&[lib, ("b.rs", "mod c; pub use c::C; pub struct B(Box<C>);"), child]));
    assert!(is_circle(&[lib, ("b.rs", "mod c; use c::C; pub struct B(Box<C>);"), child]));
}

#[test]
fn a_circle_through_three_files_is_found() {
    let files = [LIB, ("a.rs", "use crate::b::B;"), ("b.rs", "use crate::c::C; pub struct B;")];
    assert!(!is_circle(&[&files[..], &[C]].concat()));
    let back = ("c.rs", "pub struct C; fn f() { crate::a::f() }");
    assert!(is_circle(&[&files[..], &[back]].concat()));
}

#[test]
fn methods_that_are_spread_over_files_are_references() {
    let of = |a: &str| {
        let b = "use crate::c::Iam; impl Iam { pub fn sign(&self) {} }";
        let c = "pub struct Iam; pub struct Other;";
        references(&[LIB, ("a.rs", a), ("b.rs", b), ("c.rs", c)])
    };
    for call in ["self.sign()", "Self::sign(self)", "context.iam.sign()", "Iam::sign"] {
        let a = format!("use crate::c::Iam; impl Iam {{ fn f(&self) {{ {call} }} }}");
        assert_eq!(of(&a), ["a > b", "a > c", "b > c"], "{call}");
    }
    let other = "use crate::c::{Iam, Other}; impl Iam {} impl Other { fn f() { self.sign() } }";
    assert_eq!(of(other), ["a > c", "b > c"]);
}

#[test]
fn types_of_one_name_are_not_one_type() {
    let a = "pub struct Shop; impl Shop { fn start() {} } fn f() { Shop::start() }";
    let b = "struct Shop; impl Shop { fn open() {} fn start() {} } use crate::a::f;";
    assert_eq!(references(&[LIB, ("a.rs", a), ("b.rs", b), C]), ["b > a"]);
}

const TABLE: Floors = Floors {
    package: "a",
    floors: &[&["crate"], &["wing", "other"], &["core"], &["core::base"]],
    allowed: &[("wing", "other", "it is told why")],
};

/// Returns the faults of a crate of two wings over a core.
fn floor_faults(wing: &str, other: &str, core: &str, base: &str) -> Vec<String> {
    let of = read(&[
        ("lib.rs", "mod wing; mod other; mod core;"),
        ("wing.rs", &format!("pub mod inner; pub struct W; {wing}")),
        ("wing/inner.rs", "pub struct I;"),
        ("other.rs", &format!("pub struct O; {other}")),
        ("core.rs", &format!("pub mod base; pub struct C; {core}")),
        ("core/base.rs", &format!("pub struct B; {base}")),
    ]);
    floors::faults(&of, &edges(&of), &TABLE)
}

#[test]
fn modules_use_only_floors_below_theirs() {
    let down = "use crate::core::{C, base::B};";
    assert!(floor_faults(down, down, "use base::B;", "").is_empty());
    assert!(floor_faults("use inner::I;", "", "", "").is_empty());
    let up = floor_faults("", "", "use crate::wing::W;", "");
    assert_eq!(up, ["src/core.rs:1: core may not use wing (src/wing.rs, by crate::wing::W)"]);
    assert_eq!(floor_faults("", "", "", "use super::C;").len(), 1);
    assert_eq!(floor_faults("", "", "use crate::wing::inner::I;", "").len(), 1);
}

#[test]
fn wings_do_not_use_each_other_but_where_the_table_says_so() {
    assert!(floor_faults("use crate::other::O;", "", "", "").is_empty());
    assert_eq!(floor_faults("", "use crate::wing::W;", "", "").len(), 1);
}

#[test]
fn every_module_has_a_floor() {
    let of = read(&[("lib.rs", "mod wing; mod new;"), ("wing.rs", ""), ("new.rs", "")]);
    let table = Floors { floors: &[&["crate"], &["wing", "old"]], ..TABLE };
    assert_eq!(
        floors::faults(&of, &[], &table),
        ["src/new.rs has no floor: give it one", "a: old has a floor, but is no module"]
    );
}

fn purity_faults(text: &str) -> Vec<String> {
    let of = read(&[
        ("lib.rs", "mod model; mod reader; mod models;"),
        ("model.rs", text),
        ("reader.rs", "use std::fs;"),
        ("models.rs", "use std::fs;"),
    ]);
    let except = &[("src/model/file.rs", "reads")];
    purity::faults(&of, &[Pure { module: "src/model", except }])
}

#[test]
fn pure_code_asks_nothing_of_the_world() {
    for text in [
        "use std::time::SystemTime;",
        "use zxcvbn::zxcvbn;",
        "use std::{fmt, fs};",
        "use std::fs::File;",
        "fn f() { std::time::Instant::now() }",
        "use jiff::Timestamp as T; fn f() { T::now() }",
        "fn f() { jiff::Zoned::now() }",
        "use crate::clock; fn f() { clock::now() }",
        "fn f() { fastrand::u64(..) }",
        "use aws_lc_rs::rand;",
        "fn f() { Uuid::new_v4() }",
        "fn f() { println!(\"{}\", uuid::Uuid::now_v7()) }",
        "fn f() { std::env::var(\"A\") }",
        "use std::thread;",
        "use std::net::TcpStream;",
    ] {
        assert!(!purity_faults(text).is_empty(), "{text}");
    }
    for text in [
        "const A: &str = env!(\"A\");",
        "use std::time::Duration; use std::net::IpAddr;",
        "fn f(now: u64, environment: E) { environment.now(); uuid::Uuid::from_u128(now) }",
        "#[cfg(test)] mod tests { use std::fs; }",
    ] {
        assert!(purity_faults(text).is_empty(), "{text}");
    }
}

#[test]
fn a_fault_of_purity_says_where_and_what() {
    let expected = ["src/model.rs:2: std::env::var is the environment, and this is pure"];
    assert_eq!(purity_faults("\nfn f() { std::env::var(\"A\") }"), expected);
}

#[test]
fn purity_counts_in_folders_but_for_their_exceptions() {
    let of = read(&[
        ("lib.rs", "mod model;"),
        ("model.rs", "mod file; mod other;"),
        ("model/file.rs", "use std::fs;"),
        ("model/other.rs", "use std::fs;"),
    ]);
    let pure = [Pure { module: "src/model", except: &[("src/model/file.rs", "reads")] }];
    let faults = purity::faults(&of, &pure);
    assert_eq!(faults, ["src/model/other.rs:1: std::fs is files, and this is pure"]);
}

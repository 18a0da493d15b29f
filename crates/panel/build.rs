//! Fetches the pinned front-end packages with npm, and builds the static files of the panel.
//!
//! If npm is missing or finds no registry, a debug build goes on without style and script, so that
//! checks, lints and in-process tests need nothing but Rust and a C compiler. A release build fails
//! instead, and so does any build with `GATEWRIGHT_PANEL_ASSETS=required`.

#![allow(clippy::disallowed_methods, reason = "Cargo speaks to a build script by its environment")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

/// The parts of the design system that the pages use.
const COMPONENTS: &[&str] = &[
    "Alert/alert",
    "Breadcrumb/breadcrumb",
    "Button/button",
    "Card/card",
    "Check/check",
    "CodeBlock/code-block",
    "DescriptionList/description-list",
    "EmptyState/empty-state",
    "Form/form",
    "FormControl/form-control",
    "HelperText/helper-text",
    "Label/label",
    "Nav/nav",
    "Radio/radio",
    "SkipToContent/skip-to-content",
    "Table/table",
    "Table/table-grid",
    "Title/title",
];

const FONTS: &[&str] = &[
    "RedHatDisplay/RedHatDisplayVF.woff2",
    "RedHatMono/RedHatMonoVF.woff2",
    "RedHatText/RedHatTextVF.woff2",
];

/// The selectors of the design system's dark theme.
const DARK: [&str; 2] = [":root:where(.pf-v6-theme-dark) {", ":where(.pf-v6-theme-dark) {"];

fn main() {
    for input in ["package.json", "package-lock.json", "static", "build.rs"] {
        println!("cargo::rerun-if-changed={input}");
    }
    if let Err(message) = build() {
        println!("cargo::error={message}");
        std::process::exit(1);
    }
}

fn build() -> Result<(), String> {
    let variable = |name| env::var(name).map(PathBuf::from).map_err(|_| format!("no {name}"));
    let (source, out) = (variable("CARGO_MANIFEST_DIR")?, variable("OUT_DIR")?);
    let (packages, files) = (out.join("node_modules"), out.join("files"));
    fs::create_dir_all(&files).map_err(|error| error.to_string())?;
    write_own_files(&source, &files)?;
    match fetch_packages(&source, &out) {
        Ok(()) => write_packaged_files(&source, &packages, &files),
        Err(reason) if is_required() => Err(reason),
        Err(reason) => {
            println!("cargo::warning=the Control Panel has no style and no script: {reason}");
            // This file never exists, so that the next build looks for npm again.
            println!("cargo::rerun-if-changed={}", out.join("absent").display());
            write_placeholders(&source, &files)
        }
    }
}

/// Returns whether a build without style and script must fail.
fn is_required() -> bool {
    let debug = env::var("PROFILE").is_ok_and(|profile| profile == "debug");
    !debug || env::var("GATEWRIGHT_PANEL_ASSETS").is_ok_and(|value| value == "required")
}

fn fetch_packages(source: &Path, out: &Path) -> Result<(), String> {
    for file in ["package.json", "package-lock.json"] {
        copy(&source.join(file), &out.join(file))?;
    }
    let npm = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev"])
        .current_dir(out)
        .output()
        .map_err(|error| format!("the Control Panel needs npm, of Node.js 20 or newer: {error}"))?;
    if npm.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&npm.stderr).replace('\n', " ");
    Err(format!("npm ci failed: {said}"))
}

fn write_own_files(source: &Path, files: &Path) -> Result<(), String> {
    for file in ["panel.js", "logo.svg"] {
        copy(&source.join("static").join(file), &files.join(file))?;
    }
    Ok(())
}

fn write_packaged_files(source: &Path, packages: &Path, files: &Path) -> Result<(), String> {
    let design = packages.join("@patternfly/patternfly");
    let mut style = follow_the_browser(&read(&design.join("patternfly-base.css"))?)?;
    for component in COMPONENTS {
        style.push_str(&read(&design.join("components").join(format!("{component}.css")))?);
    }
    style.push_str(&read(&source.join("static/panel.css"))?);
    write(&files.join("panel.css"), &style)?;
    copy(&packages.join("htmx.org/dist/htmx.min.js"), &files.join("htmx.js"))?;
    for font in FONTS {
        copy(&design.join("assets/fonts").join(font), &files.join(file_name(font)))?;
    }
    Ok(())
}

/// Writes the placeholders of the packages' files: our own style only.
fn write_placeholders(source: &Path, files: &Path) -> Result<(), String> {
    copy(&source.join("static/panel.css"), &files.join("panel.css"))?;
    write(&files.join("htmx.js"), "")?;
    FONTS.iter().try_for_each(|font| write(&files.join(file_name(font)), ""))
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Makes the dark theme follow the browser's preference instead of a class that a script sets, and
/// loads fonts from beside the style sheet.
fn follow_the_browser(style: &str) -> Result<String, String> {
    let mut style = style.to_owned();
    for begin in DARK {
        let start = style.find(&format!("\n{begin}")).map(|place| place + 1);
        let start = start.ok_or_else(|| format!("PatternFly no longer has {begin}"))?;
        let length = style[start..].find("\n}").ok_or("PatternFly's dark colours do not end")?;
        let block = style[start + begin.len()..start + length].to_owned();
        let dark = format!("@media (prefers-color-scheme: dark) {{ :root {{{block}\n}} }}");
        style.replace_range(start..start + length + 2, &dark);
    }
    for font in FONTS {
        style = style.replace(&format!("assets/fonts/{font}"), file_name(font));
    }
    Ok(style)
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    fs::copy(from, to).map(drop).map_err(|error| format!("{}: {error}", from.display()))
}

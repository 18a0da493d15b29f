//! Fetches the pinned front-end packages with npm, and puts together what the panel serves.

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

/// What begins the design system's dark colours.
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
    for file in ["package.json", "package-lock.json"] {
        copy(&source.join(file), &out.join(file))?;
    }
    let npm = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--omit=dev"])
        .current_dir(&out)
        .output()
        .map_err(|error| format!("the Control Panel needs npm, of Node.js 20 or newer: {error}"))?;
    if !npm.status.success() {
        let said = String::from_utf8_lossy(&npm.stderr).replace('\n', " ");
        return Err(format!("npm ci failed: {said}"));
    }
    let packages = out.join("node_modules");
    let design = packages.join("@patternfly/patternfly");
    let files = out.join("files");
    fs::create_dir_all(&files).map_err(|error| error.to_string())?;
    let mut style = follow_the_browser(&read(&design.join("patternfly-base.css"))?)?;
    for component in COMPONENTS {
        style.push_str(&read(&design.join("components").join(format!("{component}.css")))?);
    }
    style.push_str(&read(&source.join("static/panel.css"))?);
    write(&files.join("panel.css"), &style)?;
    copy(&packages.join("htmx.org/dist/htmx.min.js"), &files.join("htmx.js"))?;
    copy(&source.join("static/panel.js"), &files.join("panel.js"))?;
    copy(&source.join("static/logo.svg"), &files.join("logo.svg"))?;
    for font in FONTS {
        let name = font.rsplit('/').next().unwrap_or(font);
        copy(&design.join("assets/fonts").join(font), &files.join(name))?;
    }
    Ok(())
}

/// Dark where the browser asks for it, rather than where a script sets a class; and fonts from
/// beside the style sheet.
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
        let name = font.rsplit('/').next().unwrap_or(font);
        style = style.replace(&format!("assets/fonts/{font}"), name);
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

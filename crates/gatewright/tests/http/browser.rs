//! A real browser, and the checks that every page must pass in it.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thirtyfour::ChromiumLikeCapabilities;
use thirtyfour::common::command::{Command as Drive, ExtensionCommand};
use thirtyfour::prelude::*;

/// The appearances in which pages are checked: name, colour scheme, width in pixels.
const LOOKS: [(&str, &str, u32); 3] =
    [("light", "light", 1200), ("dark", "dark", 1200), ("phone", "light", 390)];

/// A browser that belongs to one test.
pub(crate) struct Browser {
    pub(crate) driver: WebDriver,
    server: Child,
    axe: String,
    url: String,
}

/// The command that fetches the console lines since the last call.
#[derive(Debug)]
struct Console;

impl ExtensionCommand for Console {
    fn parameters_json(&self) -> Option<Value> {
        Some(json!({"type": "browser"}))
    }

    fn method(&self) -> reqwest::Method {
        reqwest::Method::POST
    }

    fn endpoint(&self) -> std::sync::Arc<str> {
        "/se/log".into()
    }
}

impl Browser {
    pub(crate) async fn open(url: &str) -> Self {
        Self::open_in("en", url).await
    }

    pub(crate) async fn open_in(language: &str, url: &str) -> Self {
        let axe = std::env::var("GATEWRIGHT_TEST_AXE")
            .expect("GATEWRIGHT_TEST_AXE is not set: run the tests with `cargo xtask test`");
        // The port that the driver picks for one address family may be taken in the other.
        let (server, port) = (0..10).find_map(|_| driver()).expect("a chromedriver that starts");
        let mut wanted = DesiredCapabilities::chrome();
        let language = format!("--accept-lang={language}");
        let flags =
            ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1200,900"];
        for flag in flags.into_iter().chain([language.as_str()]) {
            wanted.add_arg(flag).unwrap();
        }
        wanted.set("goog:loggingPrefs", json!({"browser": "ALL"})).unwrap();
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), wanted).await.unwrap();
        let axe = std::fs::read_to_string(axe).unwrap();
        Self { driver, server, axe, url: url.to_owned() }
    }

    pub(crate) async fn close(mut self) {
        self.driver.clone().quit().await.unwrap();
        let _ = self.server.kill();
        let _ = self.server.wait();
    }

    pub(crate) async fn go(&self, path: &str) {
        self.driver.goto(format!("{}{path}", self.url)).await.unwrap();
    }

    /// Waits until the browser is at a path.
    pub(crate) async fn is_at(&self, path: &str) {
        let mut at = String::new();
        let is_at = until(async || {
            let url = self.driver.current_url().await.unwrap();
            url.path().clone_into(&mut at);
            at == path
        });
        assert!(is_at.await, "the browser is at {at}, and not at {path}");
    }

    pub(crate) async fn find(&self, selector: &str) -> WebElement {
        let found = self.driver.query(By::Css(selector)).first().await;
        found.unwrap_or_else(|error| panic!("{selector}: {error}"))
    }

    /// Returns the text of an element; the page may be replaced meanwhile.
    pub(crate) async fn text(&self, selector: &str) -> String {
        let mut text = None;
        let found = until(async || {
            text = self.find(selector).await.text().await.ok();
            text.is_some()
        });
        assert!(found.await, "{selector} has no text");
        text.unwrap_or_default()
    }

    pub(crate) async fn value(&self, selector: &str) -> String {
        self.value_that(selector, |_| true).await
    }

    /// Waits until a field has a value.
    pub(crate) async fn holds(&self, selector: &str, value: &str) {
        self.value_that(selector, |held| held == value).await;
    }

    /// Waits until the value of a field meets a condition; the page may be replaced meanwhile.
    pub(crate) async fn value_that(&self, selector: &str, is_so: impl Fn(&str) -> bool) -> String {
        let mut held = None;
        let holds = until(async || {
            if let Ok(field) = self.driver.find(By::Css(selector)).await {
                held = field.prop("value").await.ok().flatten();
            }
            held.as_deref().is_some_and(&is_so)
        });
        assert!(holds.await, "{selector} holds {held:?}");
        held.unwrap_or_default()
    }

    pub(crate) async fn fill(&self, selector: &str, text: &str) {
        let field = self.find(selector).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }

    pub(crate) async fn press(&self, selector: &str) {
        self.press_that(By::Css(selector)).await;
    }

    /// Presses the link or button with this label.
    pub(crate) async fn choose(&self, label: &str) {
        let path = format!(
            "//*[(self::a or self::button) and (normalize-space()='{label}' or @aria-label='{label}')]"
        );
        self.press_that(By::XPath(path.as_str())).await;
    }

    /// Presses an element; the page may be replaced between finding and pressing it.
    async fn press_that(&self, by: By) {
        let mut last = None;
        let pressed = until(async || {
            let found = self.driver.query(by.clone()).first().await;
            let pressed = match found {
                Ok(element) => element.click().await,
                Err(error) => Err(error),
            };
            last = pressed.err();
            last.is_none()
        });
        assert!(pressed.await, "{by}: {last:?}");
    }

    /// Waits until the page contains a text.
    pub(crate) async fn says(&self, text: &str) {
        let path = format!("//main[contains(normalize-space(), \"{text}\")]");
        let found = self.driver.query(By::XPath(path.as_str())).first().await;
        let is_there = found.is_ok();
        assert!(is_there, "the page does not say {text:?} but {}", self.text("body").await);
    }

    /// Adds a virtual authenticator, which creates and uses passkeys without asking.
    pub(crate) async fn has_a_virtual_authenticator(&self) {
        self.tell("WebAuthn.enable", json!({})).await;
        let options = json!({
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": true,
            "hasUserVerification": true,
            "isUserVerified": true,
            "automaticPresenceSimulation": true,
        });
        self.tell("WebAuthn.addVirtualAuthenticator", json!({ "options": options })).await;
    }

    /// Waits until the page no longer contains a text.
    pub(crate) async fn says_no_more(&self, text: &str) {
        let path = format!("//main[contains(normalize-space(), \"{text}\")]");
        let gone = self.driver.query(By::XPath(path.as_str())).not_exists().await;
        assert!(gone.is_ok_and(|gone| gone), "the page still says {text:?}");
    }

    pub(crate) async fn sign_in(&self, login: &str, password: &str) {
        self.go("/sign-in").await;
        self.fill("#login", login).await;
        self.fill("#password", password).await;
        self.choose("Sign in").await;
        // The session begins with the response: leaving the page before it arrives would lose it.
        self.find("form[action='/sign-out'], .pf-m-danger").await;
    }

    /// Checks that the page is accessible in all appearances and logs nothing to the console. Saves
    /// screenshots if `GATEWRIGHT_SCREENSHOTS` names a folder.
    pub(crate) async fn is_sound(&self, name: &str) {
        for (look, scheme, width) in LOOKS {
            let feature = json!([{"name": "prefers-color-scheme", "value": scheme}]);
            self.tell("Emulation.setEmulatedMedia", json!({"features": feature})).await;
            let size =
                json!({"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false});
            self.tell("Emulation.setDeviceMetricsOverride", size).await;
            let found = self.violations().await;
            assert!(found.is_empty(), "{name}, {look}: {}", found.join("\n"));
            let wide = "return document.documentElement.scrollWidth - window.innerWidth";
            let wide = self.driver.execute(wide, vec![]).await.unwrap();
            assert!(wide.json().as_i64().unwrap() <= 0, "{name}, {look}: wider than the window");
            if let Some(folder) = std::env::var_os("GATEWRIGHT_SCREENSHOTS") {
                let folder = PathBuf::from(folder);
                std::fs::create_dir_all(&folder).unwrap();
                let file = folder.join(format!("{name}-{look}.png"));
                self.driver.screenshot(&file).await.unwrap();
            }
        }
        self.is_quiet(name).await;
    }

    /// Checks that the console is empty since the last call: no error, no violation of the content
    /// security policy.
    pub(crate) async fn is_quiet(&self, name: &str) {
        let ask = Drive::ExtensionCommand(Box::new(Console));
        let lines = self.driver.handle().cmd(ask).await;
        let lines: Vec<Value> = lines.unwrap().value().unwrap();
        // The browser itself logs each response above 399.
        let told = |line: &&Value| line["source"] != "network";
        let lines: Vec<&Value> = lines.iter().filter(told).collect();
        assert!(lines.is_empty(), "{name}: {lines:?}");
    }

    async fn tell(&self, command: &str, parameters: Value) {
        self.driver.cdp().send_raw(command, parameters).await.unwrap();
    }

    async fn violations(&self) -> Vec<String> {
        let script = format!(
            "{}; const done = arguments[0]; axe.run(document).then(r => done(r.violations.map(\
             v => v.id + ': ' + v.help + ' ' + v.nodes.map(n => n.html).join(' '))));",
            self.axe
        );
        let found = self.driver.execute_async(script, vec![]).await.unwrap();
        found.convert().unwrap()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// Starts the driver of browsers; returns it with its port.
fn driver() -> Option<(Child, u16)> {
    let mut server = Command::new("chromedriver")
        .arg("--port=0")
        .stdout(Stdio::piped())
        .spawn()
        .expect("chromedriver: run the tests with `cargo xtask test`");
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines().map_while(Result::ok);
    let ready = lines.find(|line| line.contains("started successfully on port"));
    let Some(ready) = ready else {
        server.wait().unwrap();
        return None;
    };
    let port = ready.trim_end_matches('.').rsplit(' ').next().unwrap().parse().unwrap();
    Some((server, port))
}

/// Waits some seconds for a condition; returns whether it became true.
async fn until(mut is_so: impl AsyncFnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(20);
    while !is_so().await {
        if Instant::now() > end {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    true
}

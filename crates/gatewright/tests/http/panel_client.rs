//! A client of the panel without a browser, which parses pages.

use reqwest::header::{COOKIE, SET_COOKIE};
use reqwest::redirect::Policy;

use crate::server::Server;

/// A client with a browser's cookies that follows no redirect.
pub(crate) struct PanelClient {
    pub(crate) http: reqwest::Client,
    pub(crate) url: String,
    pub(crate) cookies: Vec<(String, String)>,
}

pub(crate) struct Seen {
    pub(crate) status: u16,
    pub(crate) location: String,
    pub(crate) html: String,
    pub(crate) headers: reqwest::header::HeaderMap,
}

impl PanelClient {
    pub(crate) fn new(server: &Server) -> Self {
        Self::at(&server.url)
    }

    pub(crate) fn at(url: &str) -> Self {
        let http = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
        Self { http, url: url.to_owned(), cookies: Vec::new() }
    }

    pub(crate) async fn send(&mut self, request: reqwest::RequestBuilder) -> Seen {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = request.header("accept", "text/html").header(COOKIE, cookies.join("; "));
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let (pair, _) = cookie.to_str().unwrap().split_once(';').unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        let headers = response.headers().clone();
        let location = headers.get("location").map(|value| value.to_str().unwrap().to_owned());
        let location = location.unwrap_or_default();
        Seen {
            status: response.status().as_u16(),
            location,
            headers,
            html: response.text().await.unwrap(),
        }
    }

    pub(crate) async fn get(&mut self, path: &str) -> Seen {
        let request = self.http.get(format!("{}{path}", self.url));
        self.send(request).await
    }

    /// Sends a form with the CSRF token of the page at `from`.
    pub(crate) async fn post(&mut self, from: &str, to: &str, fields: &[(&str, &str)]) -> Seen {
        let csrf_token = csrf_token(&self.get(from).await.html);
        self.post_with(&csrf_token, to, fields).await
    }

    pub(crate) async fn post_with(
        &mut self,
        csrf_token: &str,
        to: &str,
        fields: &[(&str, &str)],
    ) -> Seen {
        let mut form = vec![("form", csrf_token)];
        form.extend_from_slice(fields);
        let request = self.http.post(format!("{}{to}", self.url)).form(&form);
        self.send(request).await
    }

    pub(crate) async fn sign_in(&mut self, login: &str, password: &str) -> Seen {
        let fields = [("login", login), ("password", password), ("next", "/me")];
        self.post("/sign-in", "/sign-in", &fields).await
    }
}

/// Returns the fields that a browser would send of a policy's form as it is.
pub(crate) fn typed(html: &str) -> Vec<(String, String)> {
    let plain = |text: &str| {
        [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")]
            .iter()
            .fold(text.to_owned(), |text, (code, sign)| text.replace(code, sign))
    };
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        Some(plain(rest.split_once('"')?.0))
    };
    let mut fields = Vec::new();
    for tag in html.split("<input").skip(1).map(|rest| rest.split_once('>').unwrap().0) {
        let (Some(name), value) = (attribute(tag, "name"), attribute(tag, "value")) else {
            continue;
        };
        let unticked = tag.contains("checkbox") && !tag.contains(" checked");
        let skipped = unticked || tag.contains(" disabled");
        if name != "form" && !skipped {
            fields.push((name, value.unwrap_or_default()));
        }
    }
    for rest in html.split("<select").skip(1) {
        let (tag, rest) = rest.split_once('>').unwrap();
        let options = rest.split_once("</select>").unwrap().0;
        let chosen = options.split("<option").skip(1).find(|option| option.contains(" selected"));
        if let (Some(name), Some(option)) = (attribute(tag, "name"), chosen) {
            fields.push((name, attribute(option, "value").unwrap()));
        }
    }
    for rest in html.split("<textarea").skip(1) {
        let (tag, rest) = rest.split_once('>').unwrap();
        let text = rest.split_once("</textarea>").unwrap().0;
        fields.push((attribute(tag, "name").unwrap(), plain(text.trim_start())));
    }
    fields
}

/// Returns the fields that the save button sends.
pub(crate) fn pairs(typed: &[(String, String)]) -> Vec<(&str, &str)> {
    let typed = typed.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    typed.chain([("do", "save")]).collect()
}

pub(crate) fn csrf_token(html: &str) -> String {
    let (_, rest) = html.split_once("name=\"form\" value=\"").expect("a form");
    rest.split_once('"').unwrap().0.to_owned()
}

/// Returns the value of a field, or of what else is between a text and a quotation mark.
pub(crate) fn value(html: &str, before: &str) -> String {
    let (_, rest) = html.split_once(before).expect(before);
    rest.split_once('"').unwrap().0.to_owned()
}

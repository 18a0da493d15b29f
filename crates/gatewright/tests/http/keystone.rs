//! A real Keystone behind a real Apache, and OpenStack's own client.

use std::path::Path;
use std::process::{Command, Stdio};

use gatewright_testing::TestDatabase;
use serde_json::json;

use crate::programs::{Running, examples, free_port, listens};
use crate::server::{Reply, Server, http};

/// The Keystone of the example, which admits those with roles from Gatewright.
struct Keystone {
    folder: tempfile::TempDir,
    port: u16,
    variables: Vec<(&'static str, String)>,
    apache: Option<Running>,
}

impl Keystone {
    fn new(server: &Server) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (port, path) = (free_port(), folder.path().display().to_string());
        let example = examples().join("openstack").display().to_string();
        let variables = vec![
            ("KEYSTONE_FOLDER", path.clone()),
            ("KEYSTONE_PORT", port.to_string()),
            ("KEYSTONE_USER", "www-data".to_owned()),
            ("KEYSTONE_PASSWORD", "correct horse".to_owned()),
            ("TLS_PORT", free_port().to_string()),
            ("GATEWRIGHT_URL", server.url.clone()),
            ("GATEWRIGHT_ID", server.client_id.clone()),
            ("GATEWRIGHT_SECRET", server.client_secret.clone()),
            ("OS_KEYSTONE_CONFIG_FILES", format!("{example}/keystone.conf;{path}/paths.conf")),
        ];
        Self { folder, port, variables, apache: None }
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.envs(self.variables.iter().cloned()).current_dir("/");
        command
    }

    /// Runs a step of the example's set-up, and returns the last line of its output.
    fn set_up(&self, step: &str) -> String {
        let script = examples().join("openstack/setup.py");
        let output = self.command("/usr/bin/python3").arg(script).arg(step).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}\n{errors}\n{}", self.log());
        said.lines().last().unwrap_or_default().to_owned()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("apache.log")).unwrap_or_default()
    }

    async fn start(&mut self, introspects: bool) {
        self.stop();
        let mut apache = self.command("apache2");
        apache.arg("-f").arg(examples().join("openstack/apache.conf")).arg("-DFOREGROUND");
        if introspects {
            apache.arg("-DINTROSPECTION");
        }
        apache.stdout(Stdio::null()).stderr(Stdio::null());
        self.apache = Some(Running(apache.spawn().unwrap()));
        listens(self.port).await;
    }

    fn stop(&mut self) {
        if let Some(mut apache) = self.apache.take() {
            let id = apache.0.id().to_string();
            Command::new("kill").args(["-TERM", &id]).status().unwrap();
            apache.0.wait().unwrap();
        }
    }

    /// Returns Keystone's status for a request with an ID token.
    async fn enter(&self, token: &str) -> u16 {
        let path = "/v3/OS-FEDERATION/identity_providers/gatewright/protocols/openid/auth";
        let url = format!("http://127.0.0.1:{}{path}", self.port);
        let request = http().post(url).bearer_auth(token);
        request.send().await.unwrap().status().as_u16()
    }
}

impl Drop for Keystone {
    fn drop(&mut self) {
        self.stop();
    }
}

#[tokio::test]
async fn openstacks_client_signs_in_to_a_keystone_while_its_service_account_lives() {
    let database = TestDatabase::sqlite();
    let server = Server::start(&database);
    let admin = server.admin().await;
    let mut keystone = Keystone::new(&server);
    // Keystone runs as another user, who cannot enter the private folders of tests.
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(keystone.folder.path(), open).unwrap();
    keystone.set_up("database");
    keystone.start(false).await;
    let project = keystone.set_up("project");
    assert_eq!(project.len(), 32, "{project}");
    let urn = format!("urn:v1:eu:resource:publicCloudProject:{project}");
    admin.post("/v2/iam/resource", &json!({"urn": urn})).await.expect(200);
    let new = json!({"name": "stack", "description": "x", "flow": "CLIENT_CREDENTIALS"});
    let robot = admin.post("/v1/me/api/oauth2/client", &new).await.expect(200);
    let (id, secret) = (robot["clientId"].as_str().unwrap(), robot["clientSecret"].as_str());
    let caller = server.login(id, secret.unwrap()).await;
    let adapter = format!("{}/role-adapter/urn:v1:eu:resource:publicCloudProject:pci", server.url);
    let scope = "openid profile email publicCloudProject/all";
    let auth_url = format!("http://127.0.0.1:{}/v3", keystone.port);
    let issue = || {
        assert!(Path::new("/usr/bin/openstack").exists(), "run the tests with `cargo xtask test`");
        let mut client = Command::new("/usr/bin/openstack");
        client.args(["token", "issue", "-f", "value", "-c", "project_id"]);
        client.env("OS_AUTH_TYPE", "v3oidcclientcredentials").env("OS_PROTOCOL", "openid");
        client.env("OS_IDENTITY_PROVIDER", "gatewright").env("OS_ACCESS_TOKEN_TYPE", "id_token");
        client.env("OS_AUTH_URL", &auth_url);
        let discovery = format!("{adapter}/.well-known/openid-configuration");
        client.env("OS_DISCOVERY_ENDPOINT", discovery).env("OS_OPENID_SCOPE", scope);
        client.env("OS_CLIENT_ID", id).env("OS_CLIENT_SECRET", secret.unwrap());
        client.env("OS_PROJECT_ID", &project).env("OS_IDENTITY_API_VERSION", "3");
        let output = client.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8(text).unwrap())
    };
    let (entered, said) = issue();
    assert!(!entered && said.contains("401"), "without a role: {said}");

    let action = "publicCloudProject:openstack:computeOperator";
    admin.allow("compute", &caller, action, &urn).await;
    let (entered, said) = issue();
    assert!(entered && said.trim() == project, "by the keys: {said}\n{}", keystone.log());

    keystone.start(true).await;
    let (entered, said) = issue();
    assert!(entered && said.trim() == project, "by introspection: {said}\n{}", keystone.log());
    let form = [("grant_type", "client_credentials"), ("scope", scope)];
    let request = http().post(format!("{adapter}/auth/oauth2/token"));
    let token = Reply::of(request.basic_auth(id, secret).form(&form)).await.expect(200);
    let token = token["id_token"].as_str().unwrap();
    assert_eq!(keystone.enter(token).await, 201);
    let path = format!("/v1/me/api/oauth2/client/{id}");
    admin.delete(&path).await.expect(200);
    assert_eq!(keystone.enter(token).await, 401, "the service account is gone");
    assert!(!issue().0);
}

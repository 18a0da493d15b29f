//! Real proxies, configured as the examples say.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::programs::{Running, examples, free_port, listens, send};
use crate::server::Server;

/// A real proxy between the test and the shop.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    _folder: tempfile::TempDir,
    _program: Running,
}

impl Proxy {
    /// Starts the proxy of an example, with its ports replaced by those of this test.
    pub(crate) async fn start(name: &str, server: &Server, shop: u16) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (example, file) = match name {
            "nginx" => ("nginx", "nginx.conf"),
            "caddy" => ("caddy", "Caddyfile"),
            "envoy" => ("envoy", "envoy.yaml"),
            _ => ("envoy", "envoy-http.yaml"),
        };
        let port = free_port();
        let gatewright = server.url.rsplit_once(':').unwrap().1;
        let configuration = std::fs::read_to_string(examples().join(example).join(file)).unwrap();
        let configuration = configuration
            .replace("127.0.0.1:8080", &format!("127.0.0.1:{gatewright}"))
            .replace("port_value: 8080", &format!("port_value: {gatewright}"))
            .replace(
                "port_value: 8090",
                &format!("port_value: {}", server.grpc.unwrap_or_default()),
            )
            .replace("127.0.0.1:9000", &format!("127.0.0.1:{shop}"))
            .replace("port_value: 9000", &format!("port_value: {shop}"))
            .replace("port_value: 8000", &format!("port_value: {port}"))
            .replace(":8000", &format!(":{port}"));
        let path = folder.path().join(file);
        std::fs::write(&path, configuration).unwrap();
        let mut command = match example {
            "envoy" => Command::new(envoy()),
            _ => Command::new(name),
        };
        if example == "envoy" {
            command.args(["--use-dynamic-base-id", "--concurrency", "1", "-c"]).arg(&path);
        } else if name == "nginx" {
            // nginx expects its folders there, and must not become a daemon.
            std::fs::create_dir_all(folder.path().join("logs")).unwrap();
            let directives = format!(
                "daemon off; master_process off; pid {0}/pid; error_log {0}/error.log;",
                folder.path().display()
            );
            command.arg("-p").arg(folder.path()).arg("-c").arg(&path).args(["-g", &directives]);
        } else {
            command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&path);
        }
        command.env("HOME", folder.path()).stderr(Stdio::null()).stdout(Stdio::null());
        let program = Running(command.spawn().unwrap());
        listens(port).await;
        Self { port, _folder: folder, _program: program }
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
    ) -> (u16, String) {
        send(self.port, method, target, headers).await
    }
}

/// Returns the path of the Envoy in the Python packages.
fn envoy() -> PathBuf {
    let python = std::env::var("GATEWRIGHT_TEST_PYTHON")
        .expect("GATEWRIGHT_TEST_PYTHON is not set: run the tests with `cargo xtask test`");
    let script = "import envoy, pathlib; print(pathlib.Path(envoy.__file__).parent / '_bin/envoy')";
    let output = Command::new(python).args(["-c", script]).output().unwrap();
    let program = PathBuf::from(String::from_utf8(output.stdout).unwrap().trim());
    std::fs::set_permissions(&program, PermissionsExt::from_mode(0o755)).unwrap();
    program
}

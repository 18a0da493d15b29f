//! An nginx that requests a decision before it serves a file, in the usual configuration.

use std::net::SocketAddr;
use std::process::{Child, Command};
use std::time::Duration;

use crate::client::Anyhow;

pub(crate) struct Guarded {
    pub(crate) address: SocketAddr,
    child: Child,
    _folder: tempfile::TempDir,
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Guarded {
    /// Starts an nginx that sends its checks to a path of a server.
    pub(crate) async fn start(server: SocketAddr, path: &str) -> Anyhow<Self> {
        let folder = tempfile::tempdir()?;
        let root = folder.path().display();
        std::fs::write(folder.path().join("file"), "ok")?;
        let free = std::net::TcpListener::bind("127.0.0.1:0")?;
        let address = free.local_addr()?;
        drop(free);
        // A single process, so that it ends with its owner.
        let configuration = format!(
            "daemon off; master_process off; pid {root}/pid; error_log stderr crit;
             events {{ worker_connections 1024; }}
             http {{
               access_log off; keepalive_requests 100000000;
               client_body_temp_path {root}/b; proxy_temp_path {root}/p;
               fastcgi_temp_path {root}/f; uwsgi_temp_path {root}/u; scgi_temp_path {root}/s;
               upstream guard {{ server {server}; keepalive 64; keepalive_requests 100000000; }}
               server {{
                 listen {address}; root {root};
                 location / {{ auth_request /guard; try_files /file =404; }}
                 location = /guard {{
                   internal; proxy_pass http://guard{path};
                   proxy_http_version 1.1; proxy_set_header Connection \"\";
                   proxy_pass_request_body off; proxy_set_header Content-Length \"\";
                   proxy_set_header X-Original-Method $request_method;
                   proxy_set_header X-Original-URI $request_uri;
                 }}
               }}
             }}"
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, configuration)?;
        let mut nginx = Command::new("nginx");
        let child = nginx.arg("-p").arg(folder.path()).arg("-c").arg(&file).spawn()?;
        let guarded = Self { address, child, _folder: folder };
        for _ in 0..100 {
            if tokio::net::TcpStream::connect(address).await.is_ok() {
                return Ok(guarded);
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Err("nginx does not listen".into())
    }
}

//! Implements `gatewright dev`: a complete server for trials.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::Args;
use gatewright_iam::{AccountName, Iam, IamError, MasterKey, NewAccount, NewResource, Sources};
use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::Failure;
use crate::log;
use crate::serve::Server;

const ACCOUNT: &str = "xx11111-ovh";

/// A sample resource: type, name, display name, tags.
type SampleResource =
    (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

const RESOURCES: &[SampleResource] = &[
    (
        "vps",
        "vps-1a2b3c4d.vps.example.net",
        "Web server",
        &[("env", "production"), ("team", "web")],
    ),
    ("vps", "vps-5e6f7a8b.vps.example.net", "Test machine", &[("env", "test")]),
    ("webHosting", "shop.example.com", "The shop", &[("env", "production")]),
    ("publicCloudProject", "0a1b2c3d4e5f60718293a4b5c6d7e8f9", "Analytics", &[]),
];

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The address to serve on
    #[arg(long, default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The folder for the database, the keys and the credentials
    #[arg(long, default_value = ".gatewright")]
    data: PathBuf,
    /// The folder with the declarations of products and of guarded APIs
    #[arg(long, value_name = "FOLDER")]
    products: Option<PathBuf>,
    /// The address for Envoy's external authorization over gRPC
    #[arg(long)]
    ext_authz_listen: Option<SocketAddr>,
    /// Print one JSON object when ready
    #[arg(long)]
    json: bool,
}

/// The credentials of the sample account, saved in the folder.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Secrets {
    #[serde(default)]
    url: String,
    account: String,
    login: String,
    password: String,
    client_id: String,
    client_secret: String,
}

pub(crate) async fn run(arguments: Arguments) -> Result<(), Failure> {
    let folder = &arguments.data;
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| Failure::File { path, source }
    };
    std::fs::create_dir_all(folder).map_err(failed(folder))?;
    #[cfg(unix)]
    {
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o700);
        std::fs::set_permissions(folder, private).map_err(failed(folder))?;
    }
    let mut config = Config::of_folder(folder, arguments.listen, arguments.products.clone())?;
    config.operations_listen.set_port(0);
    config.ext_authz_listen = arguments.ext_authz_listen;
    if !config.master_key.exists() {
        MasterKey::create(&config.master_key, &Sources::system())?;
    }
    log::start(&config)?;
    let server = Server::open(config).await?;
    let mut secrets = load_or_create(&server.iam, folder).await?;
    secrets.url.clone_from(&server.iam.settings().public_url);
    let ready = if arguments.json {
        serde_json::to_string(&secrets).map_err(IamError::from)?
    } else {
        instructions(&secrets, folder)
    };
    server.run(|_| println!("{ready}")).await
}

/// Loads the credentials of the sample account, which is created the first time.
async fn load_or_create(iam: &Iam, folder: &Path) -> Result<Secrets, Failure> {
    let path = folder.join("secrets.json");
    match std::fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text)
            .map_err(|error| Failure::Configuration { path, message: error.to_string() }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            if !iam.accounts().await?.is_empty() {
                return Err(Failure::LostSecrets(folder.to_owned()));
            }
            let secrets = create_samples(iam).await?;
            save(&secrets, &path).map_err(|source| Failure::File { path, source })?;
            Ok(secrets)
        }
        Err(source) => Err(Failure::File { path, source }),
    }
}

/// Creates the sample account and its resources.
async fn create_samples(iam: &Iam) -> Result<Secrets, Failure> {
    let password = iam.new_password()?;
    let new = NewAccount {
        name: ACCOUNT.to_owned(),
        email: "owner@example.com".to_owned(),
        password: password.clone(),
        service_account: true,
    };
    let service_account = iam.create_account(new).await?.ok_or(Failure::NoServiceAccount)?;
    let owner = iam.as_owner(&AccountName::new(ACCOUNT));
    for (resource_type, name, display_name, tags) in RESOURCES {
        let region = iam.settings().region;
        let tags = tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let resource = NewResource {
            urn: format!("urn:v1:{region}:resource:{resource_type}:{name}"),
            display_name: Some((*display_name).to_owned()),
            owner: None,
            tags: tags.collect(),
        };
        iam.create_resource(&owner, Ok(resource)).await?;
    }
    Ok(Secrets {
        url: String::new(),
        account: ACCOUNT.to_owned(),
        login: ACCOUNT.to_owned(),
        password: password.reveal().to_owned(),
        client_id: service_account.client_id.to_string(),
        client_secret: service_account.secret.reveal().to_owned(),
    })
}

/// Saves the credentials in a file that its owner alone can read.
fn save(secrets: &Secrets, path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    serde_json::to_writer(&mut file, secrets)?;
    file.sync_all()
}

fn instructions(secrets: &Secrets, folder: &Path) -> String {
    let Secrets { url, account, login, password, client_id, client_secret } = secrets;
    format!(
        "Gatewright is ready at {url}
Open it in a browser and sign in to the Control Panel with login and password.

  account        {account}
  login          {login}
  password       {password}
  client id      {client_id}
  client secret  {client_secret}

Everything is kept in {}. To try it from a shell:

  export URL={url} ACCOUNT={account} CLIENT_ID={client_id} CLIENT_SECRET={client_secret}
  curl -sw '\\n' $URL/auth/oauth2/token -u $CLIENT_ID:$CLIENT_SECRET \\
    -d grant_type=client_credentials -d scope=all

The README goes on from there; {url}/openapi/v1.json and {url}/openapi/v2.json
say what can be called.",
        folder.display()
    )
}

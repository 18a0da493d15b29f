#!/usr/bin/python3
"""Sets up a Keystone for apache.conf, and a project in it; prints the project's identifier.

Reads the same variables as apache.conf: KEYSTONE_FOLDER, KEYSTONE_PORT, KEYSTONE_USER, GATEWRIGHT_URL. Called
with `database` before Apache is started, and with `project` after.
"""

import contextlib
import json
import os
import pathlib
import sqlite3
import subprocess
import sys

FOLDER = pathlib.Path(os.environ["KEYSTONE_FOLDER"])
USER = os.environ["KEYSTONE_USER"]
URL = "http://127.0.0.1:%s/v3" % os.environ["KEYSTONE_PORT"]
HERE = pathlib.Path(__file__).parent

ROLES = (
    "administrator backupOperator computeOperator imageOperator infrastructureSupervisor "
    "networkOperator networkSecurityOperator objectstoreOperator volumeOperator"
).split()


def database():
    """Creates the database, the keys, and an administrator with the password KEYSTONE_PASSWORD."""
    paths = "[database]\nconnection = sqlite:///{0}/keystone.db\n"
    paths += "[fernet_tokens]\nkey_repository = {0}/fernet\n"
    paths += "[fernet_receipts]\nkey_repository = {0}/receipts\n"
    paths += "[credential]\nkey_repository = {0}/credentials\n"
    (FOLDER / "paths.conf").write_text(paths.format(FOLDER))
    config = ["--config-file", str(HERE / "keystone.conf"), "--config-file", str(FOLDER / "paths.conf")]
    owner = ["--keystone-user", USER, "--keystone-group", USER]
    bootstrap = ["--bootstrap-password", os.environ["KEYSTONE_PASSWORD"], "--bootstrap-public-url", URL]
    bootstrap += ["--bootstrap-region-id", "RegionOne"]
    for command in (
        ["db_sync"],
        ["fernet_setup", *owner],
        ["credential_setup", *owner],
        ["bootstrap", *bootstrap],
    ):
        subprocess.run(["keystone-manage", *config, *command], check=True)
    # Write-ahead logging: a request that reads must not wait for its own write.
    with contextlib.closing(sqlite3.connect(FOLDER / "keystone.db")) as opened:
        opened.execute("PRAGMA journal_mode = WAL")
    certificate = ["-x509", "-nodes", "-days", "30", "-newkey", "rsa:2048", "-subj", "/CN=127.0.0.1"]
    certificate += ["-addext", "subjectAltName=IP:127.0.0.1", "-out", str(FOLDER / "tls.crt")]
    subprocess.run(["openssl", "req", *certificate, "-keyout", str(FOLDER / "tls.key")], check=True)
    for path in (FOLDER, FOLDER / "keystone.db"):
        subprocess.run(["chown", USER, path], check=True)


def project():
    """Creates a project, and a group for each role on it, whose members have the role in Gatewright."""
    from keystoneauth1 import session
    from keystoneauth1.identity import v3
    from keystoneclient.v3 import client

    admin = dict(username="admin", password=os.environ["KEYSTONE_PASSWORD"], project_name="admin")
    domains = dict(user_domain_id="default", project_domain_id="default")
    auth = v3.Password(auth_url=URL, **admin, **domains)
    keystone = client.Client(session=session.Session(auth=auth), region_name="RegionOne")
    shop = keystone.projects.create("shop", "default")
    for name in ROLES:
        role = keystone.roles.create(name)
        group = keystone.groups.create("%s:%s" % (shop.id, name), "default")
        keystone.roles.grant(role, group=group, project=shop)
    federation = keystone.federation
    provider, mapping = "gatewright", "gatewright"
    federation.identity_providers.create(
        provider, enabled=True, domain_id="default", remote_ids=[os.environ["GATEWRIGHT_URL"]]
    )
    federation.mappings.create(mapping, rules=json.loads((HERE / "mapping.json").read_text()))
    federation.protocols.create("openid", provider, mapping)
    print(shop.id)


{"database": database, "project": project}[sys.argv[1]]()

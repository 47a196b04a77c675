"""The configuration of a JupyterHub: read by JupyterHub, in a child process."""

from __future__ import annotations

import json
import os

GIVEN = json.loads(os.environ["SETTINGS"])

c = get_config()  # noqa: F821 - JupyterHub gives it to this file
c.JupyterHub.bind_url = GIVEN["url"]
c.JupyterHub.hub_bind_url = GIVEN["hub_url"]
c.JupyterHub.db_url = f"sqlite:///{GIVEN['folder']}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = f"{GIVEN['folder']}/cookie_secret"
c.JupyterHub.authenticator_class = "dummy"
c.JupyterHub.oauth_token_expires_in = GIVEN["lifetime"]
c.JupyterHub.api_page_default_limit = 50
c.DummyAuthenticator.password = GIVEN["password"]
c.Authenticator.admin_users = {GIVEN["login"]}
c.Authenticator.allowed_users = set(GIVEN["users"])
c.ConfigurableHTTPProxy.command = GIVEN["proxy"]
c.ConfigurableHTTPProxy.api_url = GIVEN["proxy_url"]
c.ConfigurableHTTPProxy.auth_token = "not-a-secret" * 3
c.ConfigurableHTTPProxy.pid_file = f"{GIVEN['folder']}/proxy.pid"
c.JupyterHub.services = [
    {"name": "reader", "api_token": GIVEN["token"]},
    {
        "name": "app",
        "api_token": GIVEN["secret"],
        "oauth_client_id": GIVEN["client_id"],
        "oauth_redirect_uri": GIVEN["callback"],
        # What the user may let the application do in their name.
        "oauth_client_allowed_scopes": ["read:users:name", "list:users"],
    },
]
c.JupyterHub.load_roles = [
    {
        "name": "reader",
        "services": ["reader"],
        "scopes": ["list:users", "read:users", "admin:users", "admin:groups", "list:groups"],
    },
    {"name": "user", "scopes": ["self", "access:services"]},
]

"""An OAuth 1.0a provider: Authlib's Flask integration checks the requests, the storage is a dictionary. A child process."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from types import SimpleNamespace

import waitress
from authlib.integrations.flask_oauth1 import (
    AuthorizationServer,
    ResourceProtector,
    create_exists_nonce_func,
    current_credential,
    register_nonce_hooks,
    register_temporary_credential_hooks,
)
from authlib.oauth1 import ClientMixin, TokenCredentialMixin
from authlib.oauth1.errors import OAuth1Error
from authlib.oauth1.rfc5849.signature import generate_signature_base_string
from authlib.oauth1.rfc5849.util import escape
from flask import Flask, jsonify, request

GIVEN = json.loads(os.environ["SETTINGS"])
PAGE = """<form method="post" action="/oauth/authorize">
<input type="hidden" name="oauth_token" value="{}"><button name="allow">Allow</button></form>"""


class Client(ClientMixin):
    def __init__(self, secret, rsa_public_key=None):
        self.secret = secret
        self.rsa_public_key = rsa_public_key

    def get_default_redirect_uri(self):
        return GIVEN["callback"]

    def get_client_secret(self):
        return self.secret

    def get_rsa_public_key(self):
        return self.rsa_public_key


class Token(dict, TokenCredentialMixin):
    def get_oauth_token(self):
        return self["oauth_token"]

    def get_oauth_token_secret(self):
        return self["oauth_token_secret"]


class Cache(dict):
    def set(self, key, value, timeout=None):
        self[key] = value

    def has(self, key):
        return key in self

    def delete(self, key):
        self.pop(key, None)


def verify_hmac_sha256(signed):
    """Check HMAC-SHA256, which is HMAC-SHA1 of RFC 5849 section 3.4.2 with another hash; Authlib has only the latter."""
    key = f"{escape(signed.client_secret or '')}&{escape(signed.token_secret or '')}"
    text = generate_signature_base_string(signed)
    wanted = base64.b64encode(hmac.digest(key.encode(), text.encode(), hashlib.sha256)).decode()
    return hmac.compare_digest(wanted, signed.signature)


clients = {"consumer": Client(GIVEN["secret"]), "consumer-rsa": Client("", GIVEN["rsa_public_key"])}
tokens = {}
cache = Cache()
app = Flask(__name__)
app.config["OAUTH1_SUPPORTED_SIGNATURE_METHODS"] = GIVEN["methods"]
server = AuthorizationServer(app, query_client=clients.get)
protected = ResourceProtector(
    app,
    query_client=clients.get,
    query_token=lambda _client, token: tokens.get(token),
    exists_nonce=create_exists_nonce_func(cache),
)
AuthorizationServer.register_signature_method("HMAC-SHA256", verify_hmac_sha256)
ResourceProtector.register_signature_method("HMAC-SHA256", verify_hmac_sha256)
register_nonce_hooks(server, cache)
register_temporary_credential_hooks(server, cache)


def create_token_credential(token, temporary):
    made = Token(token, client_id=temporary.get_client_id())
    tokens[made.get_oauth_token()] = made
    return made


server.register_hook("create_token_credential", create_token_credential)


@app.post("/oauth/request_token")
def request_token():
    return server.create_temporary_credentials_response()


@app.get("/oauth/authorize")
def ask():
    return PAGE.format(request.args["oauth_token"])


@app.post("/oauth/authorize")
def answer():
    user = SimpleNamespace(get_user_id=lambda: GIVEN["login"]) if "allow" in request.form else None
    try:
        return server.create_authorization_response(request, grant_user=user)
    except OAuth1Error as error:
        return jsonify(dict(error.get_body())), error.status_code


@app.post("/oauth/access_token")
def access_token():
    return server.create_token_response()


@app.route("/api/me", methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
@protected()
def me():
    """Say whose token this is, and what came."""
    told = {"user": GIVEN["login"], "client": current_credential["client_id"]}
    return jsonify({**told, "query": request.args.to_dict(), "form": request.form.to_dict()})


waitress.serve(app, listen=f"127.0.0.1:{GIVEN['port']}")

"""nanoidp, in its profile ``oauth21``: one client and one user, from two files."""

import importlib
import json
from pathlib import Path

from tests.interop.providers.loopback import Given, WsgiApplication, serve

VERSION = {"config_version": 1}


def application_at(origin: str, given: Given) -> WsgiApplication:
    """Make the application of the issuer `origin`."""
    client = {
        "client_id": given.client_id,
        "client_secret": given.client_secret,
        "redirect_uris": [given.redirect_uri],
    }
    settings = {"oauth": {"issuer": origin, "clients": [client]}}
    users = {"users": {given.login: {"password": given.password, "email": given.email}}}
    # YAML is a superset of JSON.
    Path("settings.yaml").write_text(json.dumps(VERSION | settings), "utf-8")
    Path("users.yaml").write_text(json.dumps(VERSION | users), "utf-8")
    create_app = importlib.import_module("nanoidp.app").create_app
    made: WsgiApplication = create_app(".", profile="oauth21", strict_config=True)
    return made


if __name__ == "__main__":
    serve(application_at)

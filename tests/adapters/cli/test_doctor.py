"""``oidc doctor``: at an honest provider, and at broken ones."""

import json
import os
import runpy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from oidc_adapters import ClientSetup
from oidc_adapters.runtime.clock import FrozenClock
from oidc_adapters.testing import FakeProvider, serve
from oidc_adapters.testing.authority import Authority
from oidc_adapters.testing.fault_server import FaultServer, Wait
from oidc_core.wire.causes import CAUSES

from .browsing import free_port
from .worlds import NOW, Ran, Stage, Terminal


@frozen
class Told:
    """The output of a run with ``--json``."""

    ran: Ran
    data: Mapping[str, Any]

    def failed(self) -> dict[str, str]:
        """The codes of the failed checks, by their names."""
        return self.of("failed", "code")

    def of(self, outcome: str, member: str) -> dict[str, str]:
        checks = self.data["checks"]
        return {each["name"]: each[member] for each in checks if each["outcome"] == outcome}

    def check(self, name: str) -> Mapping[str, Any]:
        return next(each for each in self.data["checks"] if each["name"] == name)


def told(*argv: str) -> Told:
    ran = Stage().run("doctor", *argv, "--json")
    return Told(ran, json.loads(ran.out))


def examined(provider: FakeProvider, suffix: str = "", *argv: str) -> Told:
    with serve(provider, FrozenClock(NOW)) as served:
        return told(served.issuer + suffix, *argv)


def test_an_honest_provider_is_sound() -> None:
    found = examined(FakeProvider())

    assert (found.ran.status, found.ran.err, found.failed()) == (0, "", {})
    assert found.data["sound"] is True
    assert found.of("warned", "found") == {"tls": "http"}
    assert found.check("pkce")["found"] == ["S256"]
    assert found.check("key")["found"] == ["RS256: 1"]
    assert found.check("iss")["outcome"] == "passed"
    assert found.check("backchannel_logout_supported")["outcome"] == "passed"


@pytest.mark.parametrize(
    ("misbehave", "failed", "words"),
    [
        ("issuer_with_slash", {"issuer": "metadata_issuer_mismatch"}, "the final slash"),
        ("issuer_in_capitals", {"issuer": "metadata_issuer_mismatch"}, "upper and lower case"),
        ("wrong_issuer", {"issuer": "metadata_issuer_mismatch"}, "if that provider is meant"),
        ("http_token_endpoint", {"issuer": "metadata_endpoint_invalid"}, "https URLs"),
        ("metadata_html", {"issuer": "content_type_unexpected"}, "check the issuer"),
        ("metadata_redirect", {"issuer": "http_redirect_refused"}, "check the issuer"),
        ("metadata_500", {"issuer": "http_status_unexpected"}, ""),
        ("metadata_dropped", {"issuer": "http_malformed"}, "before the answer was complete"),
        ("jwks_empty", {"key": "key_not_found"}, "no such key"),
        ("jwks_private_keys_only", {"key": "key_not_found"}, "not used"),
        ("jwks_html", {"keys": "keys_unavailable"}, "check jwks_uri"),
        ("jwks_500", {"keys": "keys_unavailable"}, ""),
        ("metadata_too_large", {"issuer": "http_too_large"}, "metadata"),
    ],
)
def test_what_a_provider_does_wrong_is_named(
    misbehave: str, failed: dict[str, str], words: str
) -> None:
    found = examined(FakeProvider(misbehave=misbehave))

    codes = {name: code.partition(" ")[0] for name, code in found.failed().items()}
    assert (found.ran.status, found.data["sound"], codes) == (1, False, failed)
    (name,) = failed
    assert words in found.check(name)["hint"] + found.check(name)["code"]


def test_a_private_key_is_named_as_the_reason() -> None:
    found = examined(FakeProvider(misbehave="jwks_private_keys_only"))

    warned = [each for each in found.data["checks"] if each["outcome"] == "warned"]
    assert "key_not_public" in {each["code"] for each in warned}


def test_a_small_key_next_to_a_good_one_is_a_warning() -> None:
    found = examined(FakeProvider(misbehave="rsa_1024"))

    warned = [each["code"] for each in found.data["checks"] if each["outcome"] == "warned"]
    assert (found.ran.status, "key_too_small" in warned) == (0, True)


@pytest.mark.parametrize(
    ("skew", "status", "outcome", "words"),
    [
        (0, 0, "passed", "the same time"),
        (45, 0, "passed", "the server is 45 seconds ahead"),
        (300, 1, "failed", "the server is 5 minutes ahead"),
        (-7_200, 0, "warned", "the server is 2 hours behind"),
    ],
)
def test_clocks_are_compared(skew: int, status: int, outcome: str, words: str) -> None:
    found = examined(FakeProvider(skew=skew))

    clock = found.check("clock")
    assert (found.ran.status, clock["outcome"], clock["found"]) == (status, outcome, words)


def test_a_provider_without_iss_needs_paths_of_their_own() -> None:
    found = examined(FakeProvider(sends_iss=False))

    assert found.ran.status == 0
    assert "separate path" in found.check("iss")["hint"]
    assert "separate path" in " ".join(found.data["configuration"]["remarks"])


@pytest.mark.parametrize(
    "suffix",
    [
        "/.well-known/openid-configuration",
        "/authorize",
        "/oauth2/v1/authorize",
        "/?realm=1",
        "/#x",
    ],
)
def test_an_address_in_place_of_the_issuer_is_seen(suffix: str) -> None:
    with serve(FakeProvider(), FrozenClock(NOW)) as served:
        found = told(served.issuer + suffix)

    assert (found.ran.status, list(found.failed())) == (1, ["issuer"])
    assert found.data["examined"] == served.issuer
    assert f"configure {served.issuer}" in found.check("issuer")["hint"]


def test_an_issuer_without_its_scheme_is_seen() -> None:
    with serve(FakeProvider(), FrozenClock(NOW)) as served:
        found = told(served.issuer.removeprefix("http://"))

    assert found.failed() == {"issuer": "url_invalid"}
    assert found.data["examined"] == served.issuer


def test_nobody_listens() -> None:
    found = told(f"http://127.0.0.1:{free_port()}")

    assert (found.failed(), found.data["examined"]) == ({"issuer": "http_connect_failed"}, "")
    assert found.check("issuer")["cause"] == "refused"
    assert found.data["configuration"] is None


def test_a_server_without_tls_is_told() -> None:
    port = free_port()
    with serve(FakeProvider(), FrozenClock(NOW), port=port):
        plain = told(f"https://127.0.0.1:{port}")

    assert plain.failed() == {"issuer": "tls_failed"}
    assert plain.check("issuer")["cause"] == "plain_http"


def test_the_fault_of_a_certificate_is_named(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    known = ("--ca", str(authority.path))
    faults = (
        ("certificate_unknown_ca", authority.server("a"), ()),
        ("certificate_expired", authority.server("b", expired=True), known),
        ("certificate_name", authority.server("c", host="other.example"), known),
    )

    for cause, tls, options in faults:
        with FaultServer((Wait(),), tls=tls) as server:
            found = told(server.url("").removesuffix("/"), *options)

        assert found.failed() == {"issuer": "tls_failed"}
        assert found.check("issuer")["cause"] == cause
        assert found.check("issuer")["hint"] == CAUSES[cause].hint


def test_the_configuration_makes_a_client(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLIENT_SECRET", "of the test")
    uri = "http://127.0.0.1:5000/cb"
    found = examined(FakeProvider(), "", "--client-id", "shop", "--redirect-uri", uri)

    file = tmp_path / "setup.py"
    file.write_text(found.data["configuration"]["source"])
    names = runpy.run_path(str(file), {"ClientSetup": ClientSetup, "os": os})

    setup: ClientSetup = names["setup"]
    assert (setup.client_id, setup.redirect_uri) == ("shop", uri)
    assert setup.scope == "openid profile email"
    assert "insecure_allow_http_loopback" in setup.policy.quirks


def test_a_human_reads_the_same() -> None:
    with serve(FakeProvider(misbehave="jwks_empty"), FrozenClock(NOW)) as served:
        broken = Stage().run("doctor", served.issuer)
    with serve(FakeProvider(), FrozenClock(NOW)) as served:
        sound = Stage().run("doctor", served.issuer)
        pasted = Stage().run("doctor", served.issuer + "/authorize")

    assert (broken.status, sound.status, pasted.status) == (1, 0, 1)
    assert "A login fails because of: key." in broken.out
    assert "No obstacle to a login was found." in sound.out
    assert "   setup = ClientSetup(\n" in sound.out
    assert f"   examined as {served.issuer}\n" in pasted.out


def test_progress_is_for_terminals() -> None:
    with serve(FakeProvider(), FrozenClock(NOW)) as served:
        piped = Stage().run("doctor", served.issuer)
        seen = Stage(err=Terminal()).run("doctor", served.issuer)

    assert piped.err == ""
    assert seen.err.splitlines() == [
        f"... GET {served.issuer}/.well-known/openid-configuration",
        f"... GET {served.issuer}/jwks",
    ]

"""A provider may say what it likes where no rule reads; where one does, the rule decides.

A good answer is changed by adding, dropping or distorting one of its members.  The oracle
(:mod:`tests.properties.oracle`) says how the login has to end; it shares no code with the library.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

import pytest
from attrs import evolve, frozen
from hypothesis import example, given
from hypothesis import strategies as st

from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.clock import Clock, FrozenClock
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_adapters.stores.pending import MemoryPendingLogins
from oidc_adapters.testing import FakeProvider, InMemoryTransport
from oidc_core.wire.errors import OidcError
from oidc_core.wire.http import Answer, HttpResponse, WireRequest
from tests.flows.rig import NOW, Browser, setup_for
from tests.properties import oracle
from tests.properties.oracle import ABSENT, IN, LOGGED_IN, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

DOCUMENTS: Final = {
    "metadata": "/.well-known/openid-configuration",
    "keys": "/jwks",
    "tokens": "/token",
    "userinfo": "/userinfo",
}
READ: Final = {
    "metadata": oracle.METADATA,
    "keys": oracle.KEY,
    "tokens": oracle.TOKENS,
    "userinfo": oracle.USERINFO,
}
Document = dict[str, Any]


@frozen(kw_only=True)
class Distorting:
    """A transport that changes one answer of a provider which is honest otherwise."""

    inner: InMemoryTransport
    path: str
    change: Callable[[Document], Document]

    def send(self, request: WireRequest, clock: Clock) -> Answer:
        answer = self.inner.send(request, clock)
        if isinstance(answer, HttpResponse) and request.url.endswith(self.path):
            document = self.change(json.loads(answer.body))
            return evolve(answer, body=json.dumps(document).encode())
        return answer


def end_of(document: str, change: Callable[[Document], Document]) -> str:
    """Return how a whole login ends: logged in, or the code of the refusal."""
    provider = FakeProvider(id_token_alg="ES256")
    transport = Distorting(
        inner=InMemoryTransport(provider), path=DOCUMENTS[document], change=change
    )
    browser, clock = Browser(), FrozenClock(NOW)
    try:
        client = OidcClient.discover(
            setup_for(provider, scope="openid profile email"),
            MemoryPendingLogins(),
            transport=transport,
            clock=clock,
            entropy=FixedEntropy(1),
        )
        redirect = client.start_login()
        browser.receive(redirect.cookies)
        came = provider.authorize(redirect.url, NOW).incoming(browser.header)
        result = client.finish_login(came)
    except OidcError as error:
        return error.code
    assert result.logged_in.identity.subject == "alice"
    return LOGGED_IN


def member(name: str, value: object) -> Callable[[Document], Document]:
    """Return the change that gives a member a value, or leaves it out."""

    def change(document: Document) -> Document:
        kept = {each: held for each, held in document.items() if each != name}
        return kept if value is ABSENT else {**kept, name: value}

    return change


def of_signing_key(change: Callable[[Document], Document]) -> Callable[[Document], Document]:
    """Return the change of a key set that changes the key which ID tokens are signed with."""

    def changed(document: Document) -> Document:
        keys = cast("list[Document]", document["keys"])
        return {"keys": [change(key) if key.get("crv") == "P-256" else key for key in keys]}

    return changed


@cache
def original(document: str, name: str) -> object:
    """Return what a good document has there, as the library will see it."""
    seen: list[object] = []

    def look(found: Document) -> Document:
        seen.append(found.get(name, ABSENT))
        return found

    assert end_of(document, of_signing_key(look) if document == "keys" else look) == LOGGED_IN
    return seen[-1]


TEXTS: Final = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["", " ", "true", "false", "none", "ES256", "RS256", "code", "query", "S256", "bearer",
         "BEARER", "sig", "enc", "verify", "alice", "client", "\ud800", "x" * 5_000,
         "https://", "http://op.example/x", "javascript:alert(1)", "/relative"]
    ),
)  # fmt: skip
NUMBERS: Final = st.one_of(
    st.integers(-(2**60), 2**60), st.floats(-1e15, 1e15), st.just(10**400), st.just(-(10**30))
)
SCALARS: Final = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
VALUES: Final = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)
CHANGED: Final = st.one_of(st.just(ABSENT), VALUES, st.lists(TEXTS, max_size=4))
UNREAD: Final = {
    "metadata": [
        "scopes_supported", "subject_types_supported",
        "acr_values_supported", "claims_supported", "claims_parameter_supported",
        "request_parameter_supported",
        "request_uri_parameter_supported", "registration_endpoint", "revocation_endpoint",
        "introspection_endpoint", "end_session_endpoint", "service_documentation", "op_policy_uri",
        "userinfo_signing_alg_values_supported", "userinfo_encryption_alg_values_supported",
        "token_endpoint_auth_signing_alg_values_supported", "ui_locales_supported",
        "display_values_supported", "claim_types_supported", "check_session_iframe",
        "prompt_values_supported",
    ],
    "keys": ["x5c", "x5t", "x5u", "ext", "iat", "nbf", "exp", "issuer", "n"],
    "tokens": ["expires_in", "scope", "refresh_token", "refresh_expires_in", "error_description",
               "session_state", "not-before-policy"],
    "userinfo": ["name", "email", "email_verified", "picture", "updated_at", "address", "locale",
                 "phone_number_verified", "groups", "nonce", "exp"],
}  # fmt: skip
"""Members that no rule reads, together with unknown names."""


def verdict(document: str, name: str, value: object) -> Verdict:
    """Return how the login has to end."""
    rule = READ[document].get(name)
    return IN if rule is None else rule(value, original(document, name))


def judged(document: str, name: str, value: object) -> None:
    change = member(name, value)
    end = end_of(document, of_signing_key(change) if document == "keys" else change)
    right = verdict(document, name, value)
    assert end in right, f"{document} {name}={value!r}: {end}, and not {sorted(right)}"


@pytest.mark.parametrize("document", DOCUMENTS)
@given(data=st.data())
def test_what_no_rule_reads_changes_nothing(document: str, data: st.DataObject) -> None:
    unheard = st.text(min_size=1, max_size=20).map("x_".__add__)
    name = data.draw(st.one_of(st.sampled_from(UNREAD[document]), unheard))
    judged(document, name, data.draw(CHANGED))


@pytest.mark.parametrize(
    ("document", "name"), [(each, name) for each, rules in READ.items() for name in rules]
)
@given(value=CHANGED)
@example(value=ABSENT)
@example(value=None)
@example(value="")
@example(value=[])
@example(value={})
@example(value=True)
@example(value=False)
@example(value=0)
@example(value="\ud800")
@example(value=10**400)
def test_what_a_rule_reads_is_decided_by_the_rule(document: str, name: str, value: object) -> None:
    judged(document, name, value)


@given(junk=st.lists(VALUES, max_size=5), at=st.integers(0, 5))
def test_keys_that_are_none_cost_no_other_key(junk: list[object], at: int) -> None:
    def change(document: Document) -> Document:
        keys = cast("list[object]", document["keys"])
        return {"keys": [*junk[:at], *keys, *junk[at:]]}

    assert end_of("keys", change) == LOGGED_IN


@given(name=TEXTS, value=VALUES)
def test_a_key_set_may_have_further_members(name: str, value: object) -> None:
    if name != "keys":
        assert end_of("keys", member(name, value)) == LOGGED_IN


def test_the_oracle_shares_no_code_with_the_library() -> None:
    tree = ast.parse(Path(oracle.__file__).read_text("utf-8"))
    imported = {
        node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom | ast.Import)
    }
    assert imported == {"__future__", "collections.abc", "re", "typing"}


@pytest.mark.parametrize("document", DOCUMENTS)
def test_an_honest_answer_logs_in(document: str) -> None:
    assert end_of(document, lambda found: found) == LOGGED_IN


def _readings() -> Mapping[str, tuple[str, ...]]:
    return {document: tuple(rules) for document, rules in READ.items()}


def test_every_rule_of_the_oracle_can_refuse() -> None:
    """A rule that refuses nothing would let everything pass."""
    odd: Final = ({"odd": [1]}, True, "odd", ABSENT)
    for document, names in _readings().items():
        for name in names:
            assert any(verdict(document, name, value) != IN for value in odd), name

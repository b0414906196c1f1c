"""The content of drawn values, as text that two processes can compare, and their secrets."""

from functools import singledispatch
from typing import Any, Final

from attrs import asdict

from oidc_adapters.testing import Misbehaviour
from oidc_adapters.testing.samples import (
    SampleCallback,
    SampleClock,
    SampleKey,
    SampleKeySet,
    SampleMetadata,
    SampleTokenResponse,
    SignedToken,
    client_secret,
    login_secrets,
)
from oidc_adapters.testing.samples.parties import named_secret
from oidc_core import AuthenticationRequest, HttpResponse, JsonObject, Policy, render

REBUILD: Final = """
import json, sys
from tests.adapters.testing.samples.contents import contents
scope = {}
exec("from oidc_adapters.testing.samples import *\\nfrom oidc_core import *", scope)
scope["drawn"] = lambda **values: list(values.values())
found = [eval(call, scope) for call in json.loads(sys.argv[1])]
print(json.dumps([contents(value) for value in found]))
"""
"""Builds what calls say in a new process, with the imports of a user who pastes them."""


@singledispatch
def contents(value: Any) -> str:
    """Return what a value says; of an RSA key or its signature only what does not change."""
    return repr(value)


@contents.register(list)
@contents.register(tuple)
def _of_items(value: Any) -> str:
    return f"[{', '.join(map(contents, value))}]"


@contents.register
def _of_json(value: JsonObject) -> str:
    return render(value)


@contents.register
def _of_token(value: SignedToken) -> str:
    return _token(value)


@contents.register
def _of_key(value: SampleKey) -> str:
    return str({name: held for name, held in value.jwk.items() if name != "n"})


@contents.register
def _of_key_set(value: SampleKeySet) -> str:
    return contents([*value.keys, *value.others, value.code])


@contents.register
def _of_metadata(value: SampleMetadata) -> str:
    return _answer(value.answer)


@contents.register
def _of_callback(value: SampleCallback) -> str:
    return str((value.response.mode, value.response.parameters))


@contents.register
def _of_token_response(value: SampleTokenResponse) -> str:
    whole = [_token(value.id_token), value.members, value.refreshable, value.code]
    return contents([*whole, "" if _is_rsa(value.id_token) else _answer(value.answer)])


@contents.register
def _of_clock(value: SampleClock) -> str:
    return str(value.readings)


@contents.register
def _of_misbehaviour(value: Misbehaviour) -> str:
    return value.name


@contents.register
def _of_policy(value: Policy) -> str:
    return value.digest


@contents.register
def _of_request(value: AuthenticationRequest) -> str:
    return contents([*asdict(value, recurse=False).items()])


def _is_rsa(token: SignedToken) -> bool:
    return token.alg.startswith(("RS", "PS"))


def _token(token: SignedToken) -> str:
    draft = token.draft
    said = str(sorted(draft.header.items())), str(sorted(draft.claims.items(), key=str))
    return str(said) if _is_rsa(token) else str((said, token.text, token.published))


def _answer(answer: object) -> str:
    if not isinstance(answer, HttpResponse):
        return repr(answer)
    return str((answer.status, answer.headers, answer.body))


def secrets_of(value: Any) -> set[str]:
    """Return the secrets that a sample stands for: none of them may be printed."""
    if isinstance(value, SampleTokenResponse):
        seed = value.id_token.login_seed
        return {*secrets_of(value.id_token), named_secret("refresh", seed)}
    if isinstance(value, SignedToken):
        secrets = {client_secret(value.key_seed), value.access_token, *value.text.split(".")}
        return {*_of_login(value.login_seed), *secrets} - {""}
    return _of_login(value.login_seed)


def _of_login(seed: int) -> set[str]:
    drawn = login_secrets(seed)
    one_time = {drawn.state, drawn.nonce, drawn.code_verifier, drawn.binding}
    return {*one_time, named_secret("code", seed), named_secret("access", seed)}

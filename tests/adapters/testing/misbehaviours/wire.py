"""The messages of a provider in a login, and conditions that describe one misbehaviour each."""

import json
from collections.abc import Callable
from typing import Any, Final

from attrs import frozen
from cryptography.exceptions import InvalidSignature

from oidc_adapters.testing import (
    AuthorizationResponse,
    BackchannelLogout,
    FakeClient,
    FakeProvider,
    Misbehaviour,
)
from oidc_core.wire.http import Answer, NoAnswer
from tests.adapters.testing.raw_client import (
    NOW,
    arrive,
    b64,
    claims_of,
    fetch,
    header_of,
    redeem,
    refresh,
    responded,
    unb64,
    userinfo,
    verify,
)


@frozen(kw_only=True)
class Wire:
    """All messages that a provider sent in one login, one refresh and one logout."""

    discovery: Answer
    authorization: AuthorizationResponse
    token: Answer
    keys: Answer
    userinfo: Answer
    refresh: Answer
    logout: BackchannelLogout

    def json(self, place: str) -> Any:
        return json.loads(responded(getattr(self, place)).body)

    @property
    def id_token(self) -> str:
        return str(self.json("token")["id_token"])

    @property
    def claims(self) -> Any:
        return claims_of(self.id_token)

    @property
    def jwk_set(self) -> Any:
        return self.json("keys")["keys"]


def wire_of(misbehave: str | None, *, signed_userinfo: bool = False) -> Wire:
    """Run a login, a refresh and a logout by the provider's own memory.

    Its messages count for nothing meanwhile.
    """
    signed = "EdDSA" if signed_userinfo else None
    provider = FakeProvider(
        clients=(FakeClient(userinfo_signed_response_alg=signed),),
        id_token_alg="EdDSA",
        misbehave=misbehave,
    )
    discovery = fetch(provider, "/.well-known/openid-configuration")
    callback = arrive(provider)
    (code,) = provider.ledger.codes
    token = redeem(provider, callback, code=code)
    (access_token,) = provider.ledger.access_tokens
    (refresh_token,) = provider.ledger.refresh_tokens
    return Wire(
        discovery=discovery,
        authorization=callback,
        token=token,
        keys=fetch(provider, "/jwks"),
        userinfo=userinfo(provider, access_token),
        refresh=refresh(provider, refresh_token),
        logout=provider.backchannel_logout(NOW, sub="alice", sid="a-sid"),
    )


PLAIN: Final = wire_of(None)
SIGNED: Final = wire_of(None, signed_userinfo=True)

Check = Callable[[Wire], bool]


def status(place: str, expected: int) -> Check:
    return lambda wire: responded(getattr(wire, place)).status == expected


def media_type(place: str, expected: str) -> Check:
    return lambda wire: responded(getattr(wire, place)).media_type == expected


def header(place: str, name: str, expected: str) -> Check:
    return lambda wire: responded(getattr(wire, place)).header(name) == expected


def member(place: str, name: str, expected: object) -> Check:
    return lambda wire: wire.json(place).get(name) == expected


def body(place: str, check: Callable[[bytes], bool]) -> Check:
    return lambda wire: check(responded(getattr(wire, place)).body)


def dropped(place: str) -> Check:
    return lambda wire: getattr(wire, place) == NoAnswer("maybe", "http_malformed", NOW)


def no_json(octets: bytes) -> bool:
    try:
        json.loads(octets)
    except ValueError:
        return True
    return False


def twice(name: str) -> Callable[[bytes], bool]:
    return lambda octets: octets.count(b'"%s":' % name.encode()) == 2


def parameter(name: str, expected: str | None) -> Check:
    return lambda wire: wire.authorization.parameter(name) == expected


def parameters(name: str, count: int) -> Check:
    return lambda wire: [known for known, _ in wire.authorization.parameters].count(name) == count


def claim(name: str, expected: object) -> Check:
    return lambda wire: wire.claims.get(name) == expected and signature_holds(wire.id_token)


def id_token_header(name: str, expected: object) -> Check:
    return lambda wire: header_of(wire.id_token).get(name) == expected


def raw_payload(check: Callable[[bytes], bool]) -> Check:
    return lambda wire: check(unb64(wire.id_token.split(".")[1]))


def refreshed(name: str, expected: object) -> Check:
    return lambda wire: claims_of(wire.json("refresh")["id_token"]).get(name) == expected


def signed_userinfo(wire: Wire) -> str:
    return responded(wire.userinfo).body.decode()


def userinfo_claim(name: str, expected: object) -> Check:
    return lambda wire: claims_of(signed_userinfo(wire)).get(name) == expected


def logout_claim(name: str, expected: object) -> Check:
    def check(wire: Wire) -> bool:
        token = wire.logout.logout_token
        return claims_of(token).get(name) == expected and signature_holds(token)

    return check


def logout_header(name: str, expected: object) -> Check:
    return lambda wire: header_of(wire.logout.logout_token).get(name) == expected


def signature_holds(token: str) -> bool:
    """Whether a token verifies with the keys that an honest provider publishes."""
    try:
        verify(token, PLAIN.jwk_set)
    except InvalidSignature:
        return False
    return True


def canonical(part: str) -> str:
    return b64(unb64(part))


def damaged(token: str, honest: str) -> bool:
    same_input = token.rpartition(".")[0] == honest.rpartition(".")[0]
    return same_input and len(token) == len(honest) and not signature_holds(token)


def both(*checks: Check) -> Check:
    return lambda wire: all(check(wire) for check in checks)


OTHER: Final = "https://other.example"
PLACES: Final = (
    "discovery", "authorization", "token", "keys", "userinfo", "refresh", "logout",
)  # fmt: skip


def assert_only_that(row: Misbehaviour, check: Check) -> None:
    """Assert that a misbehaviour does what the check spells out, and nothing else."""
    signed = row.needs == "signed_userinfo"
    honest = SIGNED if signed else PLAIN
    misbehaving = wire_of(row.name, signed_userinfo=signed)

    assert check(misbehaving)
    assert not check(honest)
    changed = {place for place in PLACES if getattr(misbehaving, place) != getattr(honest, place)}
    allowed = {"refresh" if row.during == "refresh" else row.endpoint}
    assert changed
    assert changed <= (allowed | {"token"} if row.endpoint == "keys" else allowed)

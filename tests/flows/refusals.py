"""One real refusal for every error code: the library is driven until it refuses.

A refusal that a misbehaving provider causes comes from the fake provider's misbehaviours; the
others are written down here, by code.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import pytest
from attrs import evolve

from oidc_adapters.stores.pending import MemorySpent
from oidc_adapters.stores.sealed_box import SealedBox
from oidc_adapters.testing import MISBEHAVIOURS, InMemoryTransport
from oidc_adapters.web.sessions import as_account
from oidc_core import codec
from oidc_core.jose.jwk import parse_jwk
from oidc_core.jose.key_set import parse_key_set
from oidc_core.machine.grants import BUSY, TOKEN_REFUSED, LogIn, Withhold
from oidc_core.model.issuer_rule import IssuerRule
from oidc_core.model.pending import LoginSecrets
from oidc_core.model.policy import Policy
from oidc_core.operations.discovery import metadata_url
from oidc_core.operations.refresh import renew
from oidc_core.wire.errors import OidcError
from oidc_core.wire.http import AnswerTo
from oidc_core.wire.incoming import Incoming
from oidc_core.wire.jsontypes import JsonObject, parse_object
from tests import parties
from tests.encryption import encrypted as jwe_of
from tests.flows.rig import (
    REDIRECT_URI,
    SEALING_SECRET,
    Misbehaving,
    new_rig,
)
from tests.flows.ways_to_refuse import (
    CUT_SHORT,
    FAILED,
    KEY,
    OTHER,
    RSA,
    Refuse,
    at_url,
    claims,
    cookie_too_large,
    damaged,
    demanding,
    discovered,
    elsewhere,
    encrypted,
    ended_meanwhile,
    essential,
    finished,
    full,
    in_a_frame,
    in_cookies,
    logged_in,
    logged_out,
    logout_by,
    logout_without_sid,
    nowhere,
    of_another_worker,
    over_an_unverified_channel,
    parsed,
    second_nonce,
    selected,
    shared_path,
    store_down,
    twice,
    under_another_policy,
    unknown_login,
    unlucky,
    validated,
    waiting_room_full,
    with_cookie,
    withheld,
)
from tests.signing import signed, signing_key
from tests.unit.operations.test_refresh import TOKENS

_WRITTEN: Final[Mapping[str, Refuse]] = {
    "state_expired": lambda: finished(now=parties.NOW + 100_000),
    "state_used": twice,
    "policy_changed": under_another_policy,
    "session_ended": ended_meanwhile,
    "binding_missing": with_cookie(lambda _: ""),
    "binding_mismatch": with_cookie(damaged),
    "binding_duplicated": with_cookie(lambda header: f"{header}; {header}"),
    "cookie_invalid": with_cookie(damaged, in_cookies()),
    "cookie_key_unknown": of_another_worker,
    "logout_state_mismatch": logged_out(lambda _: "another"),
    "logout_expired": logged_out(str, 601),
    "state_mismatch": lambda: finished(state="another"),
    "connection_mismatch": lambda: finished(
        ends=parties.relying_party(client={"client_id": "client-2"})
    ),
    "account_mismatch": lambda: finished(pending={"account": "alice"}),
    "account_refused": lambda: as_account(None),
    "metadata_changed": lambda: finished(
        ends=parties.relying_party(provider={"token_endpoint": f"{parties.ISSUER}/moved"})
    ),
    "method_unexpected": lambda: Incoming(method="PUT", url=REDIRECT_URI),
    "redirect_uri_mismatch": at_url("https://internal:8080/callback"),
    "redirect_uri_unknown": nowhere,
    "logout_session_missing": in_a_frame("iss=https%3A%2F%2Fop.example"),
    "logout_iss_mismatch": in_a_frame("iss=https%3A%2F%2Fother.example&sid=s"),
    "sid_missing": logout_without_sid,
    "jti_malformed": logout_by(jti=5),
    "json_string_invalid": lambda: parse_object(b'{"name":"\\ud800"}'),
    "json_too_large": discovered({f"m{n}": n for n in range(3_000)}),
    "jwe_malformed": encrypted("a.b.c.d"),
    "encryption_unexpected": lambda: validated(jwe_of("{}")),
    "key_alg_mismatch": selected("k1", "RS256", KEY),
    "key_ambiguous": selected(
        None, "ES256", *[signing_key(slot=f"s{n}", kid=f"k{n}").public_jwk() for n in range(9)]
    ),
    "key_use_mismatch": selected("k1", "ES256", {**KEY, "use": "enc"}),
    "key_too_large": lambda: parse_jwk(JsonObject({**RSA, "n": "_" * 3_000})),
    "jwk_invalid": lambda: parse_jwk(JsonObject({"kty": "RSA", "n": 5})),
    "jwks_invalid": lambda: parse_key_set(b"{}"),
    "kid_duplicated": selected("k1", "ES256", KEY, OTHER),
    "claim_forbidden": claims(events={}),
    "iss_malformed": claims(iss=5),
    "aud_malformed": claims(aud=5),
    "iat_malformed": claims(iat="now"),
    "nbf_malformed": claims(nbf="now"),
    "sub_placeholder": claims(sub="Not supported currently. Use oid claim."),
    "at_hash_missing": lambda: logged_in(
        parties.relying_party(policy=Policy(require_at_hash=True))
    ),
    "auth_time_malformed": demanding({"auth_time": "now"}, max_age=0),
    "auth_time_in_future": demanding({"auth_time": parties.NOW + 99}, max_age=0),
    "acr_missing": demanding(required_acr=("urn:example:two-factor",)),
    "claim_missing": essential,
    "nonce_unexpected": lambda: validated(signed(parties.claims_for("n"))),
    "signature_length_mismatch": lambda: validated(CUT_SHORT),
    "channel_unverified": over_an_unverified_channel,
    "scope_unexpected": lambda: logged_in(
        parties.relying_party(policy=Policy(forbid_extra_scope=True)), scope="openid admin"
    ),
    "dpop_nonce_repeated": second_nonce,
    "http_timeout": unlucky("http_timeout", "timeout"),
    "http_connect_failed": unlucky("http_connect_failed", "refused"),
    "tls_failed": unlucky("tls_failed", "certificate_name"),
    "address_not_allowed": unlucky("address_not_allowed", "address_not_allowed"),
    "store_unavailable": store_down,
    "pending_too_many": waiting_room_full,
    "store_full": lambda: full(in_cookies(spent=MemorySpent(cap=1))),
    "refresh_busy": withheld(Withhold(BUSY, 30)),
    "token_refused": withheld(Withhold(TOKEN_REFUSED, 5)),
    "grant_unknown": withheld(LogIn("unknown")),
    "grant_ended": withheld(LogIn("ended")),
    "grant_expired": withheld(LogIn("expired")),
    "seal_invalid": lambda: SealedBox(SEALING_SECRET).open("damaged", label="tokens"),
    "record_invalid": lambda: codec.load_tokens(f'{codec.dump_tokens(TOKENS)[:-1]},"scope":5}}'),
    "record_version_unknown": lambda: codec.load_tokens('{"version":99}'),
    "foreign_step": lambda: parties.resume(
        parties.relying_party(client={"client_id": "client-2"}), finished(), parties.keys()
    ),
    "answer_foreign": lambda: parties.resume(
        parties.RP, finished(), AnswerTo(parties.RP.keys_wanted["solicited"].request, FAILED)
    ),
    "answer_unexpected": lambda: parties.resume(parties.RP, finished(), parties.keys()),
    "config_invalid": lambda: Policy(leeway=500),
    "redirect_uri_shared": shared_path,
    "pkce_or_nonce_required": lambda: parties.relying_party(
        policy=Policy(quirks=frozenset({"nonce_not_echoed"})),
        provider={"code_challenge_methods_supported": ()},
    ),
    "issuer_invalid": lambda: metadata_url("https://op.example/?tenant=1"),
    "issuer_not_allowed": lambda: parties.relying_party(
        rule=IssuerRule.exact("https://other.example")
    ),
    "url_invalid": parsed("op.example/token"),
    "url_scheme_not_allowed": parsed("http://op.example/token"),
    "url_userinfo_not_allowed": parsed("https://user@op.example/token"),
    "url_host_invalid": parsed("https://ö.example/token"),
    "url_address_not_allowed": lambda: parties.relying_party(
        provider={"token_endpoint": "https://10.0.0.1/token"}
    ),
    "url_port_invalid": parsed("https://op.example:99999/token"),
    "parameter_reserved": lambda: parties.started(extra=(("state", "mine"),)),
    "parameter_invalid": lambda: parties.started(scope="profile"),
    "client_issuer_mismatch": lambda: parties.relying_party(
        client={"issuer": "https://other.example"}
    ),
    "credential_missing": lambda: new_rig(client_secret=None),
    "unsupported_by_provider": lambda: parties.started(
        parties.relying_party(provider={"token_endpoint": None})
    ),
    "entropy_failure": lambda: LoginSecrets(
        state="short", nonce="short", code_verifier="short", binding="short"
    ),
    "origin_not_allowed": elsewhere,
    "pending_too_large": cookie_too_large,
    "refresh_token_missing": lambda: renew(parties.RP, evolve(TOKENS, refresh_token=None)),
    "login_unknown": unknown_login,
}
"""Code to the refusal, where no misbehaving provider causes it."""


def misbehaving(name: str) -> Refuse:
    def refuse() -> object:
        case = Misbehaving(row=MISBEHAVIOURS[name])
        case.run(InMemoryTransport(case.provider))
        return case

    return refuse


def _by_code() -> Mapping[str, Refuse]:
    first: dict[str, Refuse] = {}
    for name, row in MISBEHAVIOURS.items():
        first.setdefault(row.code, misbehaving(name))
    return MappingProxyType({**first, **_WRITTEN})


REFUSALS: Final = _by_code()
"""Code to one refusal with it."""


def refusal(code: str) -> OidcError:
    """Return the error that the library refuses with when it is driven to this code."""
    with pytest.raises(OidcError) as caught:
        REFUSALS[code]()
    return caught.value

"""Limits in a login and a refresh: what honest providers send fits, and beyond it is told how."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import pytest
from attrs import evolve

from oidc_adapters.runtime.entropy import SystemEntropy
from oidc_core import codec
from oidc_core.endpoints.authorization import AuthenticationRequest
from oidc_core.jose.key_set import parse_key_set
from oidc_core.machine.key_fetching import KeyRecord, failed
from oidc_core.machine.steps import Exchange, fetch_fault
from oidc_core.model.policy import Policy
from oidc_core.model.records import Tokens
from oidc_core.operations.discovery import discover
from oidc_core.operations.login import AwaitingTokens, finish, start
from oidc_core.operations.refresh import renew
from oidc_core.wire.answers import failure
from oidc_core.wire.errors import OidcError, ProtocolViolation, TransportFailure
from oidc_core.wire.http import NoAnswer
from oidc_core.wire.jsontypes import JsonObject
from oidc_core.wire.limits import UPPER_BOUNDS, Limits
from tests.parties import (
    ACCESS_TOKEN,
    CLIENT_ID,
    ISSUER,
    NOW,
    SUB,
    callback,
    came,
    claims_for,
    done,
    json_response,
    keys_wanted,
    query_of,
    refused,
    relying_party,
    resume,
    started,
    token_answer,
    with_keys,
)
from tests.signing import signed

if TYPE_CHECKING:
    from oidc_core.model.relying_party import RelyingParty
    from oidc_core.operations.login import LoginStarted

GROUPS: Final = [f"group-{number:036}" for number in range(1_000)]
PLAIN: Final = Policy(userinfo="never")


def party(**limits: int) -> RelyingParty:
    return relying_party(policy=evolve(PLAIN, limits=Limits(**limits)))


def awaiting(rp: RelyingParty, login: LoginStarted, arrival: Any = None) -> AwaitingTokens:
    step = finish(rp, login.pending, arrival or callback(login), binding=login.binding, now=NOW + 5)
    assert isinstance(step, AwaitingTokens)
    return step


def id_token(login: LoginStarted, **claims: Any) -> str:
    nonce = login.pending.demands.nonce
    assert isinstance(nonce, str)
    return signed(claims_for(nonce, **claims))


def told_no(error: OidcError, most: int, setting: str) -> None:
    """It says how much is taken, and which setting raises that; trying again does not help."""
    assert error.expected == f"up to {most}"
    assert error.hint.startswith(f"raise Policy.limits.{setting}, up to ")
    assert (error.retryable, error.kind) == ("no", "configuration")


# --- C1, C2, C17, C18 ----------------------------------------------------------------------------


@pytest.mark.parametrize("length", [5_000, 15_000])
def test_a_long_code_is_exchanged(length: int) -> None:
    rp, login = party(), started(party())
    arrival = came(f"code={'c' * length}&state={login.pending.state}")
    step = awaiting(rp, login, arrival)
    assert dict(step.request.form or ())["code"] == "c" * length


def test_a_user_of_a_thousand_groups_logs_in() -> None:
    rp, login = party(), started(party())
    token = id_token(login, groups=GROUPS)
    answer = token_answer(token, access_token="a" * 70_000)
    assert len(token) > 47_000
    assert len(answer.body) > 70_000
    logged_in = done(with_keys(rp, resume(rp, awaiting(rp, login), answer)))
    assert logged_in.id_token.claims["groups"] == (*GROUPS,)
    assert codec.load_tokens(codec.dump_tokens(logged_in.tokens)) == logged_in.tokens


def test_an_id_token_has_the_length_that_the_policy_takes() -> None:
    login = started(party())
    token = id_token(login, groups=GROUPS)
    for most, fits in ((len(token), True), (len(token) - 1, False)):
        rp = party(id_token=most)
        login = started(rp)
        step = resume(rp, awaiting(rp, login), token_answer(id_token(login, groups=GROUPS)))
        if fits:
            assert done(with_keys(rp, step)).identity.subject == SUB
        else:
            error = refused(ProtocolViolation, "token_too_large", partial(with_keys, rp, step))
            assert error.found == len(token)
            told_no(error, most, "id_token")


@pytest.mark.parametrize("size", [10_000, 512 * 1_024])
def test_a_token_answer_has_the_size_that_the_policy_takes(size: int) -> None:
    rp = party(token_response=size)
    login = started(rp)
    step = awaiting(rp, login)
    assert step.request.max_body == size
    good = token_answer(id_token(login))
    fits = evolve(good, body=good.body.ljust(size))
    assert done(with_keys(rp, resume(rp, step, fits))).identity.subject == SUB
    for beyond in (evolve(good, body=good.body.ljust(size + 1)), too_large()):
        error = refused(TransportFailure, "code_in_doubt", partial(resume, rp, step, beyond))
        assert error.found == "http_too_large"
        told_no(error, size, "token_response")


def too_large() -> NoAnswer:
    return NoAnswer("maybe", "http_too_large", NOW)


def test_a_refresh_tells_which_limit_its_answer_exceeds() -> None:
    rp = party(token_response=5_000)
    tokens = Tokens(
        issuer=ISSUER,
        client_id=CLIENT_ID,
        access_token=ACCESS_TOKEN,
        refresh_token="refresh-0",
        id_token=signed(claims_for()),
        scope="openid",
        subject=SUB,
    )
    step = renew(rp, tokens)
    assert isinstance(step, Exchange)
    assert step.request.max_body == 5_000
    error = refused(TransportFailure, "refresh_in_doubt", partial(resume, rp, step, too_large()))
    told_no(error, 5_000, "token_response")


def test_what_is_sent_is_of_43_characters() -> None:
    """Some providers and wallets take a nonce of 43 characters at most."""
    step = done(start(party(), SystemEntropy().login_secrets(), AuthenticationRequest(), now=NOW))
    sent = dict(query_of(step.url))
    secrets = (sent["state"], sent["nonce"], step.pending.code_verifier)
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{43}", secret) for secret in secrets)


def test_a_login_that_began_with_longer_secrets_is_still_read() -> None:
    login = started(party())
    longer = evolve(login.pending, code_verifier="v" * 44, state="s" * 44)
    kept = codec.load_pending_login(codec.dump_pending_login(longer))
    assert (kept.code_verifier, kept.state) == ("v" * 44, "s" * 44)


# --- C13, C14: key sets, headers, metadata, UserInfo ---------------------------------------------


def test_metadata_has_the_size_that_the_policy_takes() -> None:
    rp = party(metadata=3_000)
    step = discover(rp)
    assert isinstance(step, Exchange)
    assert step.request.max_body == 3_000
    body = b'{"issuer":"https://op.example"}'.ljust(3_001)
    for beyond in (json_response(body), too_large()):
        error = refused(TransportFailure, "http_too_large", partial(resume, rp, step, beyond))
        told_no(error, 3_000, "metadata")


def test_a_key_set_that_the_transport_found_too_large_is_told_with_its_limit() -> None:
    rp = party(key_set=5_000)
    login = started(rp)
    step = resume(rp, awaiting(rp, login), token_answer(id_token(login)))
    _, withheld = failed(KeyRecord(), keys_wanted(rp), NOW, fetch_fault(failure(too_large())))
    error = refused(TransportFailure, "keys_unavailable", partial(resume, rp, step, withheld))
    told_no(error, 5_000, "key_set")


@pytest.mark.parametrize("source", ["solicited", "unsolicited"])
def test_a_key_set_is_asked_for_with_the_limits_of_the_policy(source: Any) -> None:
    wanted = keys_wanted(party(key_set=5_000, keys=5), source)
    assert wanted.request.max_body == 5_000
    document = b'{"keys":[0,1,2,3,4]}'
    assert len(parse_key_set(document.ljust(5_000), limits=wanted.limits).published) == 5
    over = partial(parse_key_set, document.ljust(5_001), limits=wanted.limits)
    told_no(refused(ProtocolViolation, "json_too_large", over), 5_000, "key_set")
    more = partial(parse_key_set, b'{"keys":[0,1,2,3,4,5]}', limits=wanted.limits)
    told_no(refused(ProtocolViolation, "jwks_invalid", more), 5, "keys")


def test_the_header_of_a_token_has_the_size_that_the_policy_takes() -> None:
    chain = ["A" * 2_000] * 4
    for most, fits in ((16_384, True), (8_000, False)):
        rp = party(jose_header=most)
        login = started(rp)
        nonce = login.pending.demands.nonce
        assert isinstance(nonce, str)
        token = signed(claims_for(nonce), x5c=chain)
        step = resume(rp, awaiting(rp, login), token_answer(token))
        if fits:
            assert done(with_keys(rp, step)).identity.subject == SUB
        else:
            error = refused(ProtocolViolation, "jose_header_invalid", partial(with_keys, rp, step))
            told_no(error, most, "jose_header")


@pytest.mark.parametrize(("most", "fits"), [(2_048, True), (100, False)])
def test_the_members_of_an_object_are_limited(most: int, *, fits: bool) -> None:
    rp = party(members=most)
    login = started(rp)
    many = {f"m{number}": number for number in range(300)}
    step = resume(rp, awaiting(rp, login), token_answer(id_token(login, many=many)))
    if fits:
        logged_in = done(with_keys(rp, step))
        assert logged_in.id_token.claims["many"] == JsonObject(many)
    else:
        refused(ProtocolViolation, "json_too_large", partial(with_keys, rp, step))


def test_evidence_reads_what_the_largest_policy_took() -> None:
    rp = party(members=16_384)
    login = started(rp)
    many = {f"m{number}": number for number in range(3_000)}
    step = resume(rp, awaiting(rp, login), token_answer(id_token(login, **many)))
    logged_in = done(with_keys(rp, step))
    assert logged_in.evidence.id_token.notes == ()
    assert codec.load_tokens(codec.dump_tokens(logged_in.tokens)) == logged_in.tokens


def test_a_key_set_that_the_largest_policy_took_is_read_out_of_a_store() -> None:
    document = b'{"keys":[' + b",".join([b"0"] * 2_048) + b"]}"
    key_set = parse_key_set(document, limits=UPPER_BOUNDS)
    assert codec.load_key_set(codec.dump_key_set(key_set, NOW)) == (key_set, NOW)

"""The content of a login's or logout's cookie, octet by octet, and the value read from it."""

from collections.abc import Callable
from typing import Any, Final

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from oidc_adapters.stores.pending.cookie_record import (
    CookieLogin,
    CookieLogout,
    identity_of,
    login_octets,
    login_of,
    logout_kept,
    logout_octets,
    logout_of,
    pending_of,
    secrets_of,
)
from oidc_adapters.stores.seed_box import SEED, Opened, SeedBox
from oidc_core.endpoints.authorization import (
    DEFAULT_REQUEST,
    AuthenticationRequest,
    pending_login,
    unasked_login,
)
from oidc_core.endpoints.end_session import LogoutRequest, pending_logout
from oidc_core.model.issuer_rule import IssuerRule
from oidc_core.model.pending import PendingLogin
from oidc_core.model.policy import Policy
from oidc_core.model.records import PendingLogout
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import CallbackError, OidcError, UsageError
from tests.adapters.stores.pending.started import ISSUER, NOW, OTHER_CLIENT, RP, SECRET

BOX: Final = SeedBox(SECRET)
OTHER_BOX: Final = SeedBox(b"another sealing secret of 32 octets or so")
SEED_OCTETS: Final = bytes(range(SEED))
SECRETS: Final = secrets_of(BOX, SEED_OCTETS)
PLAIN: Final = unasked_login(RP, SECRETS, NOW)
LATEST: Final = 2**32 - 1


def refused(kind: type[OidcError], code: str, operation: Callable[[], object]) -> OidcError:
    with pytest.raises(OidcError) as caught:
        operation()
    assert (type(caught.value), caught.value.code) == (kind, code)
    return caught.value


def pending(request: AuthenticationRequest = DEFAULT_REQUEST, *, now: int = NOW) -> PendingLogin:
    return pending_login(RP, request, SECRETS, now)


def octets(login: PendingLogin, rp: RelyingParty = RP) -> bytes:
    return login_octets(BOX, rp, login, unasked_login(rp, SECRETS, login.created_at))


def opened(octets: bytes, box: SeedBox = BOX) -> Opened:
    """These octets as a box gives them back."""
    return box.open(box.close(SEED_OCTETS, octets, label="test"), label="test")


def returned(octets: bytes, rp: RelyingParty = RP) -> PendingLogin:
    inside = opened(octets)
    return pending_of(BOX, rp, inside, login_of(inside))


# --- identity ------------------------------------------------------------------------------------

OTHER_ISSUER: Final = "https://other.example"
OTHERS: Final = {
    "issuer": evolve(
        RP,
        provider=evolve(RP.provider, issuer=OTHER_ISSUER),
        issuer_rule=IssuerRule.exact(OTHER_ISSUER),
    ),
    "client_id": OTHER_CLIENT,
    "connection_id": evolve(RP, client=evolve(RP.client, connection_id="tenant-1")),
    "scope": evolve(RP, client=evolve(RP.client, scope="openid")),
    "redirect_uris": evolve(
        RP, client=evolve(RP.client, redirect_uris=RP.client.redirect_uris[:1])
    ),
    "order": evolve(RP, client=evolve(RP.client, redirect_uris=RP.client.redirect_uris[::-1])),
}
SAME: Final = {
    "policy": evolve(RP, policy=Policy(leeway=5)),
    "endpoints": evolve(RP, provider=evolve(RP.provider, token_endpoint=f"{ISSUER}/moved")),
    "logout": evolve(RP, client=evolve(RP.client, post_logout_redirect_uris=())),
    "authentication": evolve(
        RP, client=evolve(RP.client, token_endpoint_auth_method="client_secret_post")
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_a_login_is_of_one_client_and_of_what_it_does_not_write_down(name: str) -> None:
    """Issuer, client, scope and redirect URIs are not repeated in a cookie, so they must hold."""
    whose = {identity_of(BOX, rp) for rp in (RP, *OTHERS.values())}

    assert len(identity_of(BOX, RP)) == 8
    assert len(whose) == 1 + len(OTHERS)
    assert identity_of(BOX, OTHERS[name]) != identity_of(BOX, RP)


@pytest.mark.parametrize("name", SAME)
def test_what_a_login_may_survive_or_says_itself_is_no_part_of_whose_it_is(name: str) -> None:
    assert identity_of(BOX, SAME[name]) == identity_of(BOX, RP)


def test_an_identity_is_a_digest_under_a_key() -> None:
    rotating = SeedBox(b"a new sealing secret of 32 octets or so", SECRET)
    old = opened(b"").key_id

    assert identity_of(OTHER_BOX, RP) != identity_of(BOX, RP)
    assert identity_of(rotating, RP) != identity_of(rotating, RP, old) == identity_of(BOX, RP)


# --- logins --------------------------------------------------------------------------------------


def test_a_login_without_demands_is_the_one_that_asks_for_nothing() -> None:
    assert pending(DEFAULT_REQUEST) == PLAIN


def test_a_login_is_21_octets_and_where_it_returns_to() -> None:
    connection = RP.connection
    fixed = b"".join(
        [
            identity_of(BOX, RP),
            BOX.digest(connection.endpoints_digest, 4),
            BOX.digest(connection.policy_digest, 4),
            NOW.to_bytes(4),
            b"\0",
        ]
    )

    assert octets(pending()) == fixed
    assert len(fixed) == 21
    request = AuthenticationRequest(return_to="/é")
    assert octets(pending(request)) == fixed + b"/\xc3\xa9"


def test_demands_stand_in_front_with_their_length() -> None:
    login = octets(pending(AuthenticationRequest(max_age=0, return_to="/a")))

    assert login[20:] == b"\x02\x00\x0d" + b'{"max_age":0}' + b"/a"


def test_a_login_of_a_provider_that_promised_iss_says_so() -> None:
    provider = evolve(RP.provider, authorization_response_iss_parameter_supported=True)
    promised = evolve(RP, provider=provider)
    login = pending_login(promised, DEFAULT_REQUEST, SECRETS, NOW)

    assert octets(login, promised)[20:] == b"\x01"
    assert returned(octets(login, promised), RP).expects_iss is True
    assert returned(octets(pending()), promised).expects_iss is False


def test_a_promise_that_came_between_start_and_put_is_the_logins_own() -> None:
    """Metadata may be read again meanwhile: what was demanded at the start holds."""
    provider = evolve(RP.provider, authorization_response_iss_parameter_supported=True)
    promised = evolve(RP, provider=provider)
    login = pending_login(promised, DEFAULT_REQUEST, SECRETS, NOW)

    assert returned(octets(login, RP), RP) == login
    assert returned(octets(pending(), promised), promised) == pending()


@pytest.mark.parametrize("now", [0, 1, NOW, LATEST - 1, LATEST])
def test_a_clock_within_four_octets_is_kept(now: int) -> None:
    login = pending(now=now)

    assert login_of(opened(octets(login))).created_at == now
    assert returned(octets(login)) == login


@pytest.mark.parametrize("now", [-1, LATEST + 1, 10**18, -(10**18)])
def test_a_clock_beyond_is_the_applications_fault(now: int) -> None:
    logout = pending_logout(RP, LogoutRequest(), state="x", now=now)
    for write in (lambda: octets(pending(now=now)), lambda: logout_octets(BOX, RP, logout)):
        error = refused(UsageError, "config_invalid", write)
        assert (error.about, error.found) == ("clock", now)


def test_demands_that_cannot_even_be_written_down_are_too_large() -> None:
    largest = 2**16 - 1
    fits = largest - len('{"required_acr":[""]}')

    assert len(octets(pending(AuthenticationRequest(required_acr=(fits * "x",))))) == 23 + largest
    request = AuthenticationRequest(required_acr=((fits + 1) * "x",))
    error = refused(UsageError, "pending_too_large", lambda: octets(pending(request)))
    assert (error.found, error.expected) == (largest + 1, largest)


def test_where_endpoints_or_policy_are_others_the_login_says_so() -> None:
    began = returned(octets(pending()))
    moved, stricter = (returned(octets(pending()), SAME[name]) for name in ("endpoints", "policy"))

    assert began.connection == RP.connection
    assert moved.connection[:3] == stricter.connection[:3] == RP.connection[:3]
    now = SAME["endpoints"].connection
    assert moved.connection.endpoints_digest not in {now.endpoints_digest, ""}
    assert moved.connection.policy_digest == now.policy_digest
    now = SAME["policy"].connection
    assert stricter.connection.policy_digest not in {now.policy_digest, ""}
    assert stricter.connection.endpoints_digest == now.endpoints_digest
    assert evolve(moved, connection=RP.connection) == pending()


def test_a_login_is_made_again_under_the_key_that_sealed_it() -> None:
    rotating = SeedBox(b"a new sealing secret of 32 octets or so", SECRET)
    inside = opened(octets(pending()))

    assert pending_of(rotating, RP, inside, login_of(inside)) == pending()
    assert secrets_of(rotating, SEED_OCTETS, inside.key_id) == SECRETS
    assert secrets_of(rotating, SEED_OCTETS) != SECRETS


def test_the_secrets_of_a_seed_are_four_and_the_same_each_time() -> None:
    secrets = secrets_of(BOX, SEED_OCTETS)

    assert secrets == SECRETS
    assert secrets.binding == "AAECAwQFBgcICQoLDA0ODw"
    drawn = [
        secrets_of(box, bytes([number]) * SEED) for box in (BOX, OTHER_BOX) for number in (1, 2)
    ]
    each = [(one.state, one.nonce, one.code_verifier) for one in drawn]
    assert len({secret for three in each for secret in three}) == 12


# Records that another version might have written, sealed with the right key.
ODD: Final = {
    "empty": b"",
    "too short": bytes(20),
    "without the length of its demands": bytes(20) + b"\x02",
    "with half a length": bytes(20) + b"\x02\0",
    "return_to is no UTF-8": bytes(21) + b"/\xff",
    "demands are no UTF-8": bytes(20) + b"\x02\0\1\xff",
}
ODD_DEMANDS: Final = {
    "no JSON": b"x",
    "no object": b"[]",
    "another type": b'{"max_age":"1"}',
    "cut off": b'{"max_age":1',
    "surrogate": rb'{"sub":"\ud800"}',
}


@pytest.mark.parametrize("name", ODD)
def test_what_is_no_login_is_refused(name: str) -> None:
    error = refused(CallbackError, "cookie_invalid", lambda: login_of(opened(ODD[name])))

    assert error.about == "cookie"


@pytest.mark.parametrize("name", ODD_DEMANDS)
def test_demands_that_do_not_fit_are_refused(name: str) -> None:
    text = ODD_DEMANDS[name]
    written = octets(pending())[:20] + b"\x02" + len(text).to_bytes(2) + text

    error = refused(CallbackError, "cookie_invalid", lambda: returned(written))

    assert error.about == "cookie"


@given(st.binary(max_size=80))
def test_nothing_but_a_refusal_leaves_it_on_any_octets(octets: bytes) -> None:
    inside = opened(octets)
    for read in (
        lambda: pending_of(BOX, RP, inside, login_of(inside)),
        lambda: logout_of(BOX, RP, inside),
    ):
        try:
            read()
        except CallbackError as error:
            code = error.code
        else:
            code = ""
        assert code in {"", "cookie_invalid", "connection_mismatch"}


def test_what_a_cookie_says_does_not_show() -> None:
    request = AuthenticationRequest(nonce=22 * "n", account="user-7", return_to="/canary")
    kept = login_of(opened(octets(pending(request))))

    assert (kept.return_to, kept.created_at) == ("/canary", NOW)
    assert f"{kept!r} {kept}" == f"CookieLogin(created_at={NOW}) CookieLogin(created_at={NOW})"
    assert isinstance(kept, CookieLogin)


# --- logouts -------------------------------------------------------------------------------------


def logout(**asked: Any) -> PendingLogout:
    state = BOX.secret("logout state", SEED_OCTETS)
    return pending_logout(RP, LogoutRequest(**asked), state=state, now=NOW)


@pytest.mark.parametrize("uri", ["", *RP.client.post_logout_redirect_uris])
def test_a_logout_is_16_octets_wherever_it_returns_to(uri: str) -> None:
    begun = evolve(logout(), post_logout_redirect_uri=uri)
    written = logout_octets(BOX, RP, begun)
    kept = logout_kept(opened(written))

    assert (len(written), kept.identity, kept.created_at) == (16, identity_of(BOX, RP), NOW)
    assert written == b"".join((kept.identity, kept.returns_to, NOW.to_bytes(4)))
    assert isinstance(kept, CookieLogout)
    assert logout_of(BOX, RP, opened(written)) == begun


def test_a_logout_that_returns_to_what_is_registered_no_more_is_refused() -> None:
    client = evolve(RP.client, post_logout_redirect_uris=("https://rp.example/elsewhere",))
    written = logout_octets(BOX, RP, logout())

    error = refused(
        CallbackError,
        "connection_mismatch",
        lambda: logout_of(BOX, evolve(RP, client=client), opened(written)),
    )

    assert error.about == "client"


@pytest.mark.parametrize("name", OTHERS)
def test_a_logout_of_another_client_is_refused(name: str) -> None:
    written = logout_octets(BOX, RP, logout())

    error = refused(
        CallbackError, "connection_mismatch", lambda: logout_of(BOX, OTHERS[name], opened(written))
    )

    assert error.about == "client"


@pytest.mark.parametrize("written", [b"", bytes(15), bytes(17)])
def test_what_is_no_logout_is_refused(written: bytes) -> None:
    refused(CallbackError, "cookie_invalid", lambda: logout_of(BOX, RP, opened(written)))
    refused(CallbackError, "cookie_invalid", lambda: logout_kept(opened(written)))

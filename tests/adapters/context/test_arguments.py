"""Every public call with every wrong type: an error as a value or by its name, and nothing else."""

import inspect
import random
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final

import pytest

from oidc_adapters.context import (
    APIError,
    AuthServerError,
    OIDCCtx,
    check_id_token,
    flow_get_authorization_code,
    flow_get_token,
    flow_refresh_token,
    flow_request_authorization_code,
    flow_validate_id_token,
)
from oidc_adapters.context.arguments import OWN_NAMES, query_pairs
from oidc_adapters.runtime.entropy import FixedEntropy
from oidc_core.wire.errors import OidcError, UsageError
from tests.adapters.context.world import CLIENT, ISSUER, NOW, REDIRECT_URI, World


class Bare:
    """An object that has nothing."""


class FromElsewhere:
    """An iterable, mapping, callable and path that is none of these."""

    def __len__(self) -> int:
        return 1


class Failing:
    """An iterable whose values come out of a database that is gone."""

    def __iter__(self) -> Any:
        raise ConnectionError("the database")


class Lying(dict[str, str]):
    """A mapping that does not have what it names."""

    def __getitem__(self, name: str) -> str:
        raise KeyError(name)


class NoCall(dict[str, str]):
    """A mapping with something by the name of a multi-dict's method."""

    getlist = "hello"


class FailingCall(dict[str, str]):
    """A multi-dict that fails."""

    def getlist(self, name: str) -> list[str]:
        raise LookupError(name)


class FailingAttribute(dict[str, str]):
    """A mapping that fails as soon as it is asked what it has."""

    @property
    def getlist(self) -> object:
        raise RuntimeError


class Endless(dict[str, str]):
    """A mapping that fails when its names are listed."""

    def __iter__(self) -> Any:
        raise RecursionError


def awaited() -> object:
    return None


def takes_anything(*_: object) -> str:
    return "text"


VALUES: Final[list[object]] = [
    None,
    True,
    False,
    0,
    -1,
    370_132,
    1.5,
    float("nan"),
    10**40,
    2 + 1j,
    "",
    "a text",
    "\ud800",
    "a\x00b",
    "ä",
    70_000 * "x",
    b"",
    b"octets",
    bytearray(b"octets"),
    memoryview(b"octets"),
    (),
    ("a", "b"),
    (None,),
    [],
    ["login"],
    [["deep"]],
    [5],
    {},
    {"a": "b"},
    {"a": {"b": "c"}},
    {5: "c"},
    {b"code": b"c"},
    {"state": b"s", "code": b"c"},
    {"state": object()},
    {"state": ["s", None, 5], "code": [["c"]]},
    set(),
    {"a"},
    frozenset({5}),
    range(3),
    MappingProxyType({"state": "s"}),
    iter(["a"]),
    object(),
    object,
    Bare,
    Bare(),
    FromElsewhere(),
    NotImplemented,
    Ellipsis,
    ValueError("v"),
    APIError("state_expired"),
    AuthServerError("access_denied"),
    UsageError("config_invalid"),
    random.SystemRandom(),
    awaited,
    takes_anything,
]
WRONG: Final = tuple(VALUES)
IDS: Final = [f"{number}-{type(value).__name__}" for number, value in enumerate(WRONG)]
EACH_WRONG: Final = pytest.mark.parametrize("value", WRONG, ids=IDS)

FLOWS: Final[dict[Callable[..., object], dict[str, object]]] = {
    flow_request_authorization_code: {},
    flow_get_authorization_code: {"query": {"state": "s", "code": "c"}},
    flow_get_token: {"code": "a code"},
    flow_refresh_token: {"refresh_token": "a refresh token"},
    flow_validate_id_token: {"id_token": "a.b.c"},
    check_id_token: {"id_token": "a.b.c"},
}


def parameters_of(call: Callable[..., object]) -> list[str]:
    return [name for name in inspect.signature(call).parameters if name != "self"]


def outcome(call: Callable[..., object], arguments: dict[str, object]) -> object:
    """The result of a call for its arguments: an error that is not ours fails the test."""
    try:
        return call(**arguments)
    except OidcError as refusal:
        str(refusal)
        return refusal


@EACH_WRONG
@pytest.mark.parametrize(
    ("call", "parameter"),
    [(call, parameter) for call in FLOWS for parameter in parameters_of(call)],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_every_argument_of_every_flow_may_be_of_any_type(
    call: Callable[..., object], parameter: str, value: object
) -> None:
    ctx = SHARED.ctx
    result = outcome(call, {"ctx": ctx, **FLOWS[call], parameter: value})

    if call in {flow_get_authorization_code, flow_get_token, flow_refresh_token}:
        assert isinstance(result, APIError)
    elif call is flow_validate_id_token:
        assert result is False
    else:
        assert isinstance(result, str | OidcError)


@pytest.fixture(scope="module", autouse=True)
def _no_request_leaves() -> Any:
    """No call of this test asks a provider."""
    yield
    sent = {request.url for request, _ in SHARED.transport.exchanges}
    assert sent <= {ISSUER + "/.well-known/openid-configuration", ISSUER + "/jwks"}


SHARED: Final = World()
SETTINGS: Final[dict[str, object]] = {
    "issuer": ISSUER,
    "redirect_uri": REDIRECT_URI,
    "client_id": CLIENT.client_id,
    "client_secret": CLIENT.client_secret,
    "transport": SHARED.transport,
    "clock": SHARED.clock,
}


@pytest.mark.filterwarnings("ignore:the provider's TLS certificate")
@EACH_WRONG
@pytest.mark.parametrize("setting", parameters_of(OIDCCtx.__init__))
def test_every_setting_of_a_context_may_be_of_any_type(setting: str, value: object) -> None:
    if setting == "transport" and value is None:
        return  # then it would really connect
    result = outcome(OIDCCtx, {**SETTINGS, setting: value})

    assert isinstance(result, OIDCCtx | OidcError)
    if isinstance(result, UsageError):
        assert result.about in {*parameters_of(OIDCCtx.__init__), ""}
        return
    assert isinstance(result, OIDCCtx), result
    assert isinstance(outcome(flow_request_authorization_code, {"ctx": result}), str | OidcError)


@EACH_WRONG
@pytest.mark.parametrize("method", ["evidence", "claims"])
def test_the_methods_of_a_context_take_any_type(method: str, value: object) -> None:
    result = outcome(getattr(SHARED.ctx, method), {"id_token": value})

    assert result is None if method == "evidence" and isinstance(value, str) else True
    assert result is None or isinstance(result, OidcError)


@pytest.mark.parametrize(
    ("call", "arguments", "about"),
    [
        (flow_refresh_token, {"refresh_token": None}, "refresh_token"),
        (flow_refresh_token, {"refresh_token": b"x"}, "refresh_token"),
        (flow_refresh_token, {"refresh_token": "r", "id_token": 5}, "id_token"),
        (flow_get_token, {"code": APIError("state_expired")}, "code"),
        (flow_get_token, {"code": ["c"]}, "code"),
        (flow_get_token, {"ctx": None, "code": "c"}, "ctx"),
        (flow_get_authorization_code, {"query": "a=b"}, "query"),
        (flow_get_authorization_code, {"query": {5: "c"}}, "query"),
        (flow_get_authorization_code, {"query": {"code": b"c"}}, "query"),
        (flow_get_authorization_code, {"query": {"state": 10**5_000}}, "query"),
        (flow_get_authorization_code, {"query": {"state": ["s", -(10**5_000)]}}, "query"),
        (flow_get_authorization_code, {"query": Lying(state="s")}, "query"),
        (flow_get_authorization_code, {"query": NoCall(state="s")}, "query"),
        (flow_get_authorization_code, {"query": FailingCall(state="s")}, "query"),
        (flow_get_authorization_code, {"query": FailingAttribute(state="s")}, "query"),
        (flow_get_authorization_code, {"query": Endless(state="s")}, "query"),
        (flow_get_authorization_code, {"query": {}, "browser": 5}, "browser"),
    ],
)
def test_an_argument_of_another_type_is_an_error_value_that_names_it(
    call: Callable[..., object], arguments: dict[str, object], about: str
) -> None:
    result = call(**{"ctx": SHARED.ctx, **arguments})

    assert isinstance(result, APIError)
    assert result.error == "parameter_invalid"
    assert result.cause is not None
    assert result.cause.about == about


@pytest.mark.parametrize(
    ("wish", "value"),
    [
        ("prompt", ["login"]),
        ("prompt", ("login",)),
        ("nonce", b"n"),
        ("display", 5),
        ("ui_locales", ["de"]),
        ("id_token_hint", {}),
        ("login_hint", 5),
        ("acr_values", ["gold"]),
        ("pkce", 0),
        ("pkce", "no"),
        ("browser", b"b"),
    ],
)
def test_a_wish_of_another_type_is_refused_by_name(wish: str, value: object) -> None:
    wishes: dict[str, Any] = {wish: value}
    with pytest.raises(UsageError) as refusal:
        flow_request_authorization_code(SHARED.ctx, **wishes)

    assert (refusal.value.code, refusal.value.about) == ("parameter_invalid", wish)


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("issuer", None),
        ("redirect_uri", b"https://rp.example/"),
        ("client_id", 370_132),
        ("client_secret", ""),
        ("client_secret", b"octets"),
        ("scopes", None),
        ("scopes", b"openid"),
        ("scopes", ["openid", 5]),
        ("scopes", 5),
        ("scopes", ['"']),
        ("scopes", set),
        ("scopes", str),
        ("scopes", Failing()),
        ("scopes", (1 // scope for scope in (1, 0))),
        ("client_secret", str),
        ("client_secret", "\ufeffs"),
        ("verify", 0),
        ("verify", "no"),
        ("cacrt", 5),
        ("cacrt", ""),
        ("state_timeout_secs", "60"),
        ("state_timeout_secs", 1.5),
        ("state_timeout_secs", True),
        ("allowed_skew_secs", None),
        ("allowed_skew_secs", 300),
        ("key_refresh_secs", 0),
        ("random_device", random.SystemRandom()),
        ("random_device", Bare),
        ("pkce", None),
        ("decrypt", "a key"),
        ("refresh_unknown_logins", 1),
        ("insecure_allow_http_loopback", "yes"),
        ("transport", Bare()),
        ("clock", Bare()),
    ],
)
def test_a_setting_that_cannot_be_is_refused_by_the_name_it_has_here(
    setting: str, value: object
) -> None:
    settings: dict[str, Any] = {**SETTINGS, setting: value}
    with pytest.raises(UsageError) as refusal:
        OIDCCtx(**settings)

    assert (refusal.value.code, refusal.value.about) == ("config_invalid", setting)


def test_a_bad_authority_is_refused_by_the_name_it_has_here() -> None:
    settings: dict[str, Any] = {**SETTINGS, "transport": None, "cacrt": "no certificate"}
    with pytest.raises(UsageError) as refusal:
        OIDCCtx(**settings)

    assert (refusal.value.code, refusal.value.about) == ("config_invalid", "cacrt")


def test_all_own_names_are_parameters_of_the_context() -> None:
    assert {*OWN_NAMES.values()} <= {*parameters_of(OIDCCtx.__init__)}


@pytest.mark.parametrize("now", [None, 1.5, "now", True, 10**5_000, -(10**5_000)], ids=type)
def test_a_clock_that_tells_no_whole_seconds_is_refused(now: object) -> None:
    class Odd:
        def now(self) -> object:
            return now

    settings: dict[str, Any] = {**SETTINGS, "clock": Odd()}
    with pytest.raises(UsageError) as refusal:
        OIDCCtx(**settings)

    assert (refusal.value.code, refusal.value.about) == ("config_invalid", "clock")


@pytest.mark.parametrize("given", [None, "text", ("a", "b", "c", "d"), 5])
def test_a_random_device_that_gives_no_secrets_is_refused(given: object) -> None:
    class Odd:
        def login_secrets(self) -> object:
            return given

        def token(self) -> object:
            return given

    world = World(random_device=Odd())
    with pytest.raises(UsageError) as refusal:
        flow_request_authorization_code(world.ctx)

    assert refusal.value.code == "entropy_failure"
    elsewhere = World(random_device=FixedEntropy(5)).tokens()["id_token"]
    assert flow_validate_id_token(world.ctx, elsewhere) is False


def test_a_query_is_taken_as_it_is() -> None:
    assert query_pairs({"a": "b", "n": 5, "no": None, "l": ["x", "y"]}) == (
        ("a", "b"),
        ("n", "5"),
        ("l", "x"),
        ("l", "y"),
    )
    assert SHARED.clock.now() == NOW

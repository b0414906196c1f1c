"""Arguments of a wrong type, refused by name: Python itself would find them out deep inside."""

from collections.abc import Callable, Mapping
from os import PathLike, fspath
from types import MappingProxyType
from typing import Final, cast

from oidc_core.wire.errors import OidcError, UsageError

_SETTING: Final = "config_invalid"
_PARAMETER: Final = "parameter_invalid"

OWN_NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "leeway": "allowed_skew_secs",
        "login_lifetime": "state_timeout_secs",
        "key_set_max_age": "key_refresh_secs",
        "ca": "cacrt",
        "scope": "scopes",
        "redirect_uris": "redirect_uri",
        "issuer_rule": "issuer",
    }
)
"""The names of a context's settings further inside."""


def under_own_name(fault: UsageError) -> UsageError:
    """Let an error name the setting as the context names it."""
    fault.about = OWN_NAMES.get(fault.about, fault.about)
    return fault


def check_settings(given: Mapping[str, object], expected: Mapping[str, str]) -> None:
    """Refuse settings that are not what they are expected to be, by the names of :data:`KINDS`.

    ``given`` may have more members than expected.

    Raises:
        UsageError: ``config_invalid``.
    """
    _check(_SETTING, given, expected)


def check_parameters(given: Mapping[str, object], expected: Mapping[str, str]) -> None:
    """Refuse the arguments of a call, as :func:`check_settings` does.

    Raises:
        UsageError: ``parameter_invalid``.
    """
    _check(_PARAMETER, given, expected)


def _check(code: str, given: Mapping[str, object], expected: Mapping[str, str]) -> None:
    for name, kind in expected.items():
        value = given[name]
        if not KINDS[kind](value):
            found = "no text" if value == "" else type(value).__name__
            raise UsageError(code, about=name, found=found, expected=kind)


def _text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _any_text(value: object) -> bool:
    return isinstance(value, str)


def _text_or_none(value: object) -> bool:
    return value is None or isinstance(value, str)


def _call_or_none(value: object) -> bool:
    return value is None or callable(value)


def _secret(value: object) -> bool:
    return _text(value) or callable(value)


def _flag(value: object) -> bool:
    return isinstance(value, bool)


def _flag_or_none(value: object) -> bool:
    return value is None or isinstance(value, bool)


def _seconds(value: object) -> bool:
    return type(value) is int


def _path(value: object) -> bool:
    if value is None:
        return True
    path = fspath(cast("PathLike[str]", value)) if isinstance(value, PathLike) else value
    return _text(path)


def _with(*methods: str) -> Callable[[object], bool]:
    def has_them(value: object) -> bool:
        named = [getattr(value, method, None) for method in methods]
        return value is None or (not isinstance(value, type) and all(map(callable, named)))

    return has_them


KINDS: Final[Mapping[str, Callable[[object], bool]]] = MappingProxyType(
    {
        "text": _text,
        "text or nothing in it": _any_text,
        "text or None": _text_or_none,
        "text or a call": _secret,
        "a call or None": _call_or_none,
        "True or False": _flag,
        "True, False or None": _flag_or_none,
        "whole seconds": _seconds,
        "a path or PEM text": _path,
        "login_secrets() and token()": _with("login_secrets", "token"),
        "send()": _with("send"),
        "now()": _with("now"),
    }
)
"""The expected types of an argument, in the words of the errors."""


def scope_of(scopes: object) -> str:
    """Return scopes as they are sent, ``openid`` first if it is missing.

    Raises:
        UsageError: ``config_invalid`` for anything but texts.
    """
    if isinstance(scopes, str):
        wanted: list[object] = [*scopes.split()]
    elif isinstance(scopes, bytes | type) or not hasattr(scopes, "__iter__"):
        raise _no_scopes(scopes)
    else:
        try:
            wanted = [*cast("tuple[object, ...]", scopes)]
        except Exception as fault:
            raise _no_scopes(scopes) from fault
    for scope in wanted:
        if not isinstance(scope, str):
            raise _no_scopes(scope)
    missing = [] if "openid" in wanted else ["openid"]
    return " ".join(dict.fromkeys([*missing, *map(str, wanted)]))


def _no_scopes(found: object) -> UsageError:
    expected = "several texts"
    return UsageError(_SETTING, about="scopes", found=type(found).__name__, expected=expected)


def query_pairs(query: object) -> tuple[tuple[str, str], ...]:
    """Take any mapping; a parameter given twice stays so, for the core to refuse.

    Raises:
        UsageError: ``parameter_invalid`` for anything but a mapping from text to texts, and for one
            that fails when it is read.
    """
    if not isinstance(query, Mapping):
        raise _no_query(query)
    named = cast("Mapping[object, object]", query)
    try:
        return _pairs(named)
    except OidcError:
        raise
    except Exception as fault:
        raise _no_query(named) from fault


def _pairs(named: Mapping[object, object]) -> tuple[tuple[str, str], ...]:
    several: Callable[[object], object] | None = getattr(named, "getlist", None)
    found: list[tuple[str, str]] = []
    for name in named:
        value = named[name] if several is None else several(name)
        values = cast("tuple[object, ...]", value) if isinstance(value, list | tuple) else (value,)
        for one in values:
            if not isinstance(name, str) or not isinstance(one, str | int | None):
                raise _no_query(one if isinstance(name, str) else name)
            if one is not None:
                found.append((name, str(one)))
    return tuple(found)


def _no_query(found: object) -> UsageError:
    expected = "a mapping of texts"
    return UsageError(_PARAMETER, about="query", found=type(found).__name__, expected=expected)

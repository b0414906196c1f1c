"""Messages that are unusual and legal, around the tokens: a client has to accept them."""

import json
from collections.abc import Callable
from typing import Final

from attrs import evolve

from oidc_adapters.testing.misbehaviours.answers import AnswerChange, with_rendered_member
from oidc_adapters.testing.misbehaviours.changes import Changes, Deviation, Endpoint
from oidc_adapters.testing.misbehaviours.conditions import (
    PLAIN_USERINFO,
    Condition,
    During,
    always,
    of_client,
    of_policy,
)
from oidc_adapters.testing.parties import AuthorizationResponse, Members, Parameters
from oidc_adapters.testing.signing import is_array, is_object
from oidc_core.wire.http import HttpResponse

ENDPOINTS: Final[tuple[tuple[str, Endpoint, During, Condition], ...]] = (
    ("metadata", "discovery", "discovery", always),
    ("token", "token", "login", always),
    ("keys", "keys", "login", always),
    ("userinfo", "userinfo", "userinfo", PLAIN_USERINFO),
)
"""Each back-channel answer: its name, whose it is, and who meets it."""


def _metadata(
    name: str,
    summary: str,
    change: Callable[[Members], Members],
    *,
    when: Condition = always,
) -> Deviation:
    return Deviation(
        name=name,
        endpoint="discovery",
        during="discovery",
        summary=summary,
        changes=Changes(metadata=change),
        when=when,
    )


def _tokens(
    name: str,
    summary: str,
    change: Callable[[Members], Members],
    *,
    when: Condition = always,
) -> Deviation:
    return Deviation(
        name=name,
        endpoint="token",
        during="login",
        summary=summary,
        changes=Changes(tokens=change),
        when=when,
    )


def _userinfo(
    name: str,
    summary: str,
    change: Callable[[Members], Members],
    *,
    when: Condition = always,
) -> Deviation:
    return Deviation(
        name=name,
        endpoint="userinfo",
        during="userinfo",
        summary=summary,
        changes=Changes(userinfo=change),
        when=when,
    )


def _response(name: str, summary: str, change: Callable[[Parameters], Parameters]) -> Deviation:
    def changed(callback: AuthorizationResponse) -> AuthorizationResponse:
        return evolve(callback, parameters=change(callback.parameters))

    return Deviation(
        name=name,
        endpoint="authorization",
        during="login",
        summary=summary,
        changes=Changes(callback=changed),
    )


def _plus(name: str, value: object) -> Callable[[Members], Members]:
    return lambda members: {**members, name: value}


def _minus(*names: str) -> Callable[[Members], Members]:
    return lambda members: {name: members[name] for name in members if name not in names}


def _reversed(members: Members) -> Members:
    return {name: members[name] for name in reversed([*members])}


def _typed(media_type: str) -> AnswerChange:
    def change(answer: HttpResponse) -> HttpResponse:
        headers = [pair for pair in answer.headers if pair[0] != "content-type"]
        return evolve(answer, headers=(*headers, ("content-type", media_type)))

    return change


def _with_headers(answer: HttpResponse) -> HttpResponse:
    more = (("set-cookie", "a=b"), ("x-frame-options", "DENY"), ("link", "<https://x.example>"))
    return evolve(answer, headers=(*answer.headers, *more))


def _is_json(answer: HttpResponse) -> bool:
    """Return whether it is JSON, and no JWT."""
    return answer.body.startswith(b"{")


def _spaced(answer: HttpResponse) -> HttpResponse:
    """Indent it, and put white space of every kind around it."""
    if not _is_json(answer):
        return answer
    text = json.dumps(json.loads(answer.body), indent=4)
    return evolve(answer, body=b"\r\n\t " + text.encode("ascii") + b" \r\n")


def _escaped(answer: HttpResponse) -> HttpResponse:
    """Write every character of names and strings as an escape (RFC 8259 §7)."""

    def text(value: str) -> str:
        return '"' + "".join(f"\\u{ord(character):04X}" for character in value) + '"'

    def written(value: object) -> str:
        if isinstance(value, str):
            return text(value)
        if is_object(value):
            members = [f"{text(name)}:{written(each)}" for name, each in value.items()]
            return "{" + ",".join(members) + "}"
        if is_array(value):
            return "[" + ",".join(map(written, value)) + "]"
        return json.dumps(value)

    if not _is_json(answer):
        return answer
    return evolve(answer, body=written(json.loads(answer.body)).encode("ascii"))


_LESS: Final = of_policy(lambda policy: not policy.forbid_extra_scope)
"""A later answer may grant more than this one."""

_FORMS: Final[tuple[tuple[str, str, AnswerChange], ...]] = (
    ("charset", "names the charset", _typed("application/json; charset=UTF-8")),
    (
        "media_type_in_capitals",
        "writes the media type in capitals",
        _typed("Application/JSON;CHARSET=utf-8"),
    ),
    ("more_headers", "sends headers that nobody reads", _with_headers),
    ("white_space", "indents JSON and puts white space around it", _spaced),
    ("escapes", "escapes every character of JSON", _escaped),
    (
        "long_number",
        "sends a number of five thousand digits beside the rest",
        with_rendered_member("x_number", 5_000 * "9"),
    ),
    (
        "half_a_character",
        "sends half a character beside the rest",
        with_rendered_member("x_text", '"\\ud800"'),
    ),
    (
        "deep_member",
        "nests a member ten times",
        with_rendered_member("x_deep", 10 * "[" + 10 * "]"),
    ),
)

_ANSWERS: Final = tuple(
    [
        Deviation(
            name=f"{of}_{form}",
            endpoint=endpoint,
            during=during,
            summary=f"{summary} in its {of} answer",
            changes=Changes(answer=change),
            when=when,
        )
        for of, endpoint, during, when in ENDPOINTS
        for form, summary, change in _FORMS
    ]
)
_METADATA: Final = (
    _metadata("metadata_unknown_members", "adds members", _plus("x", {"y": [1, None]})),
    _metadata("metadata_nulls", "adds a member that is null", _plus("op_policy_uri", None)),
    _metadata("metadata_reversed", "writes its metadata backwards", _reversed),
    _metadata(
        "metadata_text_for_list",
        "writes a list of one as a text",
        _plus("token_endpoint_auth_methods_supported", "client_secret_basic"),
        when=of_client(
            lambda client: client.token_endpoint_auth_method in {None, "client_secret_basic"}
        ),
    ),
    _metadata(
        "metadata_empty_endpoint",
        "leaves an endpoint empty that nobody uses",
        _plus("registration_endpoint", ""),
    ),
    _metadata(
        "metadata_without_lists",
        "says little",
        _minus(
            "scopes_supported",
            "claims_supported",
            "acr_values_supported",
            "response_modes_supported",
        ),
    ),
    _metadata("metadata_odd_list", "announces numbers", _plus("claims_supported", [1, 2])),
    _metadata(
        "metadata_more_algs",
        "announces algorithms of tomorrow",
        lambda members: {
            **members,
            "id_token_signing_alg_values_supported": [
                *_texts(members["id_token_signing_alg_values_supported"]),
                "ML-DSA-44",
                "none",
            ],
        },
    ),
    _metadata(
        "metadata_not_ascii",
        "names documentation beyond ASCII",
        _plus("service_documentation", "https://docs.example/\u00e9"),
    ),
    _metadata("metadata_signed", "signs its metadata besides", _plus("signed_metadata", "a.b.c")),
    _metadata("metadata_inline_keys", "has keys in its metadata", _plus("jwks", {"keys": []})),
)
_RESPONSES: Final = (
    _response("response_reversed", "turns the parameters round", lambda pairs: pairs[::-1]),
    _response(
        "response_session_state",
        "adds session_state",
        lambda pairs: (*pairs, ("session_state", "a.b")),
    ),
    _response(
        "response_unknown_parameter",
        "adds a parameter of its own",
        lambda pairs: (("x", "\u00e9 &="), *pairs),
    ),
    _response(
        "response_unknown_twice",
        "adds a parameter of its own twice",
        lambda pairs: (("x", "1"), *pairs, ("x", "2")),
    ),
    _response("response_scope", "adds scope", lambda pairs: (*pairs, ("scope", "openid"))),
)
_TOKENS: Final = (
    _tokens("token_type_lower_case", "writes bearer", _plus("token_type", "bearer")),
    _tokens("token_type_upper_case", "writes BEARER", _plus("token_type", "BEARER")),
    _tokens("token_without_expires_in", "does not say when", _minus("expires_in")),
    _tokens("token_expires_in_text", "writes a number as text", _plus("expires_in", "300")),
    _tokens("token_expires_in_null", "says null", _plus("expires_in", None)),
    _tokens("token_expires_in_zero", "gives a token that ends at once", _plus("expires_in", 0)),
    _tokens("token_without_scope", "grants what was asked for", _minus("scope")),
    _tokens(
        "token_scope_list",
        "grants a list",
        _plus("scope", ["openid", "offline_access"]),
        when=_LESS,
    ),
    _tokens("token_scope_less", "grants less", _plus("scope", "openid"), when=_LESS),
    _tokens("token_scope_null", "grants null", _plus("scope", None), when=_LESS),
    _tokens("token_unknown_members", "adds members", _plus("ext_expires_in", 0)),
    _tokens("token_error_null", "says that there was no error", _plus("error", None)),
    _tokens("token_reversed", "writes its answer backwards", _reversed),
    _tokens("token_long_member", "adds a long member", _plus("not_before_policy", 9_000 * "x")),
)
_USERINFO: Final = (
    _userinfo("userinfo_only_sub", "says no more than sub", lambda said: {"sub": said["sub"]}),
    _userinfo(
        "userinfo_aud",
        "names another client without a signature",
        _plus("aud", "another"),
        when=PLAIN_USERINFO,
    ),
    _userinfo("userinfo_iss", "names itself", _plus("iss", "https://op.example")),
    _userinfo("userinfo_odd_email", "sends a number as e-mail address", _plus("email", 7)),
    _userinfo("userinfo_verified_text", "says true by a text", _plus("email_verified", "true")),
    _userinfo("userinfo_nulls", "says null about much", _plus("phone_number", None)),
    _userinfo(
        "userinfo_names_of_another",
        "tells names and e-mail address of another user",
        lambda said: {**said, "name": "Bob Brown", "email": "bob@op.example"},
    ),
    _userinfo("userinfo_groups", "names a hundred groups", _plus("groups", 100 * ["g"])),
    _userinfo("userinfo_protocol_claims", "says what an ID token says", _plus("nonce", "another")),
    _userinfo("userinfo_reversed", "writes UserInfo backwards", _reversed),
)


def _texts(value: object) -> list[object]:
    return [*value] if is_array(value) else []


ROWS: Final = (*_METADATA, *_RESPONSES, *_TOKENS, *_USERINFO, *_ANSWERS)

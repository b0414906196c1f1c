"""A provider whose ID tokens are not the JWS that was registered (RFC 7515, RFC 8725)."""

import json
from typing import Final

from oidc_adapters.testing.misbehaviours import forgeries
from oidc_adapters.testing.misbehaviours.changes import Changes, Misbehaviour
from oidc_adapters.testing.misbehaviours.conditions import (
    PLAIN_ID_TOKEN,
    SIGNATURES,
    Condition,
    always,
)
from oidc_adapters.testing.signing import JwtDraft, b64url, compact, rendered


def _row(
    name: str,
    code: str,
    summary: str,
    change: forgeries.JwtChange,
    *,
    when: Condition = always,
) -> Misbehaviour:
    return Misbehaviour(
        name=name,
        endpoint="token",
        during="login",
        code=code,
        summary=summary,
        changes=Changes(id_token=change),
        when=when,
    )


def _header(name: str, code: str, summary: str, member: str, value: object) -> Misbehaviour:
    return _row(name, code, summary, forgeries.with_header(member, value))


def _without_alg(draft: JwtDraft) -> str:
    header = {name: value for name, value in draft.header.items() if name != "alg"}
    return compact(rendered(header), rendered(dict(draft.claims)), draft.key)


def _parts(draft: JwtDraft) -> tuple[str, str, str]:
    protected, _, rest = draft.signed().partition(".")
    payload, _, signature = rest.partition(".")
    return protected, payload, signature


def _flattened(draft: JwtDraft) -> str:
    """Write it in the flattened JSON serialization (RFC 7515 §7.2.2)."""
    protected, payload, signature = _parts(draft)
    return json.dumps({"protected": protected, "payload": payload, "signature": signature})


def _general(draft: JwtDraft) -> str:
    """Write it in the general JSON serialization (RFC 7515 §7.2.1)."""
    protected, payload, signature = _parts(draft)
    signatures = [{"protected": protected, "signature": signature}]
    return json.dumps({"payload": payload, "signatures": signatures})


def _signature(cut: slice) -> forgeries.JwtChange:
    def change(draft: JwtDraft) -> str:
        signing_input, _, signature = draft.signed().rpartition(".")
        return f"{signing_input}.{signature[cut]}"

    return change


def _detached(draft: JwtDraft) -> str:
    header, _, rest = draft.signed().partition(".")
    return f"{header}..{rest.rpartition('.')[2]}"


def _as_jwe(draft: JwtDraft) -> str:
    """Claim to be encrypted: five parts, with the header of a JWE."""
    header = b64url(rendered({"alg": "RSA-OAEP", "enc": "A128GCM"}))
    return ".".join([header, *map(b64url, (b"key", b"iv", draft.signed().encode("ascii"), b"t"))])


_SERIALIZATION: Final = (
    _row(
        "id_token_flattened",
        "jws_malformed",
        "sends an ID token in the flattened JSON serialization",
        _flattened,
        when=PLAIN_ID_TOKEN,
    ),
    _row(
        "id_token_general",
        "jws_malformed",
        "sends an ID token in the general JSON serialization",
        _general,
        when=PLAIN_ID_TOKEN,
    ),
    _row(
        "id_token_line_feed",
        "jws_malformed",
        "sends an ID token with a line feed behind",
        lambda draft: draft.signed() + "\n",
        when=PLAIN_ID_TOKEN,
    ),
    _row(
        "id_token_four_parts",
        "jws_malformed",
        "sends an ID token of four parts",
        lambda draft: draft.signed() + ".e30",
        when=PLAIN_ID_TOKEN,
    ),
    _row(
        "id_token_of_dots",
        "jws_malformed",
        "sends a thousand dots as ID token",
        lambda _draft: 1_000 * ".",
        when=PLAIN_ID_TOKEN,
    ),
    _row(
        "id_token_base64",
        "base64url_malformed",
        "sends an ID token in the other alphabet of base64",
        lambda draft: "+/" + draft.signed(),
        when=PLAIN_ID_TOKEN,
    ),
    _row(
        "id_token_detached",
        "jws_malformed",
        "sends an ID token without a payload",
        _detached,
        when=PLAIN_ID_TOKEN,
    ),
    _row(
        "id_token_as_jwe",
        "encryption_unexpected",
        "encrypts the ID token though nobody registered that",
        _as_jwe,
        when=PLAIN_ID_TOKEN,
    ),
    _row(
        "id_token_signature_cut",
        "signature_length_mismatch",
        "sends half of a signature",
        _signature(slice(0, 40)),
        when=SIGNATURES,
    ),
    _row(
        "id_token_signature_empty",
        "jws_malformed",
        "sends an empty signature",
        _signature(slice(0)),
        when=PLAIN_ID_TOKEN,
    ),
    _row(
        "id_token_of_nothing",
        "iss_missing",
        "signs an object without members",
        forgeries.with_payload(b"{}"),
        when=PLAIN_ID_TOKEN,
    ),
    _row(
        "id_token_of_null",
        "json_not_object",
        "signs a null",
        forgeries.with_payload(b"null"),
    ),
    _row(
        "id_token_of_half_json",
        "json_malformed",
        "signs claims that break off",
        forgeries.with_payload(b'{"iss":'),
    ),
)
_HEADER: Final = (
    _row("id_token_no_alg", "alg_not_allowed", "names no algorithm", _without_alg),
    _header("id_token_alg_number", "alg_not_allowed", "names the algorithm 1", "alg", 1),
    _header("id_token_alg_unknown", "alg_not_allowed", "names no known algorithm", "alg", "XS256"),
    _header("id_token_alg_lower_case", "alg_not_allowed", "names es256", "alg", "es256"),
    _row(
        "alg_none_in_capitals",
        "alg_not_allowed",
        "says NONE and sends no signature",
        forgeries.unsigned_as("NONE"),
        when=PLAIN_ID_TOKEN,
    ),
    _row(
        "alg_none_in_mixed_case",
        "alg_not_allowed",
        "says NoNe and sends no signature",
        forgeries.unsigned_as("NoNe"),
        when=PLAIN_ID_TOKEN,
    ),
    _header("id_token_crit_empty", "crit_unsupported", "demands no extension at all", "crit", []),
    _header("id_token_crit_text", "crit_unsupported", "demands a text", "crit", "exp"),
    _row(
        "id_token_unencoded",
        "crit_unsupported",
        "says that the payload is not encoded",
        lambda draft: draft.with_header(b64=False, crit=["b64"]).signed(),
    ),
    _header("id_token_cty_jwt", "cty_unexpected", "says that a JWT is inside", "cty", "JWT"),
    _header("id_token_typ_number", "typ_unexpected", "names its kind by a number", "typ", 1),
    _header("id_token_typ_event", "typ_unexpected", "offers an event token", "typ", "secevent+jwt"),
    _header(
        "id_token_typ_long",
        "typ_unexpected",
        "offers an access token by its media type",
        "typ",
        "application/at+jwt",
    ),
    _header("id_token_typ_proof", "typ_unexpected", "offers a DPoP proof", "typ", "dpop+jwt"),
    _header("id_token_kid_list", "kid_malformed", "names its key by a list", "kid", ["a"]),
    _header("id_token_kid_long", "kid_malformed", "names its key at length", "kid", 2_000 * "k"),
)

ROWS: Final = (*_SERIALIZATION, *_HEADER)

"""Two published catalogues of tests for clients, each entry by its own name.

The value of an entry is what ``FakeProvider(misbehave=…)`` takes: misbehaviours, or what is odd but
legal; nothing for a provider that is as usual.  Entries about features that the library does not
have, and those that need more than a provider, are not here.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

Entries: TypeAlias = Mapping[str, tuple[str, ...]]

_OIDC: Final[dict[str, tuple[str, ...]]] = {
    "oidcc-client-test": (),
    "oidcc-client-test-client-secret-basic": (),
    "oidcc-client-test-discovery-issuer-mismatch": ("wrong_issuer",),
    "oidcc-client-test-discovery-jwks-uri-keys": (),
    "oidcc-client-test-discovery-openid-config": (),
    "oidcc-client-test-form-post-error": ("login_required",),
    "oidcc-client-test-idtoken-sig-none": ("alg_none",),
    "oidcc-client-test-idtoken-sig-rs256": (),
    "oidcc-client-test-invalid-athash": ("wrong_at_hash",),
    "oidcc-client-test-invalid-aud": ("wrong_aud",),
    "oidcc-client-test-invalid-iss": ("id_token_wrong_iss",),
    "oidcc-client-test-invalid-sig-es256": ("bad_signature",),
    "oidcc-client-test-invalid-sig-hs256": ("bad_signature",),
    "oidcc-client-test-invalid-sig-rs256": ("bad_signature",),
    "oidcc-client-test-kid-absent-multiple-jwks": ("no_kid_and_many_keys",),
    "oidcc-client-test-kid-absent-single-jwks": ("no_kid",),
    "oidcc-client-test-missing-aud": ("no_aud",),
    "oidcc-client-test-missing-iat": ("no_iat",),
    "oidcc-client-test-missing-sub": ("no_sub",),
    "oidcc-client-test-nonce-invalid": ("wrong_nonce",),
    "oidcc-client-test-nonce-unless-code-flow": (),
    "oidcc-client-test-refresh-token": (),
    "oidcc-client-test-refresh-token-invalid-issuer": ("refresh_other_iss",),
    "oidcc-client-test-refresh-token-invalid-sub": ("refresh_other_sub",),
    "oidcc-client-test-rp-backchannel-rpinitlogout": (),
    "oidcc-client-test-rp-backchannel-rpinitlogout-alg-none": ("logout_alg_none",),
    "oidcc-client-test-rp-backchannel-rpinitlogout-no-event": ("logout_no_event",),
    "oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce": ("logout_with_nonce",),
    "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg": ("logout_other_alg",),
    "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-aud": ("logout_other_aud",),
    "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-event": ("logout_other_event",),
    "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-iss": ("logout_other_iss",),
    "oidcc-client-test-scope-userinfo-claims": (),
    "oidcc-client-test-userinfo-bearer-header": (),
    "oidcc-client-test-userinfo-invalid-sub": ("userinfo_other_sub",),
    "oidcc-client-test-userinfo-signed": (),
}
_FAPI: Final[dict[str, tuple[str, ...]]] = {
    "discovery-issuer-mismatch": ("wrong_issuer",),
    "invalid-alternate-alg": ("unexpected_alg",),
    "invalid-aud": ("wrong_aud",),
    "invalid-expired-exp": ("expired",),
    "invalid-iss": ("id_token_wrong_iss",),
    "invalid-missing-aud": ("no_aud",),
    "invalid-missing-exp": ("no_exp",),
    "invalid-missing-iss": ("id_token_no_iss",),
    "invalid-missing-nonce": ("no_nonce",),
    "invalid-nonce": ("wrong_nonce",),
    "invalid-null-alg": ("alg_none",),
    "invalid-secondary-aud": ("extra_audience",),
    "valid-aud-as-array": ("aud_list_of_one",),
}
"""The modules that both plans have."""

_FAPI_1: Final[dict[str, tuple[str, ...]]] = {
    "encrypted-idtoken": (),
    "encrypted-idtoken-usingrsa15": ("jwe_rsa1_5",),
    "iat-is-week-in-past": ("week_old",),
    "invalid-signature": ("bad_signature",),
    "missing-athash": ("no_login_at_hash",),
    "no-scope-in-token-endpoint-response": ("token_without_scope", "token_without_expires_in"),
}
_FAPI_2: Final[dict[str, tuple[str, ...]]] = {
    "ensure-authorization-response-with-invalid-missing-state-fails": ("no_state",),
    "ensure-authorization-response-with-invalid-state-fails": ("wrong_state",),
    "invalid-authorization-response-iss": ("wrong_iss",),
    "remove-authorization-response-iss": ("no_iss",),
    "token-endpoint-response-without-expires_in": ("token_without_expires_in",),
    "token-type-case-insensitivity": ("token_type_upper_case",),
}


def _named(prefix: str, entries: Entries) -> Entries:
    return {f"{prefix}-{name}": rows for name, rows in entries.items()}


SUITE: Final[Entries] = MappingProxyType(
    {
        **_OIDC,
        **_named("fapi1-advanced-final-client-test", {**_FAPI, **_FAPI_1}),
        **_named("fapi2-security-profile-final-client-test", {**_FAPI, **_FAPI_2}),
    }
)
"""Modules of the OpenID Foundation's conformance suite (5.2.4) for clients, of features we have."""

_FORMS: Final = (
    "hs256_with_public_key",
    "hs256_with_pem_without_end",
    "hs256_with_pem_in_one_line",
    "hs256_with_pem_body",
    "hs256_with_pem_body_in_lines",
    "hs256_with_pem_with_carriage_returns",
    "hs256_with_pkcs1_pem",
    "hs256_with_pkcs1_pem_without_end",
    "hs256_with_pkcs1_pem_in_one_line",
    "hs256_with_pkcs1_body",
    "hs256_with_der",
    "hs256_with_pkcs1_der",
    "hs256_with_der_in_base64url",
    "hs256_with_jwk_with_spaces",
)
_NUMBERED: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "ID Spoofing": (
        ("sub_of_victim",),
        ("id_token_wrong_iss",),
        ("victim_of_another",),
        ("id_token_no_iss",),
        ("id_token_iss_empty",),
        ("userinfo_other_sub", "userinfo_other_iss"),
        ("userinfo_names_of_another",),
        ("userinfo_duplicate_sub",),
        ("userinfo_duplicate_sub_last",),
        ("userinfo_sub_in_array",),
        ("userinfo_sub_of_two",),
        ("header_sub",),
    ),
    "Replay": (
        ("expired",),
        ("exp_negative",),
        ("iat_in_future",),
        ("week_old",),
        ("wrong_nonce",),
        ("no_nonce",),
    ),
    "Signature Manipulation": (
        ("bad_signature",),
        ("alg_none",),
        ("alg_none_with_signature",),
        ("alg_none_in_mixed_case",),
    ),
    "Token Recipient Confusion": (("no_aud",), ("wrong_aud",), ("aud_at_honest_provider",)),
    "Token Substitution": (("wrong_at_hash",), ("c_hash_of_no_flow",)),
}
_CONFUSION: Final[dict[str, tuple[str, ...]]] = {
    "1": ("embedded_key",),
    "1.1": ("embedded_key_by_uri",),
    "2": ("jku_of_stranger",),
    "2.1": ("jku_stranger_first",),
    "2.2": ("jku_stranger_last",),
    "2.3": ("jku_of_stranger", "embedded_key"),
    "2.4": ("jku_stranger_first", "embedded_key"),
    "2.5": ("jku_stranger_last", "embedded_key"),
    "3": ("x5u_of_stranger",),
    "4": ("x5c_of_stranger",),
    "4.1": ("x5c_stranger_first",),
    "4.2": ("x5c_stranger_last",),
    "5": ("kid_is_uri",),
    "5.1": ("kid_is_jwk",),
    **{f"7.{number}": (name,) for number, name in enumerate(_FORMS, 1)},
    "8": ("hs256_with_exponent",),
    "9": ("hs256_with_modulus",),
    "10": ("hs256_with_kty",),
    "11": ("hs256_with_alg",),
    "12": ("hs256_with_jwk",),
    "13": ("embedded_secret",),
}

PROFESSOS: Final[Entries] = MappingProxyType(
    {
        **{
            f"{group} {number}": rows
            for group, steps in _NUMBERED.items()
            for number, rows in enumerate(steps, 1)
        },
        **{f"Key Confusion {number}": rows for number, rows in _CONFUSION.items()},
        "CSRF 1": ("wrong_state",),
        "CSRF 3": ("no_state",),
        "Issuer Confusion": ("wrong_issuer",),
    }
)
"""Steps of PrOfESSOS (2021) for relying parties."""

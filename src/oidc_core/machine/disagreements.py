"""Where a token is not as it was registered: which member of the registration to set.

Client and provider have to agree on how each kind of token is signed and encrypted, and only the
client's developer can make them agree.  So the refusal of a token that is otherwise what it should
be names the member, what the provider does, and where the expectation comes from.

Only what the refusal says is decided here: whether a token is refused was decided before.
"""

from typing import Final

from oidc_core.jose.algorithms import HMAC
from oidc_core.jose.jws import header_members
from oidc_core.jose.profiles import JwtProfile
from oidc_core.model.relying_party import RelyingParty
from oidc_core.wire.errors import ProtocolViolation
from oidc_core.wire.facts import shown_names
from oidc_core.wire.http import Source

_NAMED: Final = 64
"""How many characters of an unverified name in a header are shown."""


def signed_as(profile: JwtProfile) -> str:
    """Return the member with the signature algorithm of this kind of token."""
    return f"{profile.registered_as}_signed_response_alg"


def encrypted_as(profile: JwtProfile) -> str:
    """Return the member that says how this kind of token is encrypted."""
    return f"{profile.registered_as}_encrypted_response_alg"


def encryption_of(token: str) -> str:
    """Return ``alg`` and ``enc`` of a compact JWE, or an empty string for another text."""
    if token.count(".") != 4:
        return ""
    return _header(token, "alg", "enc")


def signature_of(token: str) -> str:
    """Return the ``alg`` of a compact JWS, or an empty string for another text."""
    return _header(token, "alg") if token.count(".") == 2 else ""


def _header(token: str, *names: str) -> str:
    try:
        members = header_members(token.partition(".")[0].encode("utf-8", "surrogatepass"))
    except ProtocolViolation:
        return ""
    values = [members.get(name) for name in names]
    told = [value[:_NAMED] for value in values if isinstance(value, str)]
    return " ".join(shown_names(told)) if len(told) == len(names) else ""


def explained(
    rp: RelyingParty,
    profile: JwtProfile,
    refusal: ProtocolViolation,
    token: str,
    source: Source,
) -> ProtocolViolation:
    """Return the refusal of a token, which names the member to set where one would help.

    Args:
        rp: the relying party.
        profile: the kind of token.
        refusal: its refusal.
        token: the token.
        source: whether the provider itself has just sent it.
    """
    signed, encrypted = signed_as(profile), encrypted_as(profile)
    match refusal.code:
        case "jws_malformed" if encryption_of(token):
            return unexpected_encryption(profile, encryption_of(token))
        case "encryption_missing":
            hint = f"the provider does not encrypt: register {encrypted} with it too, or unset it"
            return _naming(refusal, encrypted, hint)
        case "encryption_mismatch":
            return _naming(
                refusal, encrypted, f"set {encrypted}, and its _enc, to the found values"
            )
        case "signature_missing":
            return _naming(refusal, signed, f"the provider must sign first: register {signed}")
        case "cty_unexpected" if isinstance(refusal.found, str):
            return signed_too(profile)
        case "alg_not_allowed" if isinstance(refusal.expected, tuple):
            return _algorithm(rp, profile, refusal, source)
        case "signature_invalid" if rp.protection[profile.registered_as].algorithms <= HMAC:
            hint = "forged, or signed with a secret that differs from client_secret: compare both"
            return _naming(refusal, "client_secret", hint)
        case _:
            return refusal


def unexpected_encryption(profile: JwtProfile, found: str) -> ProtocolViolation:
    """Return the refusal of a token that is encrypted though that was not registered."""
    member = encrypted_as(profile)
    hint = f"the provider encrypts: set {member}, and its _enc, to the found values"
    return ProtocolViolation(
        "encryption_unexpected", found=found, about=member, of=profile.name, hint=hint
    )


def signed_too(profile: JwtProfile) -> ProtocolViolation:
    """Return the refusal of a signed token where only encryption was registered."""
    member = signed_as(profile)
    hint = f"the provider also signs: set {member} to its algorithm"
    return ProtocolViolation(
        "cty_unexpected", found="JWT", about=member, of=profile.name, hint=hint
    )


def _naming(refusal: ProtocolViolation, member: str, hint: str) -> ProtocolViolation:
    refusal.about, refusal.hint = member, hint
    return refusal


def _algorithm(
    rp: RelyingParty, profile: JwtProfile, refusal: ProtocolViolation, source: Source
) -> ProtocolViolation:
    """Say where the list of algorithms comes from that this one is not in."""
    member, found, policy = signed_as(profile), refusal.found, rp.policy.algorithms
    if not refusal.expected:
        refusal.expected = None
    if found not in profile.algorithms:
        hint = "the library verifies no signature of that name for this kind of token"
        return _naming(refusal, member, hint)
    registered = rp.client.signed_with(profile.registered_as)
    if registered is not None:
        refusal.cause = "registration"
        return _naming(refusal, member, f"the client registered {registered}: correct {member}")
    listing = f"{profile.registered_as}_signing_alg_values_supported"
    listed: tuple[str, ...] = getattr(rp.provider, listing, ())
    if found in HMAC or found not in policy:
        refusal.cause = "policy"
        also = "" if found in HMAC else ", or name it in Policy.algorithms"
        return _naming(
            refusal, member, f"if the client is registered so, set {member}={found}{also}"
        )
    refusal.cause = "metadata"
    where = (
        f"{listing} lists {' '.join(shown_names(listed))}"
        if listed
        else f"without {listing} it is RS256"
    )
    if source == "solicited" and rp.discovered:
        refusal.retryable, refusal.kind = "restart", "stale"
        hint = f"{where}; the client reads the metadata again: start a new login"
    else:
        hint = f"{where}; if the client is registered so, set {member}={found}"
    return _naming(refusal, member, hint)

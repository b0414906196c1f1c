"""The defences, each with the smallest set that leaves it alone, and with what it keeps off."""

from typing import Final, TypeAlias

from attrs import frozen

Setting: TypeAlias = tuple[str, object]
"""A member of the settings of an attack, with its value."""


@frozen(kw_only=True)
class Defence:
    """A defence that is left alone.

    Attributes:
        name: of the defence.
        checks: those that are the defence.
        others: the smallest set of other checks that have to be emptied.
        weaker: what the honest provider does less than it should, by setting of the attack.
        weaker_without: what it does less where the defence is the provider's own.
        scene: the layout and the store of the attack.
        attack: in words.
        invariants: one of them breaks without the defence.
        moves: the rules that the attack is made of; users begin logins besides.
        lies: what the hostile provider may say wrongly.
        at_both: whether users also log in at the hostile provider.
    """

    name: str
    checks: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    weaker: tuple[Setting, ...] = ()
    weaker_without: tuple[Setting, ...] = ()
    scene: tuple[Setting, ...]
    attack: str
    invariants: tuple[str, ...]
    moves: tuple[str, ...]
    lies: tuple[str, ...] = ()
    at_both: bool = False


_OWN: Final = (("layouts", ("own path",)), ("stores", ("memory",)))
_SHARED: Final = (("layouts", ("shared path",)), ("stores", ("memory",)))
_NO_PKCE: Final = ("pkce", "ignored")
_INTEGRITY: Final = ("session integrity",)

DEFENCES: Final = (
    Defence(
        name="state",
        checks=("state",),
        others=("look-up by state", "nonce"),
        weaker=(_NO_PKCE,),
        scene=_OWN,
        attack="the attacker's response in a browser that waits for its own",
        invariants=_INTEGRITY,
        moves=("inject",),
    ),
    Defence(
        name="browser binding",
        checks=("browser binding",),
        scene=_OWN,
        attack="the attacker's response in another browser",
        invariants=_INTEGRITY,
        moves=("inject",),
    ),
    Defence(
        name="nonce",
        checks=("nonce",),
        weaker=(_NO_PKCE,),
        scene=_OWN,
        attack="a stolen code in a login of the attacker",
        invariants=_INTEGRITY,
        moves=(
            "read_answer",
            "splice_code",
            "inject",
        ),
    ),
    Defence(
        name="PKCE",
        others=("nonce",),
        scene=_OWN,
        weaker_without=(_NO_PKCE,),
        attack="a stolen code in a login of the attacker",
        invariants=_INTEGRITY,
        moves=(
            "read_answer",
            "splice_code",
            "inject",
        ),
    ),
    Defence(
        name="issuer, of the callback",
        checks=("iss of the callback",),
        scene=_SHARED,
        attack="a mix-up: the honest provider's code goes to the hostile one",
        invariants=("issuer", "code confinement"),
        moves=("arrive", "readdress_request", "inject_request"),
        at_both=True,
    ),
    Defence(
        name="issuer, of the ID token",
        checks=("iss",),
        scene=_OWN,
        attack="the hostile provider speaks for the honest one",
        invariants=("issuer",),
        moves=("arrive", "lie_once"),
        at_both=True,
        lies=("issuer", "subject"),
    ),
    Defence(
        name="signature",
        checks=("signature",),
        scene=_OWN,
        attack="a token that is signed with another key",
        invariants=("signature",),
        moves=(
            "forge_signature",
            "post",
        ),
    ),
    Defence(
        name="key selection",
        checks=("key selection",),
        scene=_OWN,
        attack="a token signed with a key for encryption, or another than it names",
        invariants=("key selection",),
        moves=("arrive", "sign"),
        at_both=True,
    ),
    Defence(
        name="audience",
        checks=("aud",),
        others=("azp",),
        scene=_OWN,
        attack="an ID token for another client",
        invariants=("audience",),
        moves=("arrive", "lie_once"),
        at_both=True,
        lies=("audience", "subject"),
    ),
    Defence(
        name="audience, of a logout token",
        checks=("aud",),
        others=("addressee of a logout",),
        scene=_OWN,
        attack="a logout token for another client",
        invariants=("audience",),
        moves=(
            "end_at_own_application",
            "post",
        ),
    ),
    Defence(
        name="at_hash",
        checks=("at_hash",),
        scene=_OWN,
        attack="an ID token about another access token",
        invariants=("at_hash",),
        moves=("arrive", "lie_once"),
        at_both=True,
        lies=("at_hash", "subject"),
    ),
    Defence(
        name="single use",
        checks=("take once",),
        others=("cookie cleared",),
        scene=_OWN,
        attack="a callback that is opened again",
        invariants=("single use",),
        moves=("arrive", "reload"),
    ),
    Defence(
        name="expiry, of a login",
        checks=("login lifetime",),
        others=("lifetime in the store",),
        scene=_OWN,
        attack="a callback that comes too late",
        invariants=("expiry",),
        moves=("arrive", "wait"),
    ),
    Defence(
        name="expiry, of an ID token",
        checks=("exp",),
        scene=_OWN,
        attack="an ID token of two hours ago",
        invariants=("expiry",),
        moves=("arrive", "lie_once"),
        at_both=True,
        lies=("expired", "subject"),
    ),
    Defence(
        name="redirect_uri",
        checks=("redirect_uri",),
        others=("route by redirect_uri", "iss of the callback"),
        scene=_OWN,
        attack="a mix-up: a response at the redirect URI of another provider",
        invariants=("redirect_uri", "code confinement"),
        moves=("arrive", "readdress_request", "inject_request"),
        at_both=True,
    ),
    Defence(
        name="UserInfo sub",
        checks=("UserInfo sub",),
        scene=_OWN,
        attack="UserInfo about another user",
        invariants=("UserInfo sub",),
        moves=("arrive", "lie_in_userinfo"),
        at_both=True,
    ),
    Defence(
        name="logout token",
        checks=("logout event",),
        scene=_OWN,
        attack="a signed token that is about no logout",
        invariants=("logout token",),
        moves=(
            "forge_claims",
            "post",
        ),
    ),
    Defence(
        name="ended session, before its login",
        checks=("logout before a login",),
        scene=_OWN,
        attack="a login that was begun before its session ended",
        invariants=("ended session",),
        moves=("arrive", "end_at_provider", "deliver", "wait"),
    ),
    Defence(
        name="ended session, of a grant",
        checks=("end of the grant",),
        scene=_OWN,
        attack="a refresh after the provider ended the session",
        invariants=("ended grant",),
        moves=(
            "end_at_provider",
            "deliver",
            "use",
        ),
    ),
)

NAMED: Final = {defence.name: defence for defence in DEFENCES}
"""By name."""

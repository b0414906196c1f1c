"""``oidc token``, ``whoami``, ``refresh`` and ``logout``: the uses of a login that was kept."""

from oidc_adapters.cli.commands import Logout, Refresh, Token, WhoAmI
from oidc_adapters.cli.keeping import Keeping, Profile, client_of
from oidc_adapters.cli.layout import Page
from oidc_adapters.cli.login import indented
from oidc_adapters.cli.message_parts import claim_facts
from oidc_adapters.cli.redaction import without_secrets
from oidc_adapters.cli.times import date_text, distance_text
from oidc_adapters.cli.world import World
from oidc_core.model.records import Tokens
from oidc_core.wire.errors import OidcError, StoreFailure, UsageError
from oidc_core.wire.jsontypes import JsonObject


def token(command: Token, world: World) -> int:
    """Print a fresh access token, and nothing else on standard output.

    Raises:
        OidcError: no token can be had; see its ``hint``.
    """
    keeping = Keeping(command.kept, world)
    profile = keeping.profile()
    with client_of(profile, keeping, world) as client:
        tokens = client.tokens(profile.grant_id).fresh(command.leeway)
    if not command.json:
        world.out.write(tokens.access_token + "\n")
        return 0
    told = {
        "access_token": tokens.access_token,
        "expires_at": tokens.expires_at,
        "scope": tokens.scope,
        "issuer": tokens.issuer,
        "client_id": tokens.client_id,
    }
    world.out.write(indented(JsonObject(told)))
    return 0


def whoami(command: WhoAmI, world: World) -> int:
    """Say who is logged in, by the kept login or by UserInfo.

    Raises:
        OidcError: nobody is; see its ``hint``.
    """
    keeping = Keeping(command.kept, world)
    profile, page = keeping.profile(), Page(world.out, world.environ)
    told = _known(profile)
    if command.userinfo:
        with client_of(profile, keeping, world) as client:
            tokens = client.tokens(profile.grant_id).fresh()
            claims = client.userinfo(tokens).userinfo.claims
        told = JsonObject({**told.members, "userinfo": without_secrets("", claims)})
    if command.json:
        world.out.write(indented(told))
        return 0
    since = f"{date_text(profile.since)}, {distance_text(profile.since, world.clock.now())}"
    who = f"{profile.title} ({profile.subject})" if profile.title else profile.subject
    page.facts(
        [
            ("user", who),
            ("issuer", profile.issuer),
            ("client", profile.client_id),
            ("since", since),
            ("tokens in", profile.store),
        ],
        indent=0,
    )
    userinfo = told.get("userinfo")
    if isinstance(userinfo, JsonObject):
        page.line()
        page.line("UserInfo", style="dim")
        page.facts(claim_facts(userinfo), indent=2)
    return 0


def _known(profile: Profile) -> JsonObject:
    return JsonObject(
        {
            "sub": profile.subject,
            "name": profile.title,
            "issuer": profile.issuer,
            "client_id": profile.client_id,
            "since": profile.since,
            "store": profile.store,
        }
    )


def refresh(command: Refresh, world: World) -> int:
    """Exchange the refresh token now, unless it was exchanged some seconds ago.

    Raises:
        UsageError: ``refresh_token_missing``.
        OidcError: it cannot be exchanged; see its ``hint``.
    """
    keeping = Keeping(command.kept, world)
    profile = keeping.profile()
    with client_of(profile, keeping, world) as client:
        session = client.tokens(profile.grant_id)
        before = session.fresh(0)
        if before.refresh_token is None:
            raise UsageError("refresh_token_missing")
        said = "Refreshed"
        try:
            after = session.fresh(refused=before.access_token)
        except StoreFailure as young:
            if young.code != "token_refused":
                raise
            said, after = "It is new already", before
    page = Page(world.out, world.environ)
    page.line(f"{said}; the access token {_expires(after, world.clock.now())}.")
    return 0


def _expires(tokens: Tokens, now: int) -> str:
    if tokens.expires_at is None:
        return "has no expiry that the provider told"
    return f"expires {distance_text(tokens.expires_at, now)}"


def logout(command: Logout, world: World) -> int:
    """Forget a login, revoke its tokens, and end the provider's session if that is asked for.

    Raises:
        StoreFailure: it may not have ended; try again.
        OidcError: it has ended here; why the provider does not know.
    """
    keeping = Keeping(command.kept, world)
    profile, page = keeping.profile(), Page(world.out, world.environ)
    with client_of(profile, keeping, world) as client:
        try:
            redirect = client.start_logout(session=profile.grant_id)
        except StoreFailure:
            raise
        except OidcError:
            keeping.forget()
            page.line("Logged out on this machine only; the provider was not told.")
            raise
    keeping.forget()
    page.line("Logged out.")
    for note in redirect.notes:
        page.verdict("!", note, "", style="warn")
    if command.browser:
        # Its URL has an ID token in it: it is opened and never printed.
        opened = bool(redirect.url) and world.open_page(redirect.url)
        said = "The browser shows" if opened else "No browser could be opened at"
        page.line(f"{said} the provider's page for the end of its session.")
    return 0

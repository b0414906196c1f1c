"""``oidc login``: log in at a real provider and print the verified claims as JSON."""

import json

from attrs import evolve

from oidc_adapters.cli.commands import Login
from oidc_adapters.cli.keeping import Keeping, Profile, client_of, profile_of
from oidc_adapters.cli.layout import Page
from oidc_adapters.cli.real_login import log_in
from oidc_adapters.cli.redaction import without_secrets
from oidc_adapters.cli.step_list import StepList
from oidc_adapters.cli.world import World
from oidc_core.operations.logged_in import LoggedIn
from oidc_core.wire.errors import OidcError
from oidc_core.wire.jsontypes import JsonValue, render


def login(command: Login, world: World) -> int:
    """Log in; standard output has the claims and nothing else."""
    page = Page(world.err, world.environ)
    keeping = Keeping(command.kept, world) if command.store else None
    if keeping is not None:
        keeping.tokens(command.store)  # so that a wrong store is told before the user signs in
    logged_in = log_in(command.provider, world, StepList(), page)
    for note in logged_in.notes:
        page.verdict("!", note, "", style="warn")
    if keeping is not None:
        _keep(command, logged_in, keeping, world, page)
        _tell_kept(command, logged_in, keeping, page)
    world.out.write(indented(without_secrets("", logged_in.claims)))
    return 0


def _keep(command: Login, logged_in: LoggedIn, keeping: Keeping, world: World, page: Page) -> None:
    """Keep the tokens, and only then the profile that leads to them."""
    replaced = _former(keeping)
    profile = profile_of(command.provider, command.store, world.clock.now())
    with client_of(profile, keeping, world) as client:
        grant_id = client.keep(logged_in.tokens)
    title = next((logged_in.claims[name] for name in _TITLES if name in logged_in.claims), "")
    keeping.keep(
        evolve(
            profile,
            grant_id=grant_id,
            subject=logged_in.identity.subject,
            title=title if isinstance(title, str) else "",
        )
    )
    if replaced is not None:
        try:
            with client_of(replaced, keeping, world) as client:
                client.tokens(replaced.grant_id).end()
        except OidcError as fault:  # as of a secret that is no longer where it was
            text = f"the tokens of the login before are still kept: {fault.code} ({fault.about})"
            page.verdict("!", text, "", style="warn")


_TITLES = ("name", "preferred_username", "email")


def _former(keeping: Keeping) -> Profile | None:
    """Return the login that the new one replaces; one that cannot be read is in nobody's way."""
    try:
        return keeping.profile()
    except OidcError:
        return None


def _tell_kept(command: Login, logged_in: LoggedIn, keeping: Keeping, page: Page) -> None:
    where = "the keyring" if command.store == "keyring" else f"files below {keeping.folder}"
    page.line(f"Kept as {command.kept.profile}, in {where}. An access token: oidc token.")
    if logged_in.tokens.refresh_token is None:
        text = "there is no refresh token: the login ends with its access token"
        page.verdict("!", f"{text}; --scope with offline_access may bring one", "", style="warn")
    page.flush()


def indented(value: JsonValue) -> str:
    """Return JSON for programs and for eyes, with a line feed at its end."""
    return json.dumps(json.loads(render(value)), indent=2) + "\n"

"""Logins that are kept on this machine: the facts of each, its tokens, and where both are.

The facts are in files of a folder of this user alone; the tokens are there too, or in the keyring
of the desktop, sealed with a secret of that same place.
"""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from attrs import asdict, frozen

from oidc_adapters.cli.arguments import secret_at
from oidc_adapters.cli.commands import Kept, RealProvider, Store
from oidc_adapters.cli.progress import ProgressTransport
from oidc_adapters.cli.world import World
from oidc_adapters.clients.calls import development_logins
from oidc_adapters.clients.client_setup import ClientSetup
from oidc_adapters.clients.oidc_client import OidcClient
from oidc_adapters.runtime.fails_closed import FailsClosed
from oidc_adapters.runtime.private_folder import PrivateFolder
from oidc_adapters.stores.grants import Grants
from oidc_adapters.stores.records import Records
from oidc_adapters.stores.records.callers import new_version
from oidc_adapters.stores.records.files import FileRecords
from oidc_adapters.stores.records.keyring import KeyringRecords
from oidc_adapters.stores.shared import SharedStore
from oidc_core.model.policy import Policy
from oidc_core.wire.errors import OidcError, StoreFailure, UsageError
from oidc_core.wire.jsontypes import JsonObject, parse_object, render
from oidc_core.wire.settings import check_fields, fields_of

REDIRECT_URI: Final = "http://127.0.0.1/callback"
_ALWAYS: Final = 253_402_300_799  # the end of the year 9999
_SECRET: Final = "sealing secret"
_SERVICE: Final = "oidc"
_FOLDER: Final = FailsClosed("folder")


@frozen(kw_only=True)
class Profile:
    """A login that is kept.  Its tokens are somewhere else, under ``grant_id``.

    Attributes:
        store: where they are: ``file`` or ``keyring``.
        grant_id: the name of its grant there.
        issuer, client_id, auth_method, scope: as it was made.
        secret_from: where the client's secret is found each time.
        ca: a file with CA certificates, or empty.
        http: whether the provider may do without TLS on loopback.
        subject, title: the user, and a name or an address of the user's, if there is one.
        since: when it was made, in seconds since the epoch.
    """

    store: str
    grant_id: str
    issuer: str
    client_id: str
    auth_method: str
    scope: str
    secret_from: str
    ca: str
    http: bool
    subject: str
    title: str
    since: int

    @classmethod
    def of(cls, text: str) -> "Profile":
        """Read one that was written.

        Raises:
            StoreFailure: ``record_invalid`` for another text.
        """
        try:
            members: dict[str, Any] = {**parse_object(text.encode()).members}
            profile = cls(**members)
            check_fields(profile, _FIELDS)
        except (OidcError, TypeError):
            raise StoreFailure("record_invalid", about="profile") from None
        return profile

    @property
    def text(self) -> str:
        """The text to keep."""
        return render(JsonObject(asdict(self)))


_FIELDS: Final = fields_of(Profile)


def folder_of(environ: Mapping[str, str], given: Path | None) -> Path:
    """Return where logins are kept.

    Raises:
        UsageError: ``config_invalid`` if there is no place for it.
    """
    if given is not None:
        return given
    home = environ.get("HOME") or environ.get("USERPROFILE", "")
    state = (
        environ.get("LOCALAPPDATA", "") if os.name == "nt" else environ.get("XDG_STATE_HOME", "")
    )
    if state and Path(state).is_absolute():
        return Path(state, "oidc")
    if not home:
        raise UsageError("config_invalid", about="folder", expected="--folder DIR, or a HOME")
    return Path(home, ".local", "state", "oidc")


class Keeping:
    """The kept logins of this user.

    Args:
        kept: which one, and where.
        world: the environment and the clock.

    Raises:
        UsageError: ``config_invalid`` for a folder that others can write to.
        StoreFailure: ``store_unavailable`` for one that cannot be made.
    """

    def __init__(self, kept: Kept, world: World) -> None:
        self._world = world
        self._folder = folder_of(world.environ, kept.folder)
        with _FOLDER, PrivateFolder(self._folder).opened():
            """It is there now, and belongs to this user alone."""
        self._key = f"profile:{kept.profile}"
        self._name = kept.profile
        self._profiles = self._files("profiles")

    @property
    def folder(self) -> Path:
        """Where they are."""
        return self._folder

    def profile(self) -> Profile:
        """Return the login.

        Raises:
            UsageError: ``config_invalid`` if there is none of this name.
            StoreFailure: it cannot be read.
        """
        found = self._profiles.read(self._key)
        if found is None:
            expected = "a login that was kept: oidc login --store file"
            raise UsageError("config_invalid", about="profile", found=self._name, expected=expected)
        return Profile.of(found.value)

    def keep(self, profile: Profile) -> None:
        """Keep a login in the place of the one of this name, if there is one.

        Raises:
            StoreFailure: it cannot be kept, or another process is keeping one.
        """
        found, version = self._profiles.read(self._key), new_version()
        if found is None:
            done = self._profiles.create(self._key, version, profile.text, _ALWAYS)
        else:
            done = self._profiles.replace(self._key, found.version, version, profile.text, _ALWAYS)
        if not done:
            raise StoreFailure("store_unavailable", about="profile")

    def forget(self) -> None:
        """Forget the login of this name."""
        found = self._profiles.read(self._key)
        if found is not None:
            self._profiles.remove(self._key, found.version)

    def tokens(self, store: str) -> Grants:
        """Return where tokens are.

        Raises:
            UsageError: ``config_invalid`` without a keyring.
            StoreFailure: it cannot be read.
        """
        records: Records = self._files("tokens")
        if store == "keyring":
            clock, boot = self._world.clock, self._world.boot
            folder = self._folder / "keyring"
            records = KeyringRecords(_SERVICE, folder, clock=clock, boot=boot)
        return Grants(records, self._secret(records))

    def documents(self) -> SharedStore:
        """Return where metadata and keys of providers are, which spare requests.

        They are always in files: they are not secret, and too large for some keyrings.
        """
        records = self._files("tokens")
        return SharedStore(records, self._secret(records))

    def _files(self, name: str) -> FileRecords:
        return FileRecords(self._folder / name, clock=self._world.clock, boot=self._world.boot)

    def _secret(self, records: Records) -> str:
        """Return the secret that seals the tokens; the first call makes it."""
        found = records.read(_SECRET)
        if found is None:
            fresh = self._world.entropy.token()
            records.create(_SECRET, new_version(), fresh, _ALWAYS)
            found = records.read(_SECRET)
        if found is None:
            raise StoreFailure("store_unavailable", about=_SECRET)
        return found.value


def profile_of(provider: RealProvider, store: Store, now: int) -> Profile:
    """Return the profile of a login that is about to be kept."""
    return Profile(
        store=store,
        grant_id="",
        issuer=provider.issuer,
        client_id=provider.client_id,
        auth_method=provider.auth_method or "",
        scope=provider.scope,
        secret_from=provider.secret_from,
        ca="" if provider.ca is None else str(Path(provider.ca).absolute()),
        http=provider.insecure_allow_http_loopback,
        subject="",
        title="",
        since=now,
    )


@contextmanager
def client_of(profile: Profile, keeping: Keeping, world: World) -> Generator[OidcClient]:
    """Open the client of a kept login.

    Raises:
        UsageError: a setting is wrong, or the client's secret is no longer where it was.
    """
    settings = _settings(profile, world.environ)
    grants, documents = keeping.tokens(profile.store), keeping.documents()
    with world.transport(profile.ca or None) as transport:
        client = OidcClient(
            ClientSetup(**settings),
            development_logins(),  # no browser comes here: a login was made elsewhere
            transport=ProgressTransport(transport, world),
            keys=documents.keys,
            grants=grants,
            metadata=documents.metadata,
            clock=world.clock,
            entropy=world.entropy,
        )
        with client:
            yield client


def _settings(profile: Profile, environ: Mapping[str, str]) -> dict[str, Any]:
    quirks = frozenset({"insecure_allow_http_loopback"}) if profile.http else frozenset[str]()
    secret = None
    if profile.secret_from:
        try:
            secret = secret_at(profile.secret_from, environ)
        except (OSError, UnicodeDecodeError):
            secret = ""
        if not secret:
            place = profile.secret_from.partition(":")[2]
            raise UsageError("credential_missing", about="client_secret", expected=place)
    return {
        "issuer": profile.issuer,
        "client_id": profile.client_id,
        "client_secret": secret,
        "token_endpoint_auth_method": profile.auth_method or None,
        "redirect_uri": REDIRECT_URI,
        "scope": profile.scope,
        "policy": Policy(quirks=quirks, revoke_at_logout=True),
    }

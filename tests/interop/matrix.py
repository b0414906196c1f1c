"""The matrix of providers and features: declared here, and compared with real runs by a test.

`python -m tests.interop.matrix` prints the tables of `docs/explanation/providers-tried.md`, which a
test compares with the page.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

Feature = Literal[
    "login",
    "access denied",
    "prompt=none",
    "prompt=login",
    "signed UserInfo",
    "refresh",
    "fresh tokens shared",
    "logout",
    "logout of a session",
    "tokens revoked at logout",
    "form_post",
    "private_key_jwt",
]
FEATURES: Final[tuple[Feature, ...]] = (
    "login",
    "access denied",
    "prompt=none",
    "prompt=login",
    "signed UserInfo",
    "refresh",
    "fresh tokens shared",
    "logout",
    "logout of a session",
    "tokens revoked at logout",
    "form_post",
    "private_key_jwt",
)
Verdict = Literal["works", "works with a setting", "not offered", "refused", "fails"]
HERE: Final = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One feature at one provider, as a run has seen it.

    Attributes:
        verdict: whether it works.
        code: the refusal of the library, also for a feature that is not offered.
        seen: further facts that the run saw.
    """

    verdict: Verdict = "works"
    code: str = ""
    seen: tuple[str, ...] = ()

    def __str__(self) -> str:
        code = f": `{self.code}`" if self.code else ""
        return "; ".join([f"**{self.verdict}**{code}", *self.seen])


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A provider, the settings that it needs, and the result of each feature.

    Attributes:
        name: its own name for itself, and that of its package.
        key: the module that starts it, and the file of its requirements.
        registry: where its package comes from.
        issuer_path: the path of its issuer.
        registers: whether everybody can register a client. If not, it has one from the start.
        quirks: those of the policy, without the one for http on loopback.
        id_token_alg: the algorithm of the ID tokens.
        settings: further settings, in prose.
        cells: the result of each feature.
    """

    name: str
    key: str
    registry: Literal["npm", "PyPI"] = "PyPI"
    issuer_path: str = ""
    registers: bool = False
    quirks: tuple[str, ...] = ()
    id_token_alg: str = "RS256"
    settings: tuple[str, ...] = ()
    cells: dict[Feature, Cell]

    @property
    def version(self) -> str:
        """The version that the tests install."""
        if self.registry == "npm":
            pinned = json.loads((HERE / "provider" / "package.json").read_text("utf-8"))
            version: str = pinned["dependencies"][self.name]
            return version
        text = (HERE / "providers" / f"{self.key}.txt").read_text("utf-8")
        found = re.search(rf"^{re.escape(self.name)}==(\S+)", text, re.IGNORECASE | re.MULTILINE)
        assert found is not None, f"{self.name} is not pinned"
        return found[1]


ALL_GOOD: Final = Cell()
NO_SIGNED_USERINFO: Final = Cell(
    verdict="not offered",
    code="content_type_unexpected",
    seen=("no `userinfo_signing_alg_values_supported`",),
)
NO_MODES: Final = Cell(
    verdict="not offered", code="response_mode_mismatch", seen=("no `response_modes_supported`",)
)


def _only_secrets(*methods: str) -> Cell:
    listed = f"`token_endpoint_auth_methods_supported`: {', '.join(methods)}"
    return Cell(verdict="not offered", seen=(listed,))


def _only(*modes: str) -> Cell:
    listed = f"`response_modes_supported`: {', '.join(modes)}"
    return Cell(verdict="not offered", code="unsupported_by_provider", seen=(listed,))


DENIED: Final = ("`access_denied`", "with `iss`")
NEEDS_LOGIN: Final = ("`login_required`", "without `iss`")
PROVEN: Final = Cell(seen=("proven by `auth_time`",))
SHARED: Final = Cell(seen=("8 callers, 1 exchange",))
OF_LOGIN: Final = Cell(seen=("hints with the ID token of the login",))
OF_REFRESH: Final = Cell(seen=("hints with the ID token of the refresh",))
REVOKED: Final = Cell(
    seen=("the refresh token: `invalid_grant`", "the access token: `provider_error`")
)
NOT_REVOKED: Final = Cell(verdict="not offered", seen=("no `revocation_endpoint`",))
ROTATES: Final = ("a new refresh token", "the old one: `invalid_grant`")

TRIED: Final = (
    Tried(
        name="oidc-provider",
        key="oidc_provider",
        registry="npm",
        cells={
            "login": Cell(
                seen=("`iss` in the response", "no `at_hash`", "no `auth_time`", "keeps a session")
            ),
            "access denied": Cell(seen=DENIED),
            "prompt=none": Cell(seen=("`login_required`", "with `iss`")),
            "prompt=login": PROVEN,
            "signed UserInfo": ALL_GOOD,
            "refresh": Cell(seen=(*ROTATES, "a new ID token")),
            "fresh tokens shared": SHARED,
            "logout": Cell(seen=("asks first",)),
            "logout of a session": OF_REFRESH,
            "tokens revoked at logout": REVOKED,
            "form_post": ALL_GOOD,
            "private_key_jwt": ALL_GOOD,
        },
    ),
    Tried(
        name="Canaille",
        key="canaille",
        registers=True,
        id_token_alg="ES256",
        settings=(
            '`max_age=60`, or `reauthentication="unproven"`, with `prompt=login`',
            "quirk `assertion_audience_token_endpoint` with `private_key_jwt`",
        ),
        cells={
            "login": Cell(
                seen=("`iss` in the response", "`at_hash`", "`auth_time`", "keeps a session")
            ),
            "access denied": Cell(seen=DENIED),
            "prompt=none": Cell(seen=NEEDS_LOGIN),
            "prompt=login": Cell(
                verdict="works with a setting",
                seen=(
                    "`max_age=0`: asks without end",
                    "`max_age=60`: proven by `auth_time`",
                    "without a proof: asks once",
                ),
            ),
            "signed UserInfo": ALL_GOOD,
            "refresh": Cell(seen=(*ROTATES, "no ID token")),
            "fresh tokens shared": SHARED,
            "logout": Cell(seen=("asks nothing",)),
            "logout of a session": OF_LOGIN,
            "tokens revoked at logout": REVOKED,
            "form_post": _only("query", "fragment"),
            "private_key_jwt": Cell(
                verdict="works with a setting", seen=("without the quirk: `invalid_client`",)
            ),
        },
    ),
    Tried(
        name="django-oauth-toolkit",
        key="django_oauth_toolkit",
        issuer_path="/o",
        settings=("`metadata_overrides` with its `revocation_endpoint`",),
        cells={
            "login": Cell(
                seen=("`iss` in the response", "`at_hash`", "`auth_time`", "keeps a session")
            ),
            "access denied": Cell(seen=("`access_denied`", "without `iss`")),
            "prompt=none": Cell(verdict="fails", seen=("HTTP 500", "`NotImplementedError`")),
            "prompt=login": PROVEN,
            "signed UserInfo": NO_SIGNED_USERINFO,
            "refresh": Cell(seen=(*ROTATES, "a new ID token")),
            "fresh tokens shared": SHARED,
            "logout": Cell(seen=("asks first",)),
            "logout of a session": OF_REFRESH,
            "tokens revoked at logout": Cell(
                verdict="works with a setting",
                seen=("without: no `revocation_endpoint`", *REVOKED.seen),
            ),
            "form_post": NO_MODES,
            "private_key_jwt": _only_secrets("client_secret_post", "client_secret_basic"),
        },
    ),
    Tried(
        name="nanoidp",
        key="nanoidp",
        quirks=("basic_raw_credentials",),
        cells={
            "login": Cell(
                seen=(
                    "no `iss` in the response",
                    "`at_hash`",
                    "`auth_time`",
                    "asks at every login",
                    "without the quirk: `invalid_client`",
                )
            ),
            "access denied": Cell(verdict="not offered", seen=("no page for it",)),
            "prompt=none": Cell(verdict="fails", seen=("a login page",)),
            "prompt=login": PROVEN,
            "signed UserInfo": NO_SIGNED_USERINFO,
            "refresh": Cell(seen=(*ROTATES, "a new ID token")),
            "fresh tokens shared": SHARED,
            "logout": Cell(seen=("asks nothing",)),
            "logout of a session": OF_REFRESH,
            "tokens revoked at logout": Cell(
                seen=(
                    "the refresh token: `invalid_grant`",
                    "the access token: `http_status_unexpected`",
                )
            ),
            "form_post": NO_MODES,
            "private_key_jwt": _only_secrets("client_secret_basic", "client_secret_post", "none"),
        },
    ),
    Tried(
        name="oidc-provider-mock",
        key="oidc_provider_mock",
        registers=True,
        cells={
            "login": Cell(
                seen=("no `iss` in the response", "`at_hash`", "`auth_time`", "asks at every login")
            ),
            "access denied": Cell(
                verdict="refused",
                code="state_missing",
                seen=("no `state`", "`access_denied` in the error"),
            ),
            "prompt=none": Cell(seen=(*NEEDS_LOGIN, "`login_required` also after a login")),
            "prompt=login": PROVEN,
            "signed UserInfo": NO_SIGNED_USERINFO,
            "refresh": Cell(
                seen=("the same refresh token", "the old one: still good", "no ID token")
            ),
            "fresh tokens shared": SHARED,
            "logout": Cell(seen=("asks first",)),
            "logout of a session": OF_LOGIN,
            "tokens revoked at logout": NOT_REVOKED,
            "form_post": _only("query"),
            "private_key_jwt": Cell(
                verdict="not offered", seen=("no `token_endpoint_auth_methods_supported`",)
            ),
        },
    ),
)


def settings_table() -> str:
    """Draw the settings that each provider needs."""
    rows = (
        (
            f"{tried.name} {tried.version} ({tried.registry})",
            tried.id_token_alg,
            ", ".join(f"`{quirk}`" for quirk in tried.quirks) or "none",
            "; ".join(tried.settings) or "none",
        )
        for tried in TRIED
    )
    return _table(("provider", "ID tokens", "quirks", "further settings"), rows)


def features_table() -> str:
    """Draw the result of each feature at each provider."""
    rows = ((feature, *[str(tried.cells[feature]) for tried in TRIED]) for feature in FEATURES)
    return _table(("", *[tried.name for tried in TRIED]), rows)


def _table(title: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    return "\n".join(_lines([*title], rows))


def _lines(title: list[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    for row in (title, ["---"] * len(title), *rows):
        yield f"| {' | '.join(row)} |"


if __name__ == "__main__":
    sys.stdout.write(f"{settings_table()}\n\n{features_table()}\n")

"""The moves of an attack, by matter: each is one small step."""

from oidc_adapters.testing.attackers.moves.base import Moves
from oidc_adapters.testing.attackers.moves.front_channel import FrontChannelMoves
from oidc_adapters.testing.attackers.moves.hostile import HostileMoves
from oidc_adapters.testing.attackers.moves.logins import LoginMoves
from oidc_adapters.testing.attackers.moves.logouts import LogoutMoves
from oidc_adapters.testing.attackers.moves.refreshes import RefreshMoves
from oidc_adapters.testing.attackers.moves.times import TimeMoves

__all__ = [
    "FrontChannelMoves",
    "HostileMoves",
    "LoginMoves",
    "LogoutMoves",
    "Moves",
    "RefreshMoves",
    "TimeMoves",
]

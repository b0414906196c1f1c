"""Strategies of Hypothesis for the tests of an application: messages of a provider, and settings.

They need the extra ``testing``.  Each strategy draws everything from Hypothesis, so that its seed,
its database and ``@reproduce_failure`` suffice to see a failure again.  A drawn value prints as the
call that builds it, and that call needs only :mod:`oidc_adapters.testing.samples`.

.. code-block:: python

    @given(tokens())
    def test_my_check(token: SignedToken) -> None:
        assert accepts(token.text, nonce=token.nonce, keys=token.published) == (not token.code)
"""

from oidc_adapters.testing.strategies.keys import SIGNING_ALGS, key_sets, keys
from oidc_adapters.testing.strategies.messages import callbacks, metadata, token_responses
from oidc_adapters.testing.strategies.rows import misbehaviours
from oidc_adapters.testing.strategies.settings import policies, requests
from oidc_adapters.testing.strategies.tokens import TOKEN_ALGS, tokens
from oidc_adapters.testing.strategies.values import (
    clocks,
    interleavings,
    json_objects,
    json_values,
)

__all__ = [
    "SIGNING_ALGS",
    "TOKEN_ALGS",
    "callbacks",
    "clocks",
    "interleavings",
    "json_objects",
    "json_values",
    "key_sets",
    "keys",
    "metadata",
    "misbehaviours",
    "policies",
    "requests",
    "token_responses",
    "tokens",
]

"""Everything of oidc_core that touches the world: transports, clocks, keys, stores, commands.

The protocol itself lives in `oidc_core` and knows none of this.
An adapter imports the core, never the reverse, and holds no rule of the protocol.
Import what you use from the submodule that defines it; importing this package loads nothing.
"""

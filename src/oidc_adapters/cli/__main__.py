"""``python -m oidc_adapters.cli``."""

import sys

from oidc_adapters.cli import main

sys.exit(main())

"""Play a Django project that migrates, and print it as JSON: ``python -m tests.migration``.

A process has one project of Django, so this project gets its process.
"""

from __future__ import annotations

import json
import logging

from tests.migration.story import played

if __name__ == "__main__":
    logging.disable()
    print(json.dumps(played()))

"""`python -m bellboard.supervisor` is the same as `bellboard`."""

import sys

from .cli import main

sys.exit(main())

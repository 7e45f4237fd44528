"""Makes `pi_home.py`, which lies beside the tests of this folder, known to them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

"""Where do the delivery tests find their event builder? Beside them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

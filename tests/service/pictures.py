"""Which picture do tests upload? The smallest PNG there is: one pixel."""

import hashlib
from typing import Any

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010100000000376ef924"
    "0000000a49444154789c636000000002000148afa4710000000049454e44ae426082"
)


def announced(**change: Any) -> dict[str, Any]:
    """What announces it."""
    digest = hashlib.sha256(PNG).hexdigest()
    return {"name": "folha.png", "content_type": "image/png", "size": len(PNG), "sha256": digest} | change

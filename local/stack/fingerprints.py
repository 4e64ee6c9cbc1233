"""Fingerprints of the sources, so that nothing is built or deployed again without a change."""

import hashlib
import platform
from pathlib import Path

from local.stack.paths import REPOSITORY

TEMPLATE = REPOSITORY / "template.yaml"
LAYER = REPOSITORY / "layers/dependencies"
RELAY = REPOSITORY / "functions/relay"
OPERATIONS = REPOSITORY / "functions/operations"


def build_fingerprint() -> str:
    """Return the fingerprint of what `sam build` reads, and of the Python version for which the layer is built."""
    return _fingerprint(platform.python_version(), TEMPLATE, LAYER)


def deploy_fingerprint() -> str:
    """Return the fingerprint of everything that is deployed."""
    return _fingerprint(platform.python_version(), TEMPLATE, LAYER, RELAY, OPERATIONS)


def _fingerprint(seed: str, *roots: Path) -> str:
    digest = hashlib.sha256(seed.encode())
    for root in roots:
        for path in sorted(_files(root)):
            content = path.read_bytes()
            digest.update(f"\n{path.relative_to(REPOSITORY)} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _files(root: Path) -> list[Path]:
    if root.is_file():
        return [root]
    return [path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts]

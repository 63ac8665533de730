"""Where fetched things are kept between runs: Kafka's jars, the small models."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path


def default_cache(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """The user's cache folder for teachback, by the platform's custom; `TEACHBACK_CACHE` goes before it."""
    if chosen := environ.get("TEACHBACK_CACHE"):
        return Path(chosen).expanduser()
    if platform == "darwin":
        return Path.home() / "Library" / "Caches" / "teachback"
    return Path(environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "teachback"

"""Addresses of databases, which may hold secrets: those are found, and never shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import URL

ENVIRONMENT = re.compile(r"^\$\{env:(\w+)\}$")
"""An address that an environment variable holds."""
_SECRET = re.compile(r"pass(?!file)|pwd|secret|token|credential|odbc_connect|(?<!ssl)key", re.IGNORECASE)
_HIDDEN = "***"


def secrets(url: URL) -> list[str]:
    """What in a URL is secret, by name: `password`, and keys of its query part that are called like one."""
    return [*(["password"] if url.password else []), *(key for key in url.query if _SECRET.search(key))]


def shown(url: URL) -> str:
    """A URL as it may be printed: `***` stands for whatever is secret."""
    hidden = url.update_query_dict(dict.fromkeys((key for key in secrets(url) if key in url.query), _HIDDEN))
    return hidden.render_as_string(hide_password=True).replace("%2A%2A%2A", _HIDDEN)

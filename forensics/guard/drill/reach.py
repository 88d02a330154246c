"""Find out whether a server accepts connections, without sending it anything."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

PORTS = {"http": 80, "https": 443}
WITHIN_S = 3.0


def why_unreachable(url: str, within_s: float = WITHIN_S) -> str:
    """Return why no connection to the URL's server can be made; "" where one can. The URL itself may hold a secret."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or PORTS.get(parts.scheme, 80)), within_s):
            return ""
    except TimeoutError:
        return f"its server has not answered within {within_s:.0f} s"
    except ConnectionRefusedError:
        return "its server refuses connections: nothing listens there"
    except (OSError, UnicodeError, ValueError) as error:
        return f"its server cannot be reached: {getattr(error, 'strerror', None) or error}"

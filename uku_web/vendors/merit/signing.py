"""The signature of a request: https://api.merit.ee/connecting-robots/reference-manual/authentication/"""

import base64
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

from uku_web.vendors.errors import BadSettings


def sign(body: bytes, credentials: Mapping[str, str], now: datetime) -> str:
    """The query text of a signed request. The stamp is UTC, and no body signs like an empty one."""
    api_id, stamp = credentials["api_id"], now.astimezone(UTC).strftime("%Y%m%d%H%M%S")
    message = api_id.encode() + stamp.encode() + body
    # The key looks like base64, but its text as shown is the key.
    digest = hmac.digest(_key(credentials["api_key"]), message, "sha256")
    signature = base64.b64encode(digest).decode()
    return f"ApiId={quote(api_id, safe='')}&timestamp={stamp}&signature={quote(signature, safe='')}"


def _key(text: str) -> bytes:
    if not text.isascii():
        raise BadSettings("The API key holds a letter that no Merit Aktiva key has. Copy it again.", field="api_key")
    return text.encode()

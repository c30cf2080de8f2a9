"""The signature of a request: section "Authentication" of the API document."""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

ESTONIA = ZoneInfo("Europe/Tallinn")


def sign(query: Sequence[tuple[str, str]], body: bytes, credentials: Mapping[str, str], now: datetime) -> str:
    """The query text of a signed request. What is signed is the text as it is sent, percent-encoding included.

    The stamp is Estonian local time, an hour more in summer; more than 15 minutes off is refused.
    """
    stamp = now.astimezone(ESTONIA).strftime("%d%m%Y%H%M%S")
    pairs = [*query, ("timestamp", stamp), ("apikey", credentials["api_key"])]
    text = "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in pairs)
    signature = hmac.digest(credentials["api_secret"].encode(), text.encode() + body, "sha256").hex()
    return f"{text}&signature={signature}"

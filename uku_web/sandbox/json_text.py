"""Writes answers as JSON with exact numbers."""

import json
from decimal import Decimal
from typing import Any

_NUMBER_MARK = "\u0000"


def dumps(value: Any) -> str:
    """JSON with Decimals as numbers, every digit kept."""
    text = json.dumps(value, default=_mark_number, ensure_ascii=False, separators=(",", ":"))
    # The mark is written as an escape, which no other text of an answer holds.
    return text.replace('"\\u0000', "").replace('\\u0000"', "")


def _mark_number(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{_NUMBER_MARK}{value}{_NUMBER_MARK}"
    raise TypeError(f"{type(value).__name__} does not belong in an answer")

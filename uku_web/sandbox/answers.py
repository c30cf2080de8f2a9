"""Remembers written-out answers, so a bench measures its subject and not the stand-in."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock


class Answers:
    """The least recently used go when their texts together pass the limit."""

    def __init__(self, most_characters: int = 80_000_000):
        self._most, self._held = most_characters, 0
        self._texts: OrderedDict[Hashable, str] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], str]) -> str:
        """`key` holds everything the answer depends on."""
        with self._lock:
            if key in self._texts:
                self._texts.move_to_end(key)
                return self._texts[key]
        text = make()
        with self._lock:
            if key not in self._texts:
                self._texts[key] = text
                self._held += len(text)
            while self._held > self._most:
                self._held -= len(self._texts.popitem(last=False)[1])
        return text

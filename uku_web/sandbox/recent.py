"""Remembers what was made lately: months of documents, and written-out answers so a bench measures its subject."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sized
from threading import Lock
from typing import TypeVar

Made = TypeVar("Made", bound=Sized)


class Recent:
    """The least recently used go when the lengths of all together pass the limit."""

    def __init__(self, most: int):
        self._most, self._held = most, 0
        self._made: OrderedDict[Hashable, Sized] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """`key` holds everything the result depends on; two at once may both make it."""
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
                return self._made[key]
        made = make()
        with self._lock:
            if key not in self._made:
                self._made[key] = made
                self._held += len(made) + 1
            while self._held > self._most:
                self._held -= len(self._made.popitem(last=False)[1]) + 1
        return made

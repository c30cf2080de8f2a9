"""Pages of long lists."""

from dataclasses import dataclass

PAGE_SIZES = (25, 50, 100, 200)
USUAL_SIZE = 50


@dataclass(frozen=True)
class Page:
    """Where in a list one is. Pages beyond the end are the last one."""

    number: int
    size: int
    total: int

    @classmethod
    def of(cls, number: int, size: int, total: int) -> "Page":
        return cls(min(max(number, 1), max(-(-total // size), 1)), size, total)

    @property
    def pages(self) -> int:
        return max(-(-self.total // self.size), 1)

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size

    @property
    def first(self) -> int:
        return self.offset + 1 if self.total else 0

    @property
    def last(self) -> int:
        return min(self.offset + self.size, self.total)

"""A rolling window: what was counted within the last so many milliseconds of a steady clock."""

from collections import deque


class Window:
    """Distinct keys (each counts once until it is forgotten) and tallies, both in order of time."""

    def __init__(self) -> None:
        self.keys: dict[str, int] = {}
        self._tallies: deque[tuple[int, int]] = deque()
        self._total = 0

    @property
    def used(self) -> int:
        """What counts now."""
        return len(self.keys) + self._total

    def tally(self, amount: int, at: int) -> None:
        """Count an amount."""
        self._tallies.append((at, amount))
        self._total += amount

    def forget(self, until: int) -> None:
        """Drop what was counted at ``until`` or before."""
        while self.keys and next(iter(self.keys.values())) <= until:
            del self.keys[next(iter(self.keys))]
        while self._tallies and self._tallies[0][0] <= until:
            self._total -= self._tallies.popleft()[1]

    def oldest(self) -> int:
        """When the oldest part was counted; 0 when nothing is."""
        times = [*list(self.keys.values())[:1], *(at for at, _ in list(self._tallies)[:1])]
        return min(times, default=0)

"""A value about a person that cannot be printed by accident."""

from typing import Generic, NoReturn, SupportsIndex, TypeVar, final

from typing_extensions import override

T_co = TypeVar("T_co", covariant=True)
_DOTS = "•••"


@final
class Pii(Generic[T_co]):
    """Carries a value; printing it in any way prints dots, storing it in any way is an error.

    Only `reveal` gives the value. Equality and hash are those of the object, so that two people cannot be
    compared through their carriers. There is no `__dict__`: what walks over attributes finds none.
    """

    __slots__ = ("__value",)

    def __init__(self, value: T_co) -> None:
        self.__value = value

    def reveal(self) -> T_co:
        """Give the value: the one call a reviewer looks for."""
        return self.__value

    @override
    def __repr__(self) -> str:
        return _DOTS

    @override
    def __format__(self, spec: str) -> str:
        return _DOTS

    @override
    def __reduce_ex__(self, protocol: SupportsIndex) -> NoReturn:
        raise TypeError("a personal value is not stored or copied")

    @override
    def __getstate__(self) -> NoReturn:
        raise TypeError("a personal value is not stored or copied")

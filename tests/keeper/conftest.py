"""Homes for the keeper's tests; ``home.py`` says how to use one."""

import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Need
from tests.keeper.faults import Faults, build
from tests.keeper.home import KeeperHome, gather_cast
from tests.keeper.table import Table

Templates = dict[tuple[Any, ...], KeeperHome]
FaultsFor = Callable[[KeeperHome], Faults]
MakeHome = Callable[..., Awaitable[KeeperHome]]


@pytest.fixture(scope="session")
def templates() -> Templates:
    """Stopped homes with a cast signed in, by what they were made with; tests get copies."""
    return {}


@pytest.fixture
async def make_home(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, templates: Templates
) -> AsyncIterator[MakeHome]:
    """Make homes: ``await make_home(second_factor=..., recovery=(...), clock=True, people=9)``."""
    made: list[KeeperHome] = []

    async def make(
        *,
        second_factor: str = "optional",
        recovery: tuple[str, ...] = (),
        clock: bool = False,
        start: bool = True,
        **budgets: int,
    ) -> KeeperHome:
        key = (second_factor, recovery, *sorted(budgets.items()))
        if key not in templates:
            first = KeeperHome(tmp_path_factory.mktemp("template") / "home")
            first.init(second_factor=second_factor, budgets=budgets, recovery=recovery)
            assert first.start(), first.stderr()
            try:
                await gather_cast(first, second_factor=second_factor)
            finally:
                await first.aclose()
            templates[key] = first
        home = templates[key].copy(tmp_path / f"home{len(made)}", clock=clock)
        made.append(home)
        if start:
            assert home.start(), home.stderr()
        return home

    yield make
    for home in made:
        await home.aclose()


@pytest.fixture
async def home(make_home: MakeHome) -> KeeperHome:
    """Return a running home: large budgets, second factor optional."""
    return await make_home()


@pytest.fixture(scope="session")
def fault_library(need: Need, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the compiled library that faults come from."""
    need(sys.platform == "linux", "faults are preloaded on Linux only")
    need(shutil.which("gcc"), "apt-get install gcc libc6-dev")
    return build(tmp_path_factory.mktemp("fault"))


@pytest.fixture
def faults_for(fault_library: Path, tmp_path: Path) -> Iterator[FaultsFor]:
    """Make the faults of a home."""
    made: list[Faults] = []

    def make(home: KeeperHome) -> Faults:
        made.append(Faults(tmp_path / f"fault{len(made)}", fault_library, home.path))
        return made[-1]

    yield make
    for faults in made:
        faults.close()


@pytest.fixture
async def table(make_home: MakeHome, faults_for: FaultsFor, tmp_path: Path) -> Table:
    """Return a running home with faults at hand."""
    home = await make_home(start=False)
    faults = faults_for(home)
    assert home.start(env=faults.env), home.stderr()
    return Table(home, faults, tmp_path / "examined")

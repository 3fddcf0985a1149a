"""The client of docs/rest.md, as written: it type-checks, runs against the product, and says what it says."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from api.http.limits import BODY_LIMIT, DEEPEST, NETWORK, SIGN_INS_A_MINUTE, SIZES, TILES
from api.http.problem import STATUS, TITLES
from api.routes.imports import LIMIT
from crm.config import REQUESTS_PER_MINUTE
from tests.host.conftest import PROJECT
from tests.host.product import Product, serving

TEXT = (PROJECT / "docs" / "rest.md").read_text()
CLIENT, USE = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


def test_it_is_typed(tmp_path: Path) -> None:
    file = tmp_path / "client.py"
    file.write_text(CLIENT)
    line = [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file", "/dev/null", str(file)]

    done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=tmp_path)

    assert done.returncode == 0, done.stdout


@pytest.fixture
def demo(tmp_path: Path) -> Any:
    home = tmp_path / "home"
    with serving(home, "--demo", until="Everybody in this demo") as product:
        product.password = json.loads((home / "demo-accounts.json").read_text())["staff"]["password"]  # type: ignore[attr-defined]
        yield product


def test_it_runs_as_written(demo: Product, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {"__name__": "client", "password": demo.password}  # type: ignore[attr-defined]
    exec(compile(CLIENT, "docs/rest.md", "exec", dont_inherit=True), names)  # noqa: S102 - what a reader pastes
    url = f"http://localhost:{demo.port}"

    exec(compile(USE.replace("http://localhost:8000", url), "docs/rest.md", "exec"), names)  # noqa: S102
    assert re.fullmatch(r"Zofia Wiśnielas opened in entry \d+\n", capsys.readouterr().out)

    with pytest.raises(names["Refused"]) as refused:
        names["Kept"](url, "staff", "wrong horse battery")
    assert (refused.value.status, refused.value.code) == (401, "unauthenticated")
    with names["Kept"](url, "staff", demo.password) as kept:  # type: ignore[attr-defined]
        (label,) = kept.search("wisnie")
        found = kept.open(label["id"], "call")
        assert found["interactions"][0]["summary"] == "Asked about delivery"
        with pytest.raises(names["Refused"]) as refused:
            kept.open("0" * 32, "call")
        assert (refused.value.status, refused.value.code, refused.value.retry_after_s) == (404, "not-found", None)


def test_the_page_has_every_code_with_its_status() -> None:
    rows = re.findall(r"^\| ([\d, ]+) \| ([^|]+) \|", TEXT, re.MULTILINE)
    told = {code: set(statuses.split(", ")) for statuses, codes in rows for code in re.findall(r"`([\w-]+)`", codes)}

    expected = STATUS | {code: status for status, (code, _) in TITLES.items()}
    for gone in ("method-not-allowed", "unsupported-media-type"):
        expected.pop(gone)
    assert set(told) == set(expected)
    assert [code for code, status in expected.items() if str(status) not in told[code]] == []


def test_the_page_has_the_limits_as_they_are() -> None:
    assert f"| {REQUESTS_PER_MINUTE:,} a minute" in TEXT
    assert (NETWORK, TILES) == (10, 20)
    assert f"| {SIGN_INS_A_MINUTE} a minute |" in TEXT
    (short,) = {size for path, size in SIZES.items() if path.startswith("/v1/")}
    assert f"{BODY_LIMIT >> 10} kB; {short >> 10} kB where" in TEXT
    assert f"a file of contacts {LIMIT >> 20} MB" in TEXT
    assert f"nesting of JSON | {DEEPEST} |" in TEXT

"""What a page loads: ours, or a third party's file exactly as it was brought in; nothing from elsewhere."""

import hashlib
import json
import re

import pytest

from tests.product import Product
from web.assets import ASSETS, STATIC
from web.render import TEMPLATES
from web.vendor import LOCK, PACKAGES

LOCKED = json.loads(LOCK.read_text())


@pytest.mark.parametrize("package", PACKAGES)
def test_a_third_partys_files_are_as_they_were_brought_in(package: str) -> None:
    version, files = PACKAGES[package]
    licence = f"licences/{package.rpartition('/')[2]}.txt"

    assert LOCKED[package]["version"] == version
    assert LOCKED[package]["integrity"].startswith("sha512-")
    assert LOCKED[package]["sha256"] == {
        ours: hashlib.sha256((STATIC / ours).read_bytes()).hexdigest() for ours in [*files, licence]
    }


def test_no_file_of_a_third_party_is_outside_of_the_lock() -> None:
    there = {f"{part}/{file.name}" for part in ("vendor", "fonts") for file in (STATIC / part).iterdir()}

    assert there == {ours for _, files in PACKAGES.values() for ours in files}


def test_nothing_is_loaded_from_elsewhere() -> None:
    for file in [*TEMPLATES.rglob("*.html"), *(STATIC / "css").iterdir(), *(STATIC / "js").iterdir()]:
        text = file.read_text()
        assert not re.findall(r"""(?:src|href|action|url\(|import|fetch\()\s*=?\s*["'(]?(?:https?:)?//""", text), file


def test_every_icon_that_is_used_is_in_the_sprite() -> None:
    there = set(re.findall(r'<symbol id="([a-z0-9-]+)"', (STATIC / "vendor" / "icons.svg").read_text()))
    used = {
        name for file in TEMPLATES.rglob("*.html") for name in re.findall(r'icon\("([a-z0-9-]+)"', file.read_text())
    }

    assert used <= there


async def test_a_file_is_kept_for_ever_and_packed(product: Product) -> None:
    answer = await product.nobody.get(ASSETS.url("app.css"), headers={"accept-encoding": "gzip"})

    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"].partition(";")[0] == "text/css"
    assert "@layer" in answer.text


async def test_a_browser_that_packs_nothing_gets_it_plain(product: Product) -> None:
    answer = await product.nobody.get(ASSETS.url("kept.js"), headers={"accept-encoding": "identity"})

    assert "content-encoding" not in answer.headers
    assert answer.text == (STATIC / "js" / "kept.js").read_text()


@pytest.mark.parametrize("name", ["app.css", "..%2fassets.py", "app.000000000000.css"])
async def test_what_is_not_there_is_a_page_that_says_so(product: Product, name: str) -> None:
    answer = await product.nobody.get(f"/static/{name}")

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")

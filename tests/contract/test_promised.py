"""What the documents promise about the code itself: sizes, packages, the tests they name."""

import ast
import re
from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
KEEPER, KIT = ROOT / "crm" / "keeper", ROOT / "crm" / "kit"


def lines(path: Path) -> int:
    return sum(1 for line in path.read_text().splitlines() if line.strip())


def imported_kit(path: Path, known: set[Path]) -> set[Path]:
    """Follow imports from one module into the kit, and from there on."""
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("crm.kit"):
            continue
        names = [node.module] if node.module != "crm.kit" else [f"crm.kit.{alias.name}" for alias in node.names]
        for name in names:
            module = KIT / f"{str(name).removeprefix('crm.kit.')}.py"
            if module not in known:
                known.add(module)
                imported_kit(module, known)
    return known


# The law of the design.
KEEPER_LINES, WITH_KIT = 2000, 3000


def test_the_keeper_can_be_read_in_an_hour() -> None:
    keeper = sorted(KEEPER.glob("*.py"))
    kit: set[Path] = set()
    for path in keeper:
        imported_kit(path, kit)
    own = sum(map(lines, keeper))
    assert own <= KEEPER_LINES, own
    assert own + sum(map(lines, kit)) <= WITH_KIT, own + sum(map(lines, kit))


def test_one_distribution_provides_passlib() -> None:
    """Both would install the same module over each other; only libpass is maintained."""
    assert metadata.version("libpass")
    with pytest.raises(metadata.PackageNotFoundError):
        metadata.version("passlib")


DOCUMENTS = ["security-model", "performance", "promises", "rest", "contacts", "imports", "interactions", "audit"]


@pytest.mark.parametrize("document", [*(f"docs/{name}.md" for name in DOCUMENTS), "CONTRIBUTING.md", "README.md"])
def test_what_a_document_names_is_there(document: str) -> None:
    text = (ROOT / document).read_text()
    named = set(re.findall(r"`((?:tests|docs|crm|bench|api)/[\w./-]+?)(?:::\w+)?`", text))
    missing = [name for name in named if not (ROOT / name).exists()]
    assert not missing


def test_whatever_is_called_prevented_names_its_test() -> None:
    text = (ROOT / "docs" / "security-model.md").read_text()
    rows = text.partition("\n## Prevented\n")[2].partition("\n## ")[0].strip().splitlines()[2:]
    assert rows
    assert all(re.search(r"`tests/[\w/]+\.py`", row) for row in rows)

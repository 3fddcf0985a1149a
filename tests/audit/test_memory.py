import json
from pathlib import Path

import pytest

from crm.audit.memory import Doubt, Memory, Seen
from crm.kit.clock import rfc3339
from crm.kit.merkle import leaf_hash

SEEN = Seen("test.example/kept", 7, leaf_hash(b""), rfc3339(0))


def test_what_is_remembered_comes_back(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "a" / "seen.json")

    assert memory.recall(SEEN.origin) is None
    memory.remember(SEEN)
    assert memory.recall(SEEN.origin) == SEEN
    assert (tmp_path / "a" / "seen.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["seen.json"]


def test_logs_are_remembered_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))

    Memory().remember(SEEN)

    assert Memory().recall(SEEN.origin) == SEEN
    assert Memory().recall("other.example/kept") is None
    assert [path.parent for path in tmp_path.rglob("*.json")] == [tmp_path / "kept" / "log"]


def test_the_place_is_that_of_the_desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))

    assert Memory().path(SEEN.origin).is_relative_to(tmp_path / ".local" / "state" / "kept" / "log")


def test_a_memory_of_another_log_is_refused(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "seen.json")
    memory.remember(SEEN)

    with pytest.raises(Doubt, match="another log"):
        memory.recall("other.example/kept")


TOLD = {"origin": SEEN.origin, "size": 7, "root": "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=", "at": SEEN.at}


@pytest.mark.parametrize(
    "told",
    [
        "",
        "[]",
        "7",
        "{}",
        json.dumps({**TOLD, "size": "07"}),
        json.dumps({**TOLD, "size": -7}),
        json.dumps({**TOLD, "root": "AAAA"}),
        json.dumps({**TOLD, "origin": "a\nb"}),
        json.dumps({**TOLD, "at": "yesterday"}),
        json.dumps({**TOLD, "at": 7}),
    ],
)
def test_a_memory_that_tells_nothing_is_not_taken_for_a_first_look(told: str, tmp_path: Path) -> None:
    (tmp_path / "seen.json").write_text(told)

    with pytest.raises(Doubt, match="does not tell"):
        Memory(tmp_path / "seen.json").recall(SEEN.origin)


def test_a_memory_that_cannot_be_read_is_a_doubt(tmp_path: Path) -> None:
    (tmp_path / "seen.json").mkdir()

    with pytest.raises(Doubt, match="does not tell"):
        Memory(tmp_path / "seen.json").recall(SEEN.origin)

import copy
import dataclasses
import json
import logging
import pickle
import traceback
from typing import Any

import msgpack
import pytest
from fastapi.encoders import jsonable_encoder
from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticSerializationError

from crm.kit.pii import Pii

CANARY = "Zanzibar-4711"


@pytest.fixture
def hidden() -> Pii[str]:
    return Pii(CANARY)


@dataclasses.dataclass
class Card:
    name: Pii[str]


class Model(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    name: Pii[str]


def test_it_is_given_when_asked(hidden: Pii[str]) -> None:
    assert hidden.reveal() == CANARY


def test_printing_prints_dots(hidden: Pii[str]) -> None:
    printed = [
        repr(hidden),
        str(hidden),
        f"{hidden}",
        f"{hidden!r:>40}",
        f"{hidden:>40}",
        f"{hidden:{CANARY}}".replace(CANARY, "spec"),
        "{}".format(hidden),  # noqa: UP032
        "%s %r" % (hidden, hidden),  # noqa: UP031
        str([hidden, {"a": hidden}, (hidden,)]),
        repr(Card(hidden)),
        repr(Model(name=hidden)),
        str(vars(Card(hidden))),
    ]

    assert all("•••" in line and CANARY not in line for line in printed)


def test_a_log_line_prints_dots(hidden: Pii[str], caplog: pytest.LogCaptureFixture) -> None:
    logging.getLogger("kept").warning("hello %s", hidden)

    assert "hello •••" in caplog.text
    assert CANARY not in caplog.text


def raises(name: Pii[str]) -> None:
    local = [name]
    raise RuntimeError(f"about {name} {local}")


def test_a_traceback_with_locals_prints_dots(hidden: Pii[str]) -> None:
    try:
        raises(hidden)
    except RuntimeError as error:
        report = traceback.TracebackException.from_exception(error, capture_locals=True)
    else:
        pytest.fail("nothing raised")
    text = "".join(report.format())

    assert "local = [•••]" in text
    assert CANARY not in text


@pytest.mark.parametrize(
    ("store", "error"),
    [
        (json.dumps, TypeError),
        (lambda one: json.dumps({"a": one}), TypeError),
        (pickle.dumps, TypeError),
        (lambda one: pickle.dumps(Card(one)), TypeError),
        (lambda one: pickle.dumps(one, protocol=0), TypeError),
        (copy.copy, TypeError),
        (copy.deepcopy, TypeError),
        (lambda one: one.__getstate__(), TypeError),
        (lambda one: dataclasses.asdict(Card(one)), TypeError),
        (msgpack.packb, TypeError),
        (lambda one: Model(name=one).model_dump_json(), PydanticSerializationError),
        (jsonable_encoder, ValueError),
        (vars, TypeError),
        (lambda one: "%d" % one, TypeError),  # noqa: UP031
        (bytes, TypeError),
        (list, TypeError),
    ],
)
def test_storing_is_an_error_that_says_nothing(hidden: Pii[str], store: Any, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        store(hidden)
    assert CANARY not in "".join(traceback.format_exception(caught.value))


def test_two_of_one_value_are_not_equal(hidden: Pii[str]) -> None:
    assert hidden == hidden  # noqa: PLR0124
    assert hidden != Pii(CANARY)
    assert hidden.__eq__(CANARY) is NotImplemented
    assert len({hidden, hidden, Pii(CANARY)}) == 2


def test_nothing_else_hangs_on_it(hidden: Pii[str]) -> None:
    assert not hasattr(hidden, "__dict__")
    assert not hasattr(hidden, "value")
    with pytest.raises(AttributeError):
        hidden.value = "x"  # type: ignore[attr-defined]

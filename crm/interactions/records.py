"""The address a thing is sealed at, where clients may name the thing."""

import hashlib
from enum import StrEnum

from crm.kit.ids import TITLE

BYTES = 16


class What(StrEnum):
    """What has an id of its own and is no interaction, whose versions' records are ids themselves."""

    TITLE = "title"
    FILE = "file"
    NAME = "name"


def record_of(what: What, id_: str) -> str:
    """Return the record of a thing by its id: one id given to two things is two records, given twice it is one."""
    mark = TITLE if what is What.TITLE else ""
    return mark + hashlib.blake2b(id_.encode(), digest_size=BYTES, person=what.encode()).hexdigest()[len(mark) :]

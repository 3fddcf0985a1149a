"""The tables of this slice, as its statements name them."""

from sqlalchemy import Table
from sqlmodel import SQLModel

import crm.interactions.models  # noqa: F401 - the tables register themselves

_TABLES = SQLModel.metadata.tables
INTERACTION: Table = _TABLES["interaction"]
FOLLOW_UP: Table = _TABLES["follow_up"]
DRAFT: Table = _TABLES["draft"]
ATTACHMENT: Table = _TABLES["attachment"]
FORMER: Table = _TABLES["former_record"]

"""What goes out about alerts."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from asyncpg import Record

from crm.db import milliseconds
from crm.kit.clock import rfc3339


def alert_out(row: Record, subjects: Collection[str]) -> dict[str, Any]:
    """Print one alert; `subjects` are the ids of whom its evidence shows, never a name."""
    return {
        "id": row["id"],
        "kind": row["kind"],
        "severity": row["severity"],
        "first_index": row["first_index"],
        "last_index": row["last_index"],
        "at": _time(row["at"]),
        "last_at": _time(row["last_at"]),
        "actor": row["actor"],
        "about": row["about"],
        "subjects": sorted(subjects),
        "count": row["count"],
        "evidence": row["evidence"],
        "acknowledged": None if row["acknowledged_index"] is None else _acknowledged(row),
    }


def _acknowledged(row: Record) -> dict[str, Any]:
    return {
        "by": row["acknowledged_by"],
        "at": _time(row["acknowledged_at"]),
        "note_code": row["note_code"],
        "log_index": row["acknowledged_index"],
    }


def _time(at: datetime) -> str:
    return rfc3339(milliseconds(at))

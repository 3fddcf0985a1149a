"""Whether the database gives each process what the migrations say and nothing else.

What is in force is read from the catalogue, which every role may read; what should be, from the migrations
themselves, when this module is imported: a process that is shut in cannot read them any more.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from asyncpg import Record
from sqlalchemy import text

from crm.db import SCRIPTS, Query, ReadSession
from crm.promises.verdict import Finding, broken, judged

OWNER = "kept_owner"
READER = "kept_web_read"
_GRANT = re.compile(r"grant ([a-z, ]+) on (?:table )?([a-z_, ]+) to ([a-z_, ]+)")
_CHANGES = frozenset({"insert", "update", "delete"})
# Rights that no process has a use for: emptying a table leaves no row to count, a trigger runs for others.
_ALLOWED = _CHANGES | {"select"}

Grants = dict[tuple[str, str], set[str]]

_TABLES = Query(
    text("""
        select c.relname as name, coalesce(r.rolname, 'public') as role, lower(a.privilege_type) as may,
               a.is_grantable
        from pg_class c
        cross join lateral aclexplode(c.relacl) a
        left join pg_roles r on r.oid = a.grantee
        where c.relnamespace = 'public'::regnamespace
        union all
        select c.relname || '.' || t.attname, coalesce(r.rolname, 'public'), lower(a.privilege_type), a.is_grantable
        from pg_attribute t
        join pg_class c on c.oid = t.attrelid and c.relnamespace = 'public'::regnamespace
        cross join lateral aclexplode(t.attacl) a
        left join pg_roles r on r.oid = a.grantee
    """)
)
_ROLES = Query(
    text("""
        select r.rolname as name,
               r.rolsuper or r.rolcreatedb or r.rolcreaterole or r.rolreplication or r.rolbypassrls as is_more,
               coalesce(s.setconfig @> array['default_transaction_read_only=on'], false) as is_read_only
        from pg_roles r
        left join pg_db_role_setting s on s.setrole = r.oid and s.setdatabase = 0
        where r.rolname like 'kept\\_%' and not r.rolsuper
    """)
)
# Being somebody: membership of another role, of one that reads everything least of all, or owning a table.
_BEING = Query(
    text("""
        select m.rolname || ' is a member of ' || g.rolname as fault
        from pg_auth_members a
        join pg_roles m on m.oid = a.member
        join pg_roles g on g.oid = a.roleid
        where m.rolname like 'kept\\_%' and not m.rolsuper
        union all
        select pg_get_userbyid(c.relowner) || ' owns ' || c.relname
        from pg_class c
        where c.relnamespace = 'public'::regnamespace and pg_get_userbyid(c.relowner) <> 'kept_owner'
        union all
        select 'public may ' || lower(a.privilege_type) || ' in the schema'
        from pg_namespace n
        cross join lateral aclexplode(n.nspacl) a
        where n.nspname = 'public' and a.grantee = 0
    """)
)
_LOOSE = Query(
    text("""
        select c.relname || '.' || a.attname as name
        from pg_attribute a
        join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'p')
        where c.relnamespace = 'public'::regnamespace and a.attnum > 0 and not a.attisdropped
          and (a.atttypid in ('inet'::regtype, 'cidr'::regtype, 'macaddr'::regtype, 'macaddr8'::regtype)
               or a.attname ~ '(^|_)(ip|address|agent|referrer|referer|fingerprint)($|_)')
    """)
)
# What a statement is logged by, and whether its values go with it.
_LOGGED = Query(
    text("""
        select current_setting('log_statement') <> 'none'
               or current_setting('log_min_duration_statement') <> '-1'
               or current_setting('log_min_duration_sample') <> '-1'
               or current_setting('log_transaction_sample_rate') <> '0' as is_logged,
               current_setting('log_parameter_max_length') <> '0' as has_values,
               current_setting('log_parameter_max_length_on_error') <> '0' as has_values_on_error
    """)
)


def said(folder: Path) -> Grants:
    """Read what the migrations grant: table and role to rights."""
    found: Grants = {}
    for file in sorted(folder.glob("*.py")):
        for words in _strings(ast.parse(file.read_text(encoding="utf-8"))):
            if match := _GRANT.fullmatch(" ".join(words.lower().split())):
                rights, tables, roles = (set(part.split(", ")) for part in match.groups())
                for table in tables - {"schema public"}:
                    for role in roles:
                        found.setdefault((table, role), set()).update(rights)
    return found


def _strings(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


SAID = said(SCRIPTS / "versions")


async def judge_grants(reads: ReadSession, expected: Mapping[tuple[str, str], set[str]] = SAID) -> Finding:
    """Each role has the rights of the migrations, none is more than it, and the reading one only reads."""
    if not expected:
        return broken("no migration grants anything: they are not beside the program")
    rows = await reads.rows(_TABLES)
    roles = {row["name"]: row for row in await reads.rows(_ROLES)}
    faults = [row["fault"] for row in await reads.rows(_BEING)]
    granted = [row for row in rows if row["role"] != OWNER]
    faults += [*_compared(granted, expected), *_too_much(granted, roles)]
    rights = sum(map(len, expected.values()))
    return judged(faults, f"{rights} rights of {len(roles)} roles, as the migrations say; {READER} only reads")


async def judge_columns(reads: ReadSession) -> Finding:
    """No column could hold where a visitor came from or what they came with."""
    loose = [row["name"] for row in await reads.rows(_LOOSE)]
    return judged((f"{name} could hold a visitor's address" for name in loose), "no column for an address or an agent")


async def judge_statement_log(reads: ReadSession) -> Finding:
    """The database's own log has no value that was handed to a statement, sealed as they are."""
    (row,) = await reads.rows(_LOGGED)
    faults = ["statements are logged with their values"] if row["is_logged"] and row["has_values"] else []
    faults += ["statements that fail are logged with their values"] if row["has_values_on_error"] else []
    return judged(
        faults, "statements are logged without their values" if row["is_logged"] else "no statement is logged"
    )


def _compared(rows: list[Record], expected: Mapping[tuple[str, str], set[str]]) -> Iterator[str]:
    found: Grants = {}
    for row in rows:
        found.setdefault((row["name"], row["role"]), set()).add(row["may"])
    for key in sorted(found.keys() | expected.keys()):
        table, role = key
        for right in sorted(found.get(key, set()) - expected.get(key, set())):
            yield f"{role} may {right} {table}"
        for right in sorted(expected.get(key, set()) - found.get(key, set())):
            yield f"{role} may not {right} {table}, as the migrations say"


def _too_much(rows: list[Record], roles: Mapping[str, Any]) -> Iterator[str]:
    for row in rows:
        if row["is_grantable"]:
            yield f"{row['role']} may hand on {row['may']} of {row['name']}"
        if row["may"] not in _ALLOWED or (row["role"] == READER and row["may"] in _CHANGES):
            yield f"{row['role']} may {row['may']} {row['name']}"
    for name, role in sorted(roles.items()):
        if role["is_more"]:
            yield f"{name} has an attribute of a superuser"
    if READER not in roles or not roles[READER]["is_read_only"]:
        yield f"{READER} can begin a transaction that writes"

"""What the keeper's file holds: its tables, and every way they change.

The journal holds the names of these changes with their values (``crm/kit/store.py``).
"""

from crm.kit.store import Tables

TABLES = Tables(
    create="""
CREATE TABLE meta(key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE entry(idx INTEGER PRIMARY KEY, body BLOB NOT NULL, hash BLOB NOT NULL);
CREATE TABLE node(level INTEGER, n INTEGER, hash BLOB NOT NULL, PRIMARY KEY(level, n)) WITHOUT ROWID;
CREATE TABLE mention(id TEXT, idx INTEGER, how INTEGER, PRIMARY KEY(id, idx, how)) WITHOUT ROWID;
CREATE TABLE subject(id TEXT PRIMARY KEY, kind TEXT, state TEXT, wrapped BLOB, due_at INTEGER, asked_by TEXT)
    WITHOUT ROWID;
CREATE INDEX subject_due ON subject(due_at) WHERE due_at IS NOT NULL;
CREATE TABLE section(subject TEXT, name TEXT, version INTEGER, sealed BLOB, PRIMARY KEY(subject, name)) WITHOUT ROWID;
CREATE TABLE fingerprint(print BLOB, subject TEXT, PRIMARY KEY(print, subject)) WITHOUT ROWID;
CREATE INDEX fingerprint_subject ON fingerprint(subject);
CREATE TABLE alias(subject TEXT PRIMARY KEY, target TEXT, at INTEGER) WITHOUT ROWID;
CREATE TABLE objection(subject TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE staff(id TEXT PRIMARY KEY, name TEXT, roles TEXT, state TEXT, password TEXT, totp BLOB,
    code BLOB, code_until INTEGER) WITHOUT ROWID;
CREATE TABLE passkey(id TEXT PRIMARY KEY, staff TEXT, credential BLOB, public BLOB, counter INTEGER, made_at INTEGER)
    WITHOUT ROWID;
CREATE TABLE session(hash BLOB PRIMARY KEY, staff TEXT, made_at INTEGER, factors TEXT) WITHOUT ROWID;
CREATE TABLE decision(id TEXT PRIMARY KEY, what TEXT, about TEXT, body TEXT, asked_by TEXT, asked_at INTEGER,
    verdict TEXT, decided_by TEXT, decided_at INTEGER) WITHOUT ROWID;
""",
    changes={
        "meta": "INSERT OR REPLACE INTO meta VALUES(?,?)",
        "meta-": "DELETE FROM meta WHERE key=?",
        "subject": "INSERT INTO subject VALUES(?,?,'live',?,NULL,NULL)",
        "state": "UPDATE subject SET state=?2, due_at=?3, asked_by=?4 WHERE id=?1",
        "rewrap": "UPDATE subject SET wrapped=?2 WHERE id=?1",
        "erased": "UPDATE subject SET state='erased', wrapped=NULL, due_at=NULL, asked_by=NULL WHERE id=?",
        "section": "INSERT OR REPLACE INTO section VALUES(?,?,?,?)",
        "sections-": "DELETE FROM section WHERE subject=?",
        "fingerprint": "INSERT OR IGNORE INTO fingerprint VALUES(?,?)",
        "fingerprints-": "DELETE FROM fingerprint WHERE subject=?",
        "alias": "INSERT OR REPLACE INTO alias VALUES(?,?,?)",
        "alias-": "DELETE FROM alias WHERE subject=?",
        "objection": "INSERT OR IGNORE INTO objection VALUES(?)",
        "staff": "INSERT OR REPLACE INTO staff VALUES(?,?,?,?,?,?,?,?)",
        "passkey": "INSERT OR REPLACE INTO passkey VALUES(?,?,?,?,?,?)",
        "counter": "UPDATE passkey SET counter=?2 WHERE id=?1",
        "passkey-": "DELETE FROM passkey WHERE id=?",
        "session": "INSERT OR REPLACE INTO session VALUES(?,?,?,?)",
        "session-": "DELETE FROM session WHERE hash=?",
        "decision": "INSERT OR REPLACE INTO decision VALUES(?,?,?,?,?,?,?,?,?)",
    },
    destroying=frozenset({"erased", "sections-", "rewrap"}),
)

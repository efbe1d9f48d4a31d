"""
The tables of a ledger, and the SQL that more than one module uses. Nothing else knows a column.

All of it is read by SQLite and by PostgreSQL. A change of the tables adds a step to `STEPS`; steps
that are out are never edited.
"""

from __future__ import annotations

CREATE_META = "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)"
READ_META = "SELECT value FROM meta WHERE name = ?"
WRITE_META = (
    "INSERT INTO meta (name, value) VALUES (?, ?) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)

_FIRST = (
    # the graph with its options, compressed: what is needed to send it
    "CREATE TABLE payloads (id TEXT PRIMARY KEY, body {blob} NOT NULL)",
    """
    CREATE TABLE jobs (
        id TEXT PRIMARY KEY,
        state TEXT NOT NULL,
        target TEXT NOT NULL,
        base_url TEXT NOT NULL,
        key TEXT NOT NULL,
        digest TEXT NOT NULL,
        request_digest TEXT NOT NULL,
        payload TEXT NOT NULL,
        job_id TEXT NOT NULL DEFAULT '',
        extra TEXT NOT NULL DEFAULT '',
        label TEXT NOT NULL DEFAULT '',
        out TEXT,
        batch TEXT NOT NULL DEFAULT '',
        variant INTEGER NOT NULL DEFAULT -1,
        parameters TEXT NOT NULL DEFAULT '',
        retry_of TEXT NOT NULL DEFAULT '',
        attempts INTEGER NOT NULL DEFAULT 0,
        fraction DOUBLE PRECISION NOT NULL DEFAULT 0,
        cost DOUBLE PRECISION,
        error TEXT NOT NULL DEFAULT '',
        message TEXT NOT NULL DEFAULT '',
        transient INTEGER NOT NULL DEFAULT 0,
        created DOUBLE PRECISION NOT NULL,
        updated DOUBLE PRECISION NOT NULL,
        ended DOUBLE PRECISION,
        intended_mark BIGINT NOT NULL DEFAULT 0,
        accepted_mark BIGINT NOT NULL DEFAULT 0,
        holder TEXT NOT NULL DEFAULT ''
    )
    """,
    "CREATE INDEX jobs_by_time ON jobs (created, variant, id)",
    "CREATE INDEX jobs_by_batch ON jobs (batch, variant)",
    "CREATE INDEX jobs_by_state ON jobs (state)",
    "CREATE INDEX jobs_by_request ON jobs (request_digest)",
    "CREATE INDEX jobs_by_key ON jobs (key)",
    "CREATE INDEX jobs_by_holder ON jobs (holder)",
    "CREATE INDEX jobs_by_payload ON jobs (payload)",
    "CREATE INDEX jobs_by_place ON jobs (base_url, accepted_mark)",
    """
    CREATE TABLE events (
        job TEXT NOT NULL,
        seq INTEGER NOT NULL,
        at DOUBLE PRECISION NOT NULL,
        body TEXT NOT NULL,
        PRIMARY KEY (job, seq)
    )
    """,
    """
    CREATE TABLE results (
        job TEXT NOT NULL,
        key TEXT NOT NULL,
        name TEXT NOT NULL,
        node_id TEXT,
        kind TEXT NOT NULL,
        url TEXT NOT NULL,
        path TEXT NOT NULL,
        size BIGINT NOT NULL,
        sha256 TEXT NOT NULL,
        preview INTEGER NOT NULL,
        PRIMARY KEY (job, key)
    )
    """,
    # who holds claims, and whether they live: the beat grows while they do
    "CREATE TABLE holders (id TEXT PRIMARY KEY, place TEXT NOT NULL, beat BIGINT NOT NULL)",
    # a number that only grows, so that order does not hang on clocks
    "CREATE TABLE counters (name TEXT PRIMARY KEY, value BIGINT NOT NULL)",
    "INSERT INTO counters (name, value) VALUES ('mark', 0)",
    """
    CREATE TABLE batches (
        id TEXT PRIMARY KEY,
        label TEXT NOT NULL,
        spec TEXT NOT NULL,
        created DOUBLE PRECISION NOT NULL
    )
    """,
    # what nodes took: of a graph (scope is its shape, name a node id) and in general (scope '',
    # name a class)
    """
    CREATE TABLE paces (
        target TEXT NOT NULL,
        scope TEXT NOT NULL,
        name TEXT NOT NULL,
        seconds DOUBLE PRECISION NOT NULL,
        work DOUBLE PRECISION NOT NULL,
        PRIMARY KEY (target, scope, name)
    )
    """,
)

STEPS: tuple[tuple[str, ...], ...] = (_FIRST,)
"""Step → statements; a ledger of version n has had the first n."""

COLUMNS = (
    "id", "state", "target", "base_url", "key", "digest", "request_digest", "job_id", "extra",
    "label", "out", "batch", "variant", "parameters", "retry_of", "attempts", "fraction", "cost",
    "error", "message", "transient", "created", "updated", "ended", "intended_mark",
    "accepted_mark", "holder",
)  # fmt: skip
"""The columns of a `JobRecord`, in order."""

SELECT_JOBS = f"SELECT {', '.join(COLUMNS)} FROM jobs"

OUTLAY = (
    "SELECT COALESCE(SUM(cost), 0), COALESCE(MAX(cost), 0), "
    "COALESCE(SUM(CASE WHEN state IN ('intended', 'accepted', 'running') "
    "OR (state = 'planned' AND holder <> '') THEN 1 ELSE 0 END), 0), "
    "COALESCE(SUM(CASE WHEN state = 'uncertain' THEN 1 ELSE 0 END), 0) FROM jobs WHERE batch = ?"
)

INSERT_PAYLOAD = "INSERT INTO payloads (id, body) VALUES (?, ?) ON CONFLICT (id) DO NOTHING"
INSERT_JOB = (
    "INSERT INTO jobs (id, state, target, base_url, key, digest, request_digest, payload, label, "
    "out, batch, variant, parameters, retry_of, created, updated) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
)
READ_PAYLOAD = (
    "SELECT payloads.body, jobs.key FROM jobs JOIN payloads ON payloads.id = jobs.payload "
    "WHERE jobs.id = ?"
)

INSERT_HOLDER = "INSERT INTO holders (id, place, beat) VALUES (?, ?, 0)"
BEAT = "UPDATE holders SET beat = beat + 1 WHERE id = ?"
READ_HOLDER = "SELECT id, place, beat FROM holders WHERE id = ?"
DELETE_HOLDER = "DELETE FROM holders WHERE id = ?"
RELEASE_ALL = "UPDATE jobs SET holder = '' WHERE holder = ?"
RELEASE = "UPDATE jobs SET holder = '' WHERE id = ? AND holder = ?"
CLAIM_FREE = "UPDATE jobs SET holder = ? WHERE id = ? AND holder = ''"
CLAIM_STALE = (
    "UPDATE jobs SET holder = ? WHERE id = ? AND holder = ? "
    "AND NOT EXISTS (SELECT 1 FROM holders WHERE holders.id = jobs.holder AND holders.beat <> ?)"
)

NEXT_MARK = "UPDATE counters SET value = value + 1 WHERE name = 'mark'"
THIS_MARK = "(SELECT value FROM counters WHERE name = 'mark')"

INSERT_EVENT = (
    "INSERT INTO events (job, seq, at, body) VALUES (?, ?, ?, ?) ON CONFLICT (job, seq) DO NOTHING"
)
READ_EVENTS = "SELECT at, body FROM events WHERE job = ? ORDER BY seq"
WRITE_RESULT = (
    "INSERT INTO results (job, key, name, node_id, kind, url, path, size, sha256, preview) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (job, key) DO UPDATE SET "
    "name = excluded.name, node_id = excluded.node_id, kind = excluded.kind, url = excluded.url, "
    # a file that was saved stays saved, though somebody follows the job again and saves nothing
    "path = CASE WHEN excluded.path = '' THEN results.path ELSE excluded.path END, "
    "size = CASE WHEN excluded.path = '' THEN results.size ELSE excluded.size END, "
    "sha256 = CASE WHEN excluded.path = '' THEN results.sha256 ELSE excluded.sha256 END, "
    "preview = excluded.preview"
)
READ_RESULTS = (
    "SELECT key, name, node_id, kind, url, path, size, sha256, preview FROM results "
    "WHERE job = ? ORDER BY COALESCE(node_id, ''), name, key"
)
DELETE_EVENTS = "DELETE FROM events WHERE job = ?"
DELETE_RESULTS = "DELETE FROM results WHERE job = ?"
DELETE_JOB = "DELETE FROM jobs WHERE id = ?"
DELETE_LOOSE_PAYLOADS = (
    "DELETE FROM payloads WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.payload = payloads.id)"
)
READ_REPLACEMENTS = "SELECT retry_of, id FROM jobs WHERE retry_of <> '' ORDER BY created"
READ_BATCH_OF = "SELECT batch FROM jobs WHERE id = ?"
DELETE_EMPTY_BATCH = (
    "DELETE FROM batches WHERE id = ? "
    "AND NOT EXISTS (SELECT 1 FROM jobs WHERE jobs.batch = batches.id)"
)

INSERT_BATCH = (
    "INSERT INTO batches (id, label, spec, created) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO NOTHING"
)
REVISE_BATCH = "UPDATE batches SET spec = ? WHERE id = ?"
READ_BATCHES = "SELECT id, label, spec, created FROM batches"

READ_PACES = "SELECT name, seconds, work FROM paces WHERE target = ? AND scope = ?"
ADD_PACE = (
    "INSERT INTO paces (target, scope, name, seconds, work) VALUES (?, ?, ?, ?, ?) "
    "ON CONFLICT (target, scope, name) DO UPDATE SET "
    "seconds = paces.seconds * 0.7 + excluded.seconds, work = paces.work * 0.7 + excluded.work"
)
"""The latest job counts for about a third: services and their machines change."""

-- One row per operation of a trace, one set of tables per slice. Ids are 16 bytes. Empty text means
-- "not known (yet)"; parent_op_id is NULL for a root. Channel, kind and status are the numbers of
-- the wire contract. Times are milliseconds since the Unix epoch, as services report them; 0 means
-- "not known (yet)". text_id: its words, 0 for none. rev: how often the row was written; whoever
-- writes it says what it was.

CREATE TABLE ops (
    slice BIGINT NOT NULL,
    op_id BLOB NOT NULL,
    trace_id BLOB NOT NULL,
    parent_op_id BLOB,
    channel BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    subject TEXT NOT NULL,
    service_id BLOB NOT NULL,
    instance_id BLOB NOT NULL,
    peer_service_id TEXT NOT NULL,
    peer_instance_id TEXT NOT NULL,
    business_key TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    started_at_ms BIGINT NOT NULL,
    finished_at_ms BIGINT,
    status BIGINT NOT NULL,
    status_message TEXT NOT NULL,
    meta_json TEXT NOT NULL,
    attrs_json TEXT NOT NULL,
    text_id BIGINT NOT NULL,
    rev BIGINT NOT NULL,
    PRIMARY KEY (slice, op_id)
) WITHOUT ROWID;

-- A trace's operations in order, what an instance has left unfinished, and what a search found.
CREATE INDEX ops_by_trace ON ops (slice, trace_id, started_at_ms, op_id);
CREATE INDEX ops_pending ON ops (slice, instance_id) WHERE status = 1;
CREATE INDEX ops_by_text ON ops (slice, text_id, trace_id);

-- One row per trace, so that listing traces by time needs neither a scan of ops nor a root: the
-- root may arrive last, or live in a system that does not report here. root: what of the trace comes
-- first, as bytes that compare so: whether it has a parent (1), its start (8), its op_id (16).
-- status: of the root. channels: a bit for each. services: a bit for each that took part, taken from
-- its id, so that a clear bit rules a service out.
CREATE TABLE traces (
    slice BIGINT NOT NULL,
    trace_id BLOB NOT NULL,
    started_at_ms BIGINT NOT NULL,
    root BLOB NOT NULL,
    status BIGINT NOT NULL,
    channels BIGINT NOT NULL,
    services BIGINT NOT NULL,
    PRIMARY KEY (slice, trace_id)
) WITHOUT ROWID;

CREATE INDEX traces_by_start ON traces (slice, started_at_ms, trace_id);
-- 2 is SUCCESS. Few are left over, and they are what people ask for.
CREATE INDEX traces_unsuccessful ON traces (slice, started_at_ms, trace_id) WHERE status <> 2;

-- Words of operations. Many operations share a text; a text may be here more than once.
CREATE TABLE texts (
    slice BIGINT NOT NULL,
    id BIGINT NOT NULL,
    words TEXT NOT NULL,
    PRIMARY KEY (slice, id)
) WITHOUT ROWID;

-- Which words a text has, not where: that is all a search asks. rowid: id of the text.
CREATE VIRTUAL TABLE texts_index
 USING fts5(words, content='', detail='none', columnsize=0, tokenize='ascii');

-- What the planner would find in a slice of some size. Without it, it takes a slice for ten rows and
-- goes through all of them.
ANALYZE sqlite_schema;
INSERT INTO sqlite_stat1 (tbl, idx, stat)
VALUES ('ops', 'ops', '1000000 1000000 1'),
       ('ops', 'ops_by_trace', '1000000 1000000 4 1 1'),
       ('ops', 'ops_pending', '1000 1000 100'),
       ('ops', 'ops_by_text', '1000000 1000000 50 4'),
       ('traces', 'traces', '250000 250000 1'),
       ('traces', 'traces_by_start', '250000 250000 2 1'),
       ('traces', 'traces_unsuccessful', '2500 2500 2 1'),
       ('texts', 'texts', '100000 100000 1');

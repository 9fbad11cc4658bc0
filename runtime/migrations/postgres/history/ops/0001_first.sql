-- One row per operation of a trace, one partition per slice. Ids are 16 bytes. Empty text means
-- "not known (yet)"; parent_op_id is NULL for a root. Channel, kind and status are the numbers of
-- the wire contract. Times are milliseconds since the Unix epoch, as services report them; 0 means
-- "not known (yet)". text_id: its words, 0 for none. rev: how often the row was written; whoever
-- writes it says what it was.

CREATE TABLE ops (
    slice BIGINT NOT NULL,
    op_id BYTEA NOT NULL,
    trace_id BYTEA NOT NULL,
    parent_op_id BYTEA,
    channel BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    subject TEXT NOT NULL,
    service_id BYTEA NOT NULL,
    instance_id BYTEA NOT NULL,
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
) PARTITION BY LIST (slice);

-- A trace's operations in order, what an instance has left unfinished, and what a search found.
CREATE INDEX ops_by_trace ON ops (slice, trace_id, started_at_ms, op_id);
CREATE INDEX ops_pending ON ops (slice, instance_id) WHERE status = 1;
CREATE INDEX ops_by_text ON ops (slice, text_id, trace_id);

SELECT add_slice_table('ops', 'ops');

-- One row per trace, so that listing traces by time needs neither a scan of ops nor a root: the
-- root may arrive last, or live in a system that does not report here. root: what of the trace comes
-- first, as bytes that compare so: whether it has a parent (1), its start (8), its op_id (16).
-- status: of the root. channels: a bit for each. services: a bit for each that took part, taken from
-- its id, so that a clear bit rules a service out.
CREATE TABLE traces (
    slice BIGINT NOT NULL,
    trace_id BYTEA NOT NULL,
    started_at_ms BIGINT NOT NULL,
    root BYTEA NOT NULL,
    status BIGINT NOT NULL,
    channels BIGINT NOT NULL,
    services BIGINT NOT NULL,
    PRIMARY KEY (slice, trace_id)
) PARTITION BY LIST (slice);

CREATE INDEX traces_by_start ON traces (slice, started_at_ms, trace_id);
-- 2 is SUCCESS. Few are left over, and they are what people ask for.
CREATE INDEX traces_unsuccessful ON traces (slice, started_at_ms, trace_id) WHERE status <> 2;

SELECT add_slice_table('ops', 'traces');

-- Words of operations. Many operations share a text.
CREATE TABLE texts (
    slice BIGINT NOT NULL,
    id BIGINT NOT NULL,
    words TEXT NOT NULL,
    PRIMARY KEY (slice, id)
) PARTITION BY LIST (slice);

-- Which words a text has. SQLite has a table texts_index for it.
CREATE INDEX texts_by_word ON texts USING GIN (array_to_tsvector(string_to_array(words, ' ')));

SELECT add_slice_table('ops', 'texts');

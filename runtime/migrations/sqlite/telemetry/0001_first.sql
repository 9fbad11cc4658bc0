-- One row per operation of a trace. Empty text means "not known (yet)"; parent_op_id is NULL for
-- a root. Channel, kind and status are the numbers of the wire contract. Times are milliseconds
-- since the Unix epoch, as services report them; 0 means "not known (yet)".

CREATE TABLE ops (
    op_id TEXT NOT NULL PRIMARY KEY,
    trace_id TEXT NOT NULL,
    parent_op_id TEXT,
    channel BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    subject TEXT NOT NULL,
    service_id TEXT NOT NULL,
    instance_id TEXT NOT NULL,
    peer_service_id TEXT NOT NULL,
    peer_instance_id TEXT NOT NULL,
    business_key TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    started_at_ms BIGINT NOT NULL,
    finished_at_ms BIGINT,
    status BIGINT NOT NULL,
    status_message TEXT NOT NULL,
    meta_json TEXT NOT NULL,
    attrs_json TEXT NOT NULL
);

-- A trace's operations in order, and what an instance has left unfinished.
CREATE INDEX ops_by_trace ON ops (trace_id, started_at_ms, op_id);
CREATE INDEX ops_pending_by_instance ON ops (instance_id) WHERE status = 1;

-- One row per trace, so that listing traces by time needs neither a scan of ops nor a root: the
-- root may arrive last, or live in a system that does not report here.
CREATE TABLE traces (
    trace_id TEXT NOT NULL PRIMARY KEY,
    started_at_ms BIGINT NOT NULL
);
CREATE INDEX traces_by_start ON traces (started_at_ms, trace_id);

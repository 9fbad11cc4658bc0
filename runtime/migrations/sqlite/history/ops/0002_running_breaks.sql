-- What was stored before it ended is noted beside the operations, not in an index on their status.
-- On PostgreSQL the end of an operation then touches no index at all. Notes of an instance are removed
-- once it is gone and nothing of it runs. An older binary would not note anything, and what it left
-- running would never be given up.

CREATE TABLE running (
    slice BIGINT NOT NULL,
    instance_id BLOB NOT NULL,
    op_id BLOB NOT NULL,
    PRIMARY KEY (slice, instance_id, op_id)
) WITHOUT ROWID;

-- 1 is PENDING.
INSERT INTO running (slice, instance_id, op_id)
SELECT slice, instance_id, op_id FROM ops WHERE status = 1;

DROP INDEX ops_pending;

-- What the planner would find in a slice of some size.
DELETE FROM sqlite_stat1 WHERE idx = 'ops_pending';
INSERT INTO sqlite_stat1 (tbl, idx, stat)
VALUES ('running', 'running', '100000 100000 1000 1');

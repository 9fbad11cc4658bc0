-- What was stored before it ended is noted beside the operations, not in an index on their status:
-- with the status in no index, the end of an operation overwrites its row in the same page and
-- touches no index at all. Notes of an instance are removed once it is gone and nothing of it runs.
-- An older binary would not note anything, and what it left running would never be given up.

CREATE TABLE running (
    slice BIGINT NOT NULL,
    instance_id BYTEA NOT NULL,
    op_id BYTEA NOT NULL,
    PRIMARY KEY (slice, instance_id, op_id)
) PARTITION BY LIST (slice);

SELECT add_slice_table('ops', 'running');

-- 1 is PENDING.
INSERT INTO running (slice, instance_id, op_id)
SELECT slice, instance_id, op_id FROM ops WHERE status = 1;

DROP INDEX ops_pending;

-- As before, but pages of operations keep room for the rows that are overwritten.
CREATE OR REPLACE FUNCTION add_slice_partition(of_parent TEXT, of_id BIGINT) RETURNS VOID
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL) WITH (fillfactor = %s)',
                   of_parent || '_' || of_id, of_parent,
                   CASE of_parent WHEN 'ops' THEN 80 ELSE 100 END);
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES IN (%s)',
                   of_parent, of_parent || '_' || of_id, of_id);
END
$$;

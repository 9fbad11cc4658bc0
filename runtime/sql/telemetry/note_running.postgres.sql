-- $1: slice; $2: instances; $3: operations.
INSERT INTO running (slice, instance_id, op_id)
SELECT $1, row.* FROM UNNEST(CAST($2 AS BYTEA[]), CAST($3 AS BYTEA[])) AS row
    ON CONFLICT DO NOTHING

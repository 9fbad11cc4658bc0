-- $1: slice; $2, $3: cut rows: at 0 the instance, at 16 the operation.
-- "WHERE true" keeps the parser from reading ON CONFLICT as a join condition.
INSERT INTO running (slice, instance_id, op_id)
SELECT $1, substr($3, value, 16), substr($3, value + 16, 16)
  FROM json_each($2)
 WHERE true
    ON CONFLICT DO NOTHING

-- $1: slice; $2: JSON array of [id, level, origin, has trace, has operation, message, fields];
-- $3: per line 64 bytes: ids of service, instance, trace and operation.
-- An id that is taken is not returned: the line needs another.
INSERT INTO logs (slice, id, level, origin, service_id, instance_id, trace_id, op_id, message,
                  fields_json)
SELECT $1,
       row.value ->> 0,
       row.value ->> 1,
       row.value ->> 2,
       substr($3, row.key * 64 + 1, 16),
       substr($3, row.key * 64 + 17, 16),
       CASE WHEN row.value ->> 3 THEN substr($3, row.key * 64 + 33, 16) END,
       CASE WHEN row.value ->> 4 THEN substr($3, row.key * 64 + 49, 16) END,
       row.value ->> 5,
       row.value ->> 6
  FROM json_each($2) AS row
 WHERE true
    ON CONFLICT DO NOTHING
RETURNING id

-- The SQLite twin takes JSON and a blob, because it has no arrays, and keeps words elsewhere.
-- $11: the words of each line, with blanks between them.
-- An id that is taken is not returned: the line needs another.
INSERT INTO logs (slice, id, level, origin, service_id, instance_id, trace_id, op_id, message,
                  fields_json, words)
SELECT CAST($1 AS BIGINT), row.id, row.level, row.origin, row.service_id, row.instance_id,
       row.trace_id, row.op_id, row.message, row.fields_json,
       array_to_tsvector(string_to_array(row.words, ' '))
  FROM UNNEST(
         CAST($2 AS BIGINT[]), CAST($3 AS BIGINT[]), CAST($4 AS BIGINT[]), CAST($5 AS BYTEA[]),
         CAST($6 AS BYTEA[]), CAST($7 AS BYTEA[]), CAST($8 AS BYTEA[]), CAST($9 AS TEXT[]),
         CAST($10 AS TEXT[]), CAST($11 AS TEXT[])
       ) AS row (id, level, origin, service_id, instance_id, trace_id, op_id, message,
                 fields_json, words)
    ON CONFLICT DO NOTHING
RETURNING id

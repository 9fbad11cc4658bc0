-- The SQLite twin takes JSON and blobs, because it has no arrays.
INSERT INTO payloads (slice, op_id, direction, service_id, instance_id, trace_id, original_size,
                      contract_hash, decodable, content)
SELECT CAST($1 AS BIGINT), row.*
  FROM UNNEST(
         CAST($2 AS BYTEA[]), CAST($3 AS BIGINT[]), CAST($4 AS BYTEA[]), CAST($5 AS BYTEA[]),
         CAST($6 AS BYTEA[]), CAST($7 AS BIGINT[]), CAST($8 AS TEXT[]), CAST($9 AS BIGINT[]),
         CAST($10 AS BYTEA[])
       ) AS row
    ON CONFLICT (slice, op_id, direction, service_id) DO UPDATE
   SET instance_id = excluded.instance_id,
       trace_id = excluded.trace_id,
       original_size = excluded.original_size,
       contract_hash = excluded.contract_hash,
       decodable = excluded.decodable,
       content = excluded.content

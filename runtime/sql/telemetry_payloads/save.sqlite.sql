-- $1: slice; $2: JSON array of [direction, original size, hash, decodable, offset, length];
-- $3: per payload 64 bytes: ids of operation, service, instance and trace; $4: all contents as one
-- blob, cut by offset (from 0) and length. The same one sent again takes the place of the first.
INSERT INTO payloads (slice, op_id, direction, service_id, instance_id, trace_id, original_size,
                      contract_hash, decodable, content)
SELECT $1,
       substr($3, row.key * 64 + 1, 16),
       row.value ->> 0,
       substr($3, row.key * 64 + 17, 16),
       substr($3, row.key * 64 + 33, 16),
       substr($3, row.key * 64 + 49, 16),
       row.value ->> 1,
       row.value ->> 2,
       row.value ->> 3,
       substr($4, (row.value ->> 4) + 1, row.value ->> 5)
  FROM json_each($2) AS row
 WHERE true
    ON CONFLICT (slice, op_id, direction, service_id) DO UPDATE
   SET instance_id = excluded.instance_id,
       trace_id = excluded.trace_id,
       original_size = excluded.original_size,
       contract_hash = excluded.contract_hash,
       decodable = excluded.decodable,
       content = excluded.content

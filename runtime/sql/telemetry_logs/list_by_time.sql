-- Lines, newest first, along the ids.
-- $1: slice; $2, $3: first and last id; $4: limit; $5: service; $6: instance; $7: lowest level;
-- $8: trace. Empty ids ask for no filter.
SELECT id, level, origin, service_id, instance_id, trace_id, op_id, message, fields_json
  FROM logs
 WHERE slice = $1
   AND id BETWEEN $2 AND $3
   AND (service_id = $5 OR length($5) = 0)
   AND (instance_id = $6 OR length($6) = 0)
   AND level >= $7
   AND (trace_id = $8 OR length($8) = 0)
 ORDER BY id DESC
 LIMIT $4

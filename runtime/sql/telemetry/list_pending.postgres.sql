-- $1: slice; $2: instances. 1 is PENDING. Locked in the order in which they will be written.
SELECT op_id, trace_id, parent_op_id, channel, kind, subject, service_id, instance_id,
       peer_service_id, peer_instance_id, business_key, attempt, started_at_ms, finished_at_ms,
       status, status_message, meta_json, attrs_json, text_id, rev
  FROM ops
 WHERE slice = $1
   AND op_id IN (SELECT running.op_id
                   FROM running
                  WHERE running.slice = $1
                    AND running.instance_id = ANY (CAST($2 AS BYTEA[])))
   AND status = 1
   AND started_at_ms <= $3
 ORDER BY op_id
 LIMIT $4
   FOR UPDATE OF ops

-- $1: slice; $2, $3: instances as cut rows of 16 bytes. 1 is PENDING.
SELECT op_id, trace_id, parent_op_id, channel, kind, subject, service_id, instance_id,
       peer_service_id, peer_instance_id, business_key, attempt, started_at_ms, finished_at_ms,
       status, status_message, meta_json, attrs_json, text_id, rev
  FROM ops
 WHERE slice = $1
   AND op_id IN (SELECT running.op_id
                   FROM running
                  WHERE running.slice = $1
                    AND running.instance_id IN (SELECT substr($3, value, 16) FROM json_each($2)))
   AND status = 1
   AND started_at_ms <= $4
 LIMIT $5

-- $1: slice; $2, $3: instances as cut rows of 16 bytes. 1 is PENDING.
SELECT op_id, trace_id, parent_op_id, channel, kind, subject, service_id, instance_id,
       peer_service_id, peer_instance_id, business_key, attempt, started_at_ms, finished_at_ms,
       status, status_message, meta_json, attrs_json, text_id, rev
  FROM ops
 WHERE slice = $1
   AND status = 1
   AND instance_id IN (SELECT substr($3, value, 16) FROM json_each($2))
   AND started_at_ms <= $4
 LIMIT $5

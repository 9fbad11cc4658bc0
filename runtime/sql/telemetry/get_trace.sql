-- $2, $3: start and id of the last one seen.
SELECT op_id, trace_id, parent_op_id, channel, kind, subject, service_id, instance_id,
       peer_service_id, peer_instance_id, business_key, attempt, started_at_ms, finished_at_ms,
       status, status_message, meta_json, attrs_json
  FROM ops
 WHERE trace_id = $1
   AND started_at_ms >= $2
   AND (started_at_ms > $2 OR op_id > $3)
 ORDER BY started_at_ms, op_id
 LIMIT $4

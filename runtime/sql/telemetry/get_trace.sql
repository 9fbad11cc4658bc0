-- $1: slice; $3, $4: start and id of the last one seen.
SELECT op_id, trace_id, parent_op_id, channel, kind, subject, service_id, instance_id,
       peer_service_id, peer_instance_id, business_key, attempt, started_at_ms, finished_at_ms,
       status, status_message, meta_json, attrs_json, text_id, rev
  FROM ops
 WHERE slice = $1
   AND trace_id = $2
   AND (started_at_ms, op_id) > ($3, $4)
 ORDER BY started_at_ms, op_id
 LIMIT $5

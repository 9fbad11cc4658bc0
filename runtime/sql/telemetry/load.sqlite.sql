-- $1: JSON array of operation ids.
SELECT op_id, trace_id, parent_op_id, channel, kind, subject, service_id, instance_id,
       peer_service_id, peer_instance_id, business_key, attempt, started_at_ms, finished_at_ms,
       status, status_message, meta_json, attrs_json
  FROM ops
 WHERE op_id IN (SELECT value FROM json_each($1))

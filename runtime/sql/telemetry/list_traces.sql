-- Matching traces newest first, each with its root: the operation without a parent, or the
-- earliest one while that is not known. A trace stands as its root stands.
-- $1, $2: time window; $3, $4: start and id of the last one seen; $5: bits of channels;
-- $6: bits of statuses; $7: service; $8: LIKE pattern with ! as escape; $9: limit.
-- 0 and '' ask for no filter.
SELECT traces.trace_id,
       traces.started_at_ms,
       root.subject AS root_subject,
       root.service_id AS root_service_id,
       root.status AS root_status,
       (SELECT COUNT(*) FROM ops WHERE ops.trace_id = traces.trace_id) AS op_count,
       (SELECT COUNT(*) FROM ops WHERE ops.trace_id = traces.trace_id AND ops.status = 1) AS running,
       (SELECT MAX(ops.finished_at_ms) FROM ops WHERE ops.trace_id = traces.trace_id)
           AS finished_at_ms
  FROM traces
  JOIN ops AS root
    ON root.op_id = (SELECT ops.op_id
                       FROM ops
                      WHERE ops.trace_id = traces.trace_id
                      ORDER BY CASE WHEN ops.parent_op_id IS NULL THEN 0 ELSE 1 END,
                               ops.started_at_ms,
                               ops.op_id
                      LIMIT 1)
 WHERE traces.started_at_ms BETWEEN $1 AND $2
   AND traces.started_at_ms <= $3
   AND (traces.started_at_ms < $3 OR traces.trace_id < $4)
   AND (CAST($6 AS BIGINT) = 0
        OR (CAST($6 AS BIGINT) & (CAST(1 AS BIGINT) << CAST(root.status AS INTEGER))) <> 0)
   AND (CAST($5 AS BIGINT) = 0
        OR EXISTS (SELECT 1
                     FROM ops
                    WHERE ops.trace_id = traces.trace_id
                      AND (CAST($5 AS BIGINT)
                           & (CAST(1 AS BIGINT) << CAST(ops.channel AS INTEGER))) <> 0))
   AND (CAST($7 AS TEXT) = ''
        OR EXISTS (SELECT 1
                     FROM ops
                    WHERE ops.trace_id = traces.trace_id
                      AND (ops.service_id = $7 OR ops.peer_service_id = $7)))
   AND (CAST($8 AS TEXT) = ''
        OR EXISTS (SELECT 1
                     FROM ops
                    WHERE ops.trace_id = traces.trace_id
                      AND (LOWER(ops.subject) LIKE $8 ESCAPE '!'
                           OR LOWER(ops.business_key) LIKE $8 ESCAPE '!')))
 ORDER BY traces.started_at_ms DESC, traces.trace_id DESC
 LIMIT $9

-- Matching traces newest first, each with what of it comes first; it stands as that one stands.
-- $1: slice; $2, $3: time window; $4, $5: start and id of the last one seen; $6, $7: of the last
-- one to look at; $8: bits of statuses; $9: bits of channels; $10, $11, $12: a service's bit, id
-- and id as text; $13: limit; $14: LIKE patterns, of which all must fit one operation's words. 0 and '' ask for no filter. The latest end and whether
-- anything still runs are those of the 10000 last operations.
WITH page AS (
    SELECT trace_id, started_at_ms, root
      FROM traces
     WHERE slice = $1
       AND started_at_ms BETWEEN $2 AND $3
       AND (started_at_ms, trace_id) < ($4, $5)
       AND (started_at_ms, trace_id) >= ($6, $7)
       AND (CAST($8 AS BIGINT) = 0
            OR (CAST($8 AS BIGINT) & (CAST(1 AS BIGINT) << CAST(status AS INTEGER))) <> 0)
       AND (CAST($9 AS BIGINT) = 0 OR (channels & CAST($9 AS BIGINT)) <> 0)
       AND (CAST($10 AS BIGINT) = 0
            OR ((services & CAST($10 AS BIGINT)) <> 0
                AND EXISTS (SELECT 1
                              FROM ops
                             WHERE ops.slice = $1
                               AND ops.trace_id = traces.trace_id
                               AND (ops.service_id = $11 OR ops.peer_service_id = $12))))
       AND EXISTS (SELECT 1
                     FROM ops
                     JOIN texts
                       ON texts.slice = $1
                      AND texts.id = ops.text_id
                    WHERE ops.slice = $1
                      AND ops.trace_id = traces.trace_id
                      AND ' ' || texts.words || ' ' LIKE ALL (CAST($14 AS TEXT[])))
     ORDER BY started_at_ms DESC, trace_id DESC
     LIMIT $13
)
SELECT page.trace_id,
       page.started_at_ms,
       root.subject AS root_subject,
       root.service_id AS root_service_id,
       root.status AS root_status,
       root.channel AS root_channel,
       (SELECT COUNT(*) FROM ops WHERE ops.slice = $1 AND ops.trace_id = page.trace_id) AS op_count,
       (SELECT COUNT(*)
          FROM (SELECT ops.status
                  FROM ops
                 WHERE ops.slice = $1 AND ops.trace_id = page.trace_id
                 ORDER BY ops.started_at_ms DESC
                 LIMIT 10000) AS late
         WHERE late.status = 1) AS running,
       (SELECT COUNT(*)
          FROM (SELECT ops.status
                  FROM ops
                 WHERE ops.slice = $1 AND ops.trace_id = page.trace_id
                 ORDER BY ops.started_at_ms DESC
                 LIMIT 10000) AS late
         WHERE late.status > 2) AS failed,
       (SELECT MAX(late.finished_at_ms)
          FROM (SELECT ops.finished_at_ms
                  FROM ops
                 WHERE ops.slice = $1 AND ops.trace_id = page.trace_id
                 ORDER BY ops.started_at_ms DESC
                 LIMIT 10000) AS late) AS finished_at_ms
  FROM page
  JOIN ops AS root
    ON root.slice = $1
   AND root.op_id = substr(page.root, 10)
 ORDER BY page.started_at_ms DESC, page.trace_id DESC

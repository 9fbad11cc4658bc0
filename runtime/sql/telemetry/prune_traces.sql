DELETE FROM traces
 WHERE trace_id IN (SELECT trace_id
                      FROM traces
                     WHERE started_at_ms < $1
                     ORDER BY started_at_ms, trace_id
                     LIMIT $2)

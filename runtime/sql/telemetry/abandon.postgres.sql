-- 1 is PENDING, 5 is ABANDONED. The outer status is compared again: an END may have been faster.
UPDATE ops
   SET status = 5
 WHERE op_id IN (SELECT op_id
                   FROM ops
                  WHERE status = 1
                    AND instance_id = ANY (CAST($1 AS TEXT[]))
                    AND started_at_ms <= $2
                  ORDER BY op_id
                  LIMIT $3)
   AND status = 1

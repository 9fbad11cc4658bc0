-- $1: JSON array of instance ids. 1 is PENDING, 5 is ABANDONED.
UPDATE ops
   SET status = 5
 WHERE op_id IN (SELECT op_id
                   FROM ops
                  WHERE status = 1
                    AND instance_id IN (SELECT value FROM json_each($1))
                    AND started_at_ms <= $2
                  LIMIT $3)

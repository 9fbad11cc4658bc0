-- 1 is PENDING; the partial index holds nothing else.
SELECT DISTINCT instance_id
  FROM ops
 WHERE status = 1
   AND instance_id > $1
 ORDER BY instance_id
 LIMIT $2

-- 1 is PENDING; the partial index holds nothing else.
SELECT DISTINCT instance_id
  FROM ops
 WHERE slice = $1
   AND status = 1
   AND instance_id > $2
 ORDER BY instance_id
 LIMIT $3

SELECT owner, COUNT(*) AS entries, CAST(SUM(bytes) AS BIGINT) AS bytes
  FROM outcomes
 GROUP BY owner
 ORDER BY owner
 LIMIT $1

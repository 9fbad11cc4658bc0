SELECT kind, id, from_ms
  FROM slices
 ORDER BY kind, id
 LIMIT $1

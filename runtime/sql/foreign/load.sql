SELECT id, name, seen_at_us
  FROM foreign_services
 ORDER BY seen_at_us DESC, id
 LIMIT $1

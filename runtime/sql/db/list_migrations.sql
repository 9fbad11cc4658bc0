SELECT name, checksum
  FROM schema_migrations
 WHERE store = $1
 ORDER BY name
 LIMIT $2

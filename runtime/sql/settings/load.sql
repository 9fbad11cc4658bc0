SELECT key, value
  FROM settings
 ORDER BY key
 LIMIT $1

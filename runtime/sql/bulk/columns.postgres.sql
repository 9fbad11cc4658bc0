-- $1: table; $2: most columns.
SELECT CAST(attname AS TEXT) AS name, format_type(atttypid, NULL) AS kind
  FROM pg_attribute
 WHERE attrelid = to_regclass($1)
   AND attnum > 0
   AND NOT attisdropped
 ORDER BY attnum
 LIMIT $2

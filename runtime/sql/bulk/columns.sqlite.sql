-- $1: table; $2: most columns.
SELECT name, type AS kind
  FROM pragma_table_info($1)
 ORDER BY cid
 LIMIT $2

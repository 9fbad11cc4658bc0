-- Tables that are there before a restore: it wants none.
SELECT COUNT(*)
  FROM pg_class
 WHERE relnamespace = to_regnamespace(current_schema())
   AND relkind IN ('r', 'p')

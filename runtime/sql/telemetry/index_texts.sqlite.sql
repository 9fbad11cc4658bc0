-- $1, $2: as for add_texts. PostgreSQL has an index for it.
INSERT INTO texts_index (rowid, words)
SELECT CAST(substr($2, value, 20) AS INTEGER),
       CAST(substr($2, value + 27, CAST(substr($2, value + 20, 7) AS INTEGER)) AS TEXT)
  FROM json_each($1)

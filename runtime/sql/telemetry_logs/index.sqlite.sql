-- Notes which words lines have. $1: JSON array of [id, words], by id.
INSERT INTO logs_words (rowid, words)
SELECT row.value ->> 0, row.value ->> 1
  FROM json_each($1) AS row

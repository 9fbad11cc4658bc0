-- $1: what an FTS5 table matches.
SELECT rowid
  FROM texts_index
 WHERE texts_index MATCH $1
 LIMIT $2

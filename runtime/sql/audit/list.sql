SELECT id, at_us, actor, action, target, detail_json
  FROM audit
 WHERE id < $1
 ORDER BY id DESC
 LIMIT $2

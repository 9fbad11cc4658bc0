INSERT INTO audit (id, at_us, actor, action, target, detail_json)
VALUES ($1, $2, $3, $4, $5, $6)

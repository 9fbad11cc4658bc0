SELECT username, role, password_hash, created_at_us, last_login_at_us
  FROM accounts
 ORDER BY username
 LIMIT $1

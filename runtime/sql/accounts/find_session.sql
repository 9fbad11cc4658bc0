SELECT sessions.username, sessions.created_at_us, sessions.seen_at_us, accounts.role
  FROM sessions
  JOIN accounts ON accounts.username = sessions.username
 WHERE sessions.digest = $1
 LIMIT 1

DELETE FROM accounts WHERE username = $1

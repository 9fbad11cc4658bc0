UPDATE accounts SET role = $2 WHERE username = $1

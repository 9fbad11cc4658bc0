UPDATE accounts SET last_login_at_us = $2 WHERE username = $1

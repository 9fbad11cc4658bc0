SELECT request, lease_until_us, body, expires_at_us
  FROM outcomes
 WHERE digest = $1

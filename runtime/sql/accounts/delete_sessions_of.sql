-- All sessions of an account but one; a digest that is nobody's spares none.
DELETE FROM sessions WHERE username = $1 AND digest <> $2

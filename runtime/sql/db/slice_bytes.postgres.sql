SELECT slice_bytes($1, $2)

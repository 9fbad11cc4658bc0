SELECT {columns} FROM {table} WHERE slice = $1

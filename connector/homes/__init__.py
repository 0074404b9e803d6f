"""A connector's home: making one, and saying what is wrong with one."""

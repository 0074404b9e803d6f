"""How fast the whole way is: `make bench`, or python -m tests.bench --help."""

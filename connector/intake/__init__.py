"""How national documents come in: each is acknowledged only after it is durable."""

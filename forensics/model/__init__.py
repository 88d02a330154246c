"""The vocabulary of the program: frames (columns), values (dataclasses), systemd (its ids and names)."""

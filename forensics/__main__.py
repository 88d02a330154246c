"""`python -m forensics` is the program."""

from forensics.cli import main

main()

"""Run the program as `python -m forensics`."""

from forensics.cli import main

main()

"""`python -m marketplace.cli`, for where the console script is not on the path."""

from marketplace.cli import main

main()

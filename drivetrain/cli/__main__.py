"""`python -m drivetrain.cli`, where the `drivetrain` script is not on the path."""

from drivetrain.cli import main

main()

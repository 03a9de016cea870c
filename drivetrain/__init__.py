"""Drivetrain turns predictions into decisions: a scenario file in, lever settings and their honest value out."""

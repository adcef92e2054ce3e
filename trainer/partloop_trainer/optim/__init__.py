"""Optimizer, schedule, and one step."""

"""The trainer as a process: its messages, ranks, devices, disk and checkpoints."""

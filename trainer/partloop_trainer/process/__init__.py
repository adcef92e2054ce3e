"""What the trainer is as a process: its job and messages, ranks, devices, disk and checkpoints."""

"""From files to batches: normal form, augmentation, sampling."""

"""The network: backbone, neck, K-Net head, losses and weights."""

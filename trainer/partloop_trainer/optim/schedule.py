"""Learning rate and image size as pure functions of the iteration: nothing to restore on resume."""

from __future__ import annotations

from ..settings import Settings

# Smith 2017: a cycle starts and ends at a share of the peak, and rises for half of its length.
BASE_SHARE = 0.1
UP_SHARE = 0.5
# exp_range: factor on the amplitude per iteration.
GAMMA = 0.99994
# poly: power of the decay, as in DeepLab (Chen et al. 2017).
POWER = 0.9


def rate_factor(settings: Settings, iteration: int) -> float:
    """Learning rate of an iteration as a share of the peak rate.

    cyclic: Smith 2017, "Cyclical learning rates for training neural networks": `cycles` whole cycles over the run, from
    the base up to the peak and back; triangular2 halves the amplitude each cycle, exp_range multiplies it by
    GAMMA^iteration. poly: (1 - progress)^POWER.
    """
    total = settings.iterations
    if settings.schedule == "cyclic":
        position = iteration * settings.cycles / total
        cycle = int(position)
        inside = position - cycle
        rise = inside / UP_SHARE if inside < UP_SHARE else (1 - inside) / (1 - UP_SHARE)
        amplitude = {"triangular": 1.0, "triangular2": 0.5**cycle, "exp_range": GAMMA**iteration}[settings.cycleMode]
        return BASE_SHARE + (1 - BASE_SHARE) * rise * amplitude
    return (1 - iteration / total) ** POWER if settings.schedule == "poly" else 1.0


def size_at(settings: Settings, iteration: int) -> int:
    """Image size of an iteration: the sizes of the schedule take equal parts of the run, in order."""
    sizes = settings.imageSizes or [settings.imageSize]
    return sizes[min(len(sizes) - 1, iteration * len(sizes) // settings.iterations)]

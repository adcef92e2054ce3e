"""Learning rate and image size as pure functions of the iteration: nothing to restore on resume."""

from __future__ import annotations

from .job import ImageJob, OptimJob


def rate_factor(settings: OptimJob, iteration: int) -> float:
    """Learning rate of an iteration as a share of the peak rate.

    cyclic: Smith 2017, "Cyclical learning rates for training neural networks": `cycles` whole cycles over the run, from
    the base up to the peak and back; triangular2 halves the amplitude each cycle, exp_range multiplies it by
    gamma^iteration. poly: (1 - progress)^power. poly and fixed start with a linear warm-up.
    """
    total = settings.iterations
    if settings.schedule == "cyclic":
        position = iteration * settings.cycles / total
        cycle = int(position)
        inside = position - cycle
        rise = inside / settings.upShare if inside < settings.upShare else (1 - inside) / (1 - settings.upShare)
        amplitude = {"triangular": 1.0, "triangular2": 0.5**cycle, "exp_range": settings.gamma**iteration}[
            settings.mode
        ]
        return settings.baseLrShare + (1 - settings.baseLrShare) * rise * amplitude
    warm = min(1.0, (iteration + 1) / settings.warmup) if settings.warmup else 1.0
    if settings.schedule == "poly":
        return warm * (1 - iteration / total) ** settings.power
    return warm


def size_at(settings: ImageJob, iterations: int, iteration: int) -> int:
    """Image size of an iteration: the sizes of the schedule take equal parts of the run, in order."""
    sizes = settings.scheduleSizes or [settings.size]
    return sizes[min(len(sizes) - 1, iteration * len(sizes) // iterations)]

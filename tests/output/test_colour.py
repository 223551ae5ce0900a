import numpy as np

from vr180_ofx.output.colour import unmixed


def test_the_foreground_is_found_on_a_synthetic_mixture():
    y, x = np.mgrid[:160, :160]
    alpha = np.clip((50 - np.hypot(x - 80, y - 80)) / 12 + 0.5, 0, 1).astype(np.float32)
    person, ground = np.array([0.9, 0.2, 0.1]), np.array([0.1, 0.6, 0.2])
    plate = (alpha[..., None] * person + (1 - alpha[..., None]) * ground).astype(np.float32)
    rim = (alpha > 0.2) & (alpha < 0.95)
    out = unmixed(plate, alpha)
    assert np.abs(out - person)[rim].mean() < 0.25 * np.abs(plate - person)[rim].mean()
    assert np.array_equal(out[alpha == 1], plate[alpha == 1])

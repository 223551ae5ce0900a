"""Which frames are beside a frame."""

from vr180_ofx.controls.shot import beside


def test_frames_beside_are_of_the_same_shot():
    shots = ((0, 4), (5, 9))
    assert [beside(n, shots) for n in (0, 2, 4, 5, 9)] == [(1,), (1, 3), (3,), (6,), (8,)]
    assert beside(0, ((0, 0),)) == ()

import pytest

from vr180_ofx.vr180.layout import Layout


@pytest.mark.parametrize(
    ("name", "swap", "left", "right", "size"),
    [
        ("sbs", False, (0, 0), (512, 0), (512, 300)),
        ("sbs", True, (512, 0), (0, 0), (512, 300)),
        ("tb", False, (0, 0), (0, 150), (1024, 150)),
    ],
)
def test_where_the_eyes_lie(name, swap, left, right, size):
    layout = Layout(name, 1024, 300, swap)
    assert (layout.origin("left"), layout.origin("right"), layout.eye_size) == (left, right, size)


def test_an_odd_column_belongs_to_nobody():
    layout = Layout("sbs", 1025, 512)
    assert layout.eye_size == (512, 512)
    assert layout.origin("right") == (513, 0)


def test_mono_has_one_eye():
    layout = Layout("mono", 640, 360)
    assert layout.views == ("left",)
    with pytest.raises(KeyError, match="no view 'right'"):
        layout.origin("right")


def test_a_frame_too_small_for_two_eyes():
    with pytest.raises(ValueError, match="cannot hold two eyes"):
        Layout("sbs", 1, 10)

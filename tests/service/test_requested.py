"""The settings that requests ask for."""

import pytest

from vr180_ofx.client import ServerProblem
from vr180_ofx.errors import ServiceError, SettingsError
from vr180_ofx.service.requested import http_sections, merged
from vr180_ofx.settings import Settings, every_setting

SERVER = Settings(processing={"max_memory_gb": 4, "chunk_size": 300}, stereo={"reference": "right"})


def test_what_is_asked_for_lies_over_the_servers_own():
    made = merged(SERVER, {"processing": {"chunk_size": 100}, "detection": {"model": "yolov8n"}})
    assert made == Settings(
        processing={"max_memory_gb": 4, "chunk_size": 100}, stereo={"reference": "right"}, detection={"model": "yolov8n"}
    )
    assert merged(SERVER, {}) == SERVER


@pytest.mark.parametrize(("section", "key", "traits"), [pytest.param(*s, id=f"{s[0]}.{s[1]}") for s in every_setting()])
def test_each_setting_is_taken_or_refused_as_it_says_of_itself(section, key, traits):
    asked = {section: {key: SERVER.model_dump(mode="json")[section][key]}}
    if traits.http:
        assert merged(SERVER, asked) == SERVER
        return
    status = 403 if section in http_sections() else 422
    with pytest.raises(ServiceError, match=f"{section}") as info:
        merged(SERVER, asked)
    assert info.value.http_status == status


def test_former_names_are_taken():
    made = merged(SERVER, {"stereo": {"master": "left", "consistency_mode": "master_slave"}})
    assert made.stereo.reference == "left" and made.stereo.consistency_mode == "reference_eye"
    with pytest.raises(SettingsError, match="both are given"):
        merged(SERVER, {"stereo": {"master": "left", "reference": "left"}})


def test_a_clip_that_is_opened_with_former_names_is_the_same_clip(live):
    now = live.open({"stereo": {"reference": "right", "consistency_mode": "joint"}})
    assert live.open({"stereo": {"master": "right", "consistency_mode": "joint"}}).id == now.id != live.open().id
    assert live.open({"stereo": {"consistency_mode": "master_slave"}}).id == live.open().id
    now.close()


@pytest.mark.parametrize(
    ("settings", "status", "said"),
    [
        ({"service": {"port": 1}}, 422, "allowed are input"),
        ({"hardware": {"threads": 1}}, 422, "section 'hardware'"),
        ({"matting": {"tracker_weights": "/etc/passwd"}}, 403, "not taken over HTTP"),
        ({"detection": {"weights": "x.pt"}}, 403, "not taken over HTTP"),
        ({"detection": {"model": "/tmp/evil.pt"}}, 403, "allowed are blazepose"),
        ({"matting": {"refinre": "none"}}, 422, "did you mean 'matting.refiner'"),
        ({"matting": []}, 422, "an object"),
        ({"processing": {"scale_factor": 0.3}}, 422, "0.25, 0.5, 1.0"),
        ({"processing": {"max_memory_gb": 4000}}, 403, "not taken"),
    ],
)
def test_settings_that_a_request_may_not_make(live, settings, status, said):
    with pytest.raises(ServerProblem, match=said) as info:
        live.server.open(str(live.clip), settings)
    assert info.value.status == status

"""What takes long does not hold up whoever asks for something else."""

import json
import threading
import time

import pytest

from tests.service.conftest import raw
from vr180_ofx.client import ServerProblem, ServerUnavailable, connect
from vr180_ofx.engine.limits import Ladder
from vr180_ofx.engine.plans import keep_plan
from vr180_ofx.engine.store import open_store
from vr180_ofx.media.open import open_clip
from vr180_ofx.people.plan import Plan
from vr180_ofx.service.jobs import JobRunner
from vr180_ofx.service.session import Session

PEOPLE = 150


def crowd(people=PEOPLE, frames=10, views=("left", "right")):
    """The document of a plan with many rows: somebody in each frame and eye."""
    rows = {
        str(n): {"box": [100.0, 120.0, 180.0, 400.0], "hips": [140.0, 260.0], "top": [140.0, 130.0], "score": 0.9} for n in range(frames)
    }
    persons = [{"id": k + 1, "name": f"p{k}", "exclude": False, "shot": 0, "views": dict.fromkeys(views, rows)} for k in range(people)]
    return {"format": "vr180-ofx plan", "version": 1, "clip": {}, "shots": [[0, frames - 1]], "notes": [], "people": persons}


def answered_meanwhile(live, work):
    """How often the server says that it is well between the beginning and the end of ``work``, which is a request."""
    done = threading.Event()

    def asked():
        try:
            work()
        finally:
            done.set()

    server = connect(live.address, str(live.token_file))
    thread = threading.Thread(target=asked)
    thread.start()
    count = 0
    while not done.is_set():
        server.health()
        count += not done.is_set()
    thread.join()
    return count


def test_a_long_plan_holds_nobody_up(live, clip):
    """Its digest, its tracks and its reading are the work of threads."""
    path = f"/v1/clips/{clip.id}/people"
    kind = {"Content-Type": "application/json"}
    clip.replace_people(crowd())
    said = []
    edit = json.dumps({"edits": [{"op": "rename", "person": 1, "name": "zoe"}]}).encode()
    # refused, but not before the plan's digest is known
    assert answered_meanwhile(live, lambda: said.append(raw(live, "POST", f"{path}/edits", {**kind, "If-Match": '"other"'}, edit)[0])) >= 5
    assert said == [412]
    # other settings share the plan, which has to be read
    other = live.server.open(str(live.clip), {"matting": {"refiner": "none"}})
    other.close()
    assert answered_meanwhile(live, lambda: said.append(live.server.open(str(live.clip), {"matting": {"refiner": "none"}}))) >= 5
    said[-1].close()


def test_an_edit_computes_no_digest(people_clip, tmp_path, monkeypatch):
    monkeypatch.setenv("VR180_OFX_CACHE", str(tmp_path / "cache"))  # the plan that it keeps is nobody else's
    with open_clip(people_clip) as clip:
        settings = clip.settings
        keep_plan(clip, settings, Plan.from_data(crowd(2), clip))
        jobs = JobRunner()
        session = Session(clip, settings, open_store(settings), jobs, Ladder(settings.processing.max_memory_gb * 2**30))
        before = session.plan
        assert session.correct([{"op": "exclude", "person": 1}], str) == "0-9"
        assert not {"_digest"} & {*vars(before), *vars(session.plan)}
        session.check_match(f'"{session.plan.digest()}"')
        session.forget_corrections()


@pytest.mark.slow
def test_ending_does_not_wait_for_an_edit(make_live):
    live = make_live()
    clip = live.open()
    clip.replace_people(crowd(600))
    said = []

    def ask(k):
        try:
            clip.edit({"op": "rename", "person": 1, "name": f"zoe{k}"})
        except (ServerProblem, ServerUnavailable) as error:
            said.append(str(error))

    # one after the other they would take more than a minute
    asking = [threading.Thread(target=ask, args=(k,)) for k in range(30)]
    for thread in asking:
        thread.start()
    time.sleep(2)
    assert live.stop() == 0
    for thread in asking:
        thread.join(30)
    assert len(said) > 10 and set(said) == {"the server is being closed"}
    assert "Traceback" not in (live.folder / "log").read_text()

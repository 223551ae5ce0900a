"""Several clips: where each goes, and what becomes of all when one fails. What is rendered for real is in tests/cli/test_many.py."""

import errno
from pathlib import Path

import pytest

from vr180_ofx.errors import ExitStatus, MediaError, OutputError, SettingsError
from vr180_ofx.media.discover import ClipPath
from vr180_ofx.rendering.many import TOKENS, filled, plan_jobs, run_jobs, status_of, worst
from vr180_ofx.rendering.report import RenderReport


@pytest.fixture
def there(tmp_path, monkeypatch):
    """Makes empty files; names are seen from there."""
    monkeypatch.chdir(tmp_path)

    def make(*names):
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(b"")

    return make


def places(clips, output, **more):
    return [str(j.folder) for j in plan_jobs(clips, output, "exr", **more).jobs]


def test_one_clip_goes_where_it_was_sent(there):
    there("a.mp4")
    batch = plan_jobs(["a.mp4"], "out", "exr")
    assert not batch.several and [str(j.folder) for j in batch.jobs] == ["out"]
    assert places(["a.mp4"], "out/{clip}_{format}.{ext}") == ["out/a_exr.mp4"] and places(["a.mp4"], "o{{ut}}") == ["o{ut}"]


def test_several_get_folders_of_their_own_or_what_tokens_say(there):
    there("day/a.mp4", "day/b.mov")
    assert places(["day/a.mp4", "day/b.mov"], "out") == ["out/a", "out/b"] == places(["day"], "out")
    assert places(["day"], "out/{folder}/{ext}-{clip}") == ["out/day/mp4-a", "out/day/mov-b"]
    # one folder for all, when that is asked for: their files are called differently
    assert places(["day"], "out/{format}") == ["out/exr", "out/exr"]
    # a folder with one clip is laid out as it will be when there are two
    there("one/c.mp4")
    assert places(["one"], "out") == ["out/c"]


def test_plans_are_named_by_tokens_too(there):
    there("a.mp4", "b.mp4")
    jobs = plan_jobs(["a.mp4", "b.mp4"], "out", "exr", plan="plans/{clip}.json").jobs
    assert [str(j.plan) for j in jobs] == ["plans/a.json", "plans/b.json"]
    assert plan_jobs(["a.mp4"], "out", "exr", plan="a.json").jobs[0].plan == Path("a.json")
    with pytest.raises(SettingsError, match=r"is one plan, and there are 2 clips; name them by tokens"):
        plan_jobs(["a.mp4", "b.mp4"], "out", "exr", plan="a.json")


@pytest.mark.parametrize("text", ["out/{shot}", "out/{}", "out/{clip.name}", "{clip!r}", "{0}", "out/{ clip}"])
def test_a_token_that_there_is_not_is_refused_with_those_that_there_are(there, text):
    there("a.mp4")
    with pytest.raises(SettingsError, match="is no token; allowed are") as said:
        plan_jobs(["a.mp4"], text, "exr")
    assert all(f"{{{name}}}" in str(said.value) for name in TOKENS)
    with pytest.raises(SettingsError, match="is no token"):
        plan_jobs(["a.mp4"], "out", "exr", plan=text)


@pytest.mark.parametrize("text", ["out/{clip", "out}", "{{{"])
def test_a_brace_alone_is_refused(there, text):
    there("a.mp4")
    with pytest.raises(SettingsError, match="a brace itself is written twice"):
        plan_jobs(["a.mp4"], text, "exr")


def test_clips_that_would_be_written_over_each_other_are_refused(there):
    there("cam1/a.mp4", "cam2/a.mp4", "cam1/a.mov")
    with pytest.raises(OutputError, match=r"cam1/a.mp4 and cam2/a.mp4 are both called a, .* in out/a; .* -o 'out/\{folder\}/\{clip\}'"):
        plan_jobs(["cam1/a.mp4", "cam2/a.mp4"], "out", "exr")
    assert places(["cam1/a.mp4", "cam2/a.mp4"], "out/{folder}/{clip}") == ["out/cam1/a", "out/cam2/a"]
    with pytest.raises(OutputError, match=r"-o 'out/\{ext\}/\{clip\}'"):
        plan_jobs(["cam1/a.mp4", "cam1/a.mov"], "out/{clip}", "exr")
    with pytest.raises(OutputError, match="folders of their own, one after the other"):
        plan_jobs(["cam1/a.mp4", "cam2/a.mp4"], "{folder}/../same/{ext}", "exr")
    # a way around is the same place
    there("x/b.mp4", "y/b.mp4")
    with pytest.raises(OutputError, match="written over each other"):
        plan_jobs(["x/b.mp4", "y/b.mp4"], "out/{folder}/..", "exr")


def test_names_lead_nowhere_else():
    assert filled("out/{clip}", ClipPath(Path("x"), "..", "d", "mp4"), "exr") == "out/_"
    assert filled("out/{clip}", ClipPath(Path("x"), "a/../b", "d", "mp4"), "exr") == "out/a_.._b"
    assert filled("out/{clip}", ClipPath(Path("x"), "{folder}", "d", "mp4"), "exr") == "out/{folder}"


def test_nothing_is_made_before_it_is_its_turn(there, tmp_path):
    there("a.mp4", "b.mp4")
    plan_jobs(["a.mp4", "b.mp4", "gone.mp4"], "out", "exr")
    assert not (tmp_path / "out").exists()


def report(**facts):
    return RenderReport("out", "out/a.exr", **facts)


def make_of(**results):
    def make(job):
        result = results[job.clip.name]
        if isinstance(result, BaseException):
            raise result
        return result

    return make


def test_what_fails_keeps_nobody_from_their_turn(there):
    there("a.mp4", "b.mp4", "c.mp4", "d.mp4", "e.mp4")
    jobs = plan_jobs([f"{x}.mp4" for x in "abcde"], "out", "exr").jobs
    begun, ended = [], []
    outcomes = run_jobs(
        jobs,
        make_of(a=report(written=3), b=MediaError("b is damaged"), c=report(missing=[1]), d=OSError(errno.ENOSPC, "full"), e=KeyError("x")),
        begin=lambda number, job: begun.append((number, job.clip.name)), ended=lambda outcome: ended.append(outcome.job.clip.name),
    )  # fmt: skip
    assert [o.word for o in outcomes] == ["done", "failed", "incomplete", "failed", "failed"] and outcomes[1].error == "b is damaged"
    assert begun == list(enumerate("abcde", 1)) and ended == list("abcde") and "should not happen: KeyError" in outcomes[4].error
    assert worst(o.status for o in outcomes) == ExitStatus.BUG
    rows = [o.to_dict() for o in outcomes]
    assert rows[0]["report"]["written"] == 3 and rows[1]["report"] is None and [r["status"] for r in rows] == [0, 3, 3, 4, 1]


def test_an_interrupt_ends_all_and_says_who_was_not_begun(there):
    there("a.mp4", "b.mp4", "c.mp4")
    jobs = plan_jobs(["a.mp4", "b.mp4", "c.mp4"], "out", "exr").jobs
    outcomes = run_jobs(jobs, make_of(a=report(), b=KeyboardInterrupt()))
    assert [o.word for o in outcomes] == ["done", "interrupted", "not begun"] and worst(
        o.status for o in outcomes
    ) == ExitStatus.INTERRUPTED
    # a library made an error of its own of it
    outcomes = run_jobs(jobs, make_of(a=ImportError("half loaded")), stopped=lambda: True)
    assert [o.word for o in outcomes] == ["interrupted", "not begun", "not begun"]


def test_warnings_count_where_that_is_asked_for():
    assert status_of(report(warnings=["x"])) == ExitStatus.DONE and status_of(report(warnings=["x"]), strict=True) == ExitStatus.WARNED
    assert status_of(report(lost=3, warnings=["x"]), strict=True) == ExitStatus.INPUT
    assert worst([]) == ExitStatus.DONE and worst([ExitStatus.WARNED, ExitStatus.DONE]) == ExitStatus.WARNED
    assert worst(list(ExitStatus)) == ExitStatus.INTERRUPTED

"""What is there of a sequence, and what is left of it when it is given up."""

from pathlib import Path

from tests.engine.numbers import number_clip
from vr180_ofx.engine.frame import Frame
from vr180_ofx.output.contract import Job
from vr180_ofx.output.image_sequence import ImageSequenceWriter
from vr180_ofx.people.plan import Plan


class Texts(ImageSequenceWriter):
    """The least that a writer is: a file of text for each of two eyes."""

    def paths(self, index):
        return [self._job.folder / f"{eye}.{index}.txt" for eye in ("left", "right")]

    def write(self, frame, source):
        for path in self.paths(frame.index):
            path.write_text("whole")

    def _is_whole(self, path):
        return path.is_file() and path.read_text() == "whole"


def job(folder):
    clip = number_clip()
    return Job(clip, Plan.of_nobody(clip), clip.settings, folder, "text", "", (3, 4))


def test_a_frame_is_there_when_all_its_files_are_whole(tmp_path):
    writer = Texts(job(tmp_path))
    assert not writer.present(3)
    writer.write(Frame(3, {}), None)
    assert writer.present(3) and not writer.present(4) and writer.finish() == []
    Path(tmp_path / "right.3.txt").write_text("hal")
    assert not writer.present(3)


def test_what_is_given_up_leaves_whole_files_alone(tmp_path):
    writer = Texts(job(tmp_path))
    writer.write(Frame(3, {}), None)
    (tmp_path / ".left.4.0123abcd.vr180-ofx.part.txt").write_text("hal")
    writer.abort()
    assert writer.present(3) and len(list(tmp_path.iterdir())) == 2

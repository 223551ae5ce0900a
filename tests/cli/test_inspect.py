import json

from tests.cli.conftest import cli


def test_inspect_a_clip(capsys, people_clip):
    status, said, _ = cli(capsys, "inspect", str(people_clip), "--json")
    assert status == 0 and json.loads(said)["layout"] == "sbs" and json.loads(said)["audio"] == ["aac 48000 Hz"]

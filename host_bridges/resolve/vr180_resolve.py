"""What the scripts for Resolve and Fusion share: the panel, and rendering behind it. Python 3.9 and later, the standard library alone.

Neither host waits: the frame server works in a process of its own, and the panel's timer looks how far it is. Where the host has no
UIManager (the free Resolve since 19.1), the script renders with the node's defaults and what vr180_matte.json beside the clip says, and
tells the console.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vr180_ofx import client as vr180
else:
    import vr180_client as vr180

NODE = vr180.Node()
HOST = "resolve"
PARAMETERS = [p for p in NODE.data["parameters"] if HOST not in p["absent"]]
ACTIONS = [a for a in NODE.data["actions"] if HOST not in a["absent"]]
_TICK_MS = 100


class HostError(Exception):
    """What the host does not have or does not do. The message says what to do."""


@contextlib.contextmanager
def host_call(doing: str) -> Iterator[None]:
    """Around calls of the host: whatever goes wrong in it is a HostError that says at what. doing: for people."""
    try:
        yield
    except HostError:
        raise
    except Exception as error:
        # what a version does not have is None where its method should be
        missing = isinstance(error, TypeError) and "NoneType" in str(error)
        why = "this version does not have a call that is needed" if missing else f"{type(error).__name__}: {error}"
        raise HostError(f"the host failed at {doing}: {why}") from error


def pattern_of(path: str) -> str:
    """An image sequence as the frame server names it: plate.[1001-1100].exr, as Resolve has it, is plate.%04d.exr."""
    return re.sub(r"\[(\d+)-\d+\](?=\.[^.\\/]+$)", lambda m: f"%0{len(m.group(1))}d", path)


def sequence_of(paths: list[Path]) -> str:
    """Files of one sequence as Resolve names them: clip.[0001-0010].exr."""
    stem, first, ending = paths[0].name.rsplit(".", 2)
    last = paths[-1].name.rsplit(".", 2)[1]
    return str(paths[0].with_name(f"{stem}.[{first}-{last}].{ending}"))


class Job:
    """One clip's matte: the values, the link, and what is running.

    finish(files, values, facts): puts the rendered files into the host; called on the host's thread.
    """

    def __init__(self, path: str, finish: Any) -> None:
        self.values: dict[str, Any] = {p["name"]: p["default"] for p in PARAMETERS}
        self.values["clip"] = path
        self.finish = finish
        self.status = ""
        self.people = ""
        self.task: vr180.Task | None = None
        self._then: Any = None
        self._link: vr180.Link | None = None

    def link(self) -> vr180.Link:
        link = NODE.link(self.values)
        if self._link is None or self._link.key != link.key:
            self._link = link
        return self._link

    def press(self, name: str) -> None:
        """What a button does. It returns at once; `tick` sees the end."""
        if name == "cancel":
            if self.task is not None:
                self.task.cancel.cancel()
            return
        if self.task is not None:
            self.status = "something is running already; cancel it first"
            return
        self.status = "working"
        try:
            self._start(name)
        except (HostError, ValueError, OSError) as error:
            self.status = str(error)

    def _start(self, name: str) -> None:
        link = self.link()
        if name == "render":
            self._render(link)
            return
        asks: dict[str, Any] = {
            "analyse": None, "reconnect": None, "clear_cache": lambda clip: clip.clear_cache(),
            "forget_corrections": lambda clip: clip.forget_corrections(),
        }  # fmt: skip
        if name == "reconnect":
            link.forget()
        self.task, self._then = vr180.analyse_task(link, first=asks[name]), self._show_people

    def _render(self, link: vr180.Link) -> None:
        v = self.values
        if not v["folder"]:
            # beside the clip, where the host's own render caches lie, too
            v["folder"] = str(Path(v["clip"]).parent / f"{vr180.clip_stem(v['clip'])}_vr180_matte")
        frames = NODE.ranges(v["frames"], int(v["first_frame"]))
        layout = "whole" if v["view"] == "auto" else "per_view_files"
        output = {"exr_preset": "resolve", "exr_layout": layout, **NODE.output(v), "start_frame": max(0, int(v["first_frame"]))}
        self.task = vr180.render_task(link, v["folder"], frames, output, edges=NODE.edges(v))
        self._then = self._rendered

    def _show_people(self, facts: dict[str, Any]) -> None:
        self.people = ", ".join(f"{p['id']} {p['name']}" for p in facts["people"]) or "nobody"
        self.status = "done"

    def _rendered(self, report: dict[str, Any]) -> None:
        facts = self.link().clip().facts
        files = rendered_files(self.values, facts)
        try:
            with host_call("bringing the matte in"):
                self.finish(files, self.values, facts)
        except HostError as error:
            raise HostError(f"{error}. The files are in {self.values['folder']}") from None
        self.status = f"{report.get('written', 0)} frames written, {report.get('kept', 0)} were there; the matte is in place"

    def tick(self) -> bool:
        """Looks how far it is. Whether something is running still."""
        task = self.task
        if task is None:
            return False
        if task.state == "running":
            self.status = f"{task.text}: {task.done} of {task.total}" if task.total else task.text or "working"
            return True
        self.task = None
        if task.state == "done":
            try:
                self._then(task.result)
            except (HostError, vr180.ServerProblem, vr180.ServerUnavailable) as error:
                self.status = str(error)
        else:
            self.status = "cancelled; what was written is whole" if task.state == "cancelled" else task.text
        return False

    @property
    def share(self) -> float:
        return self.task.done / self.task.total if self.task is not None and self.task.total else 0.0


def rendered_files(values: dict[str, Any], facts: dict[str, Any]) -> dict[str, list[Path]]:
    """view -> its files in order; ``whole`` for both eyes in one picture. Raises HostError when there are none."""
    stem, folder = vr180.clip_stem(facts["path"]), Path(values["folder"])
    if values["view"] == "auto":
        names = {"whole": f"{stem}.[0-9]*.exr"}
    else:
        wanted = facts["views"] if values["view"] == "both" else [v for v in facts["views"] if v == values["view"]]
        names = {view: f"{stem}_{view}.[0-9]*.exr" for view in wanted}
    files = {view: sorted(folder.glob(name)) for view, name in names.items()}
    if not files or not all(files.values()):
        raise HostError(
            f"the rendered files are not in {folder}; does the frame server run on another machine, whose disk is not mounted here?"
        )
    return files


# the panel -----------------------------------------------------------------------------------------------------------


def widgets(ui: Any, values: dict[str, Any]) -> list[Any]:
    """A row for every parameter, and the buttons, group by group."""
    rows = []
    for group, label in NODE.data["groups"]:
        rows.append(ui.Label({"Text": label, "Weight": 0, "Font": ui.Font({"Bold": True})}))
        for p in PARAMETERS:
            if p["group"] == group and p["kind"] != "message":
                name = ui.Label({"Text": p["label"], "ToolTip": p["help"], "Weight": 0.3})
                rows.append(ui.HGroup({"Weight": 0}, [name, _field(ui, p, values[p["name"]])]))
        buttons = [ui.Button({"ID": a["name"], "Text": a["label"], "ToolTip": a["help"]}) for a in ACTIONS if a["group"] == group]
        if buttons:
            rows.append(ui.HGroup({"Weight": 0}, buttons))
    return [*rows, ui.Label({"ID": "people_list", "Text": "", "WordWrap": True}), ui.Label({"ID": "status", "Text": "", "WordWrap": True})]


def _field(ui: Any, p: dict[str, Any], value: Any) -> Any:
    about = {"ID": p["name"], "ToolTip": p["help"], "Weight": 0.7}
    if p["kind"] == "bool":
        return ui.CheckBox({**about, "Checked": bool(value)})
    if p["kind"] == "int":
        return ui.SpinBox({**about, "Minimum": int(p["minimum"]), "Maximum": int(p["maximum"]), "Value": int(value)})
    if p["kind"] == "float":
        return ui.DoubleSpinBox({**about, "Minimum": p["minimum"], "Maximum": p["maximum"], "SingleStep": 0.05, "Value": float(value)})
    if p["kind"] == "choice":
        return ui.ComboBox(about)
    return ui.LineEdit({**about, "Text": str(value), "PlaceholderText": p["help"]})


def fill(items: Any, values: dict[str, Any]) -> None:
    """Choices can only be put in once the window is there."""
    for p in PARAMETERS:
        if p["kind"] == "choice":
            items[p["name"]].AddItems(list(p["choices"]))
            items[p["name"]].CurrentIndex = p["choices"].index(str(values[p["name"]]))


def read(items: Any) -> dict[str, Any]:
    """The values as the panel shows them."""
    out: dict[str, Any] = {}
    for p in PARAMETERS:
        if p["kind"] == "message":
            continue
        item = items[p["name"]]
        if p["kind"] == "bool":
            out[p["name"]] = bool(item.Checked)
        elif p["kind"] in ("int", "float"):
            out[p["name"]] = item.Value
        elif p["kind"] == "choice":
            out[p["name"]] = p["choices"][int(item.CurrentIndex)]
        else:
            out[p["name"]] = item.Text
    return out


def show_panel(fusion: Any, bmd: Any, job: Job) -> None:
    """The window, until it is closed. What is running then is cancelled."""
    ui = fusion.UIManager
    dispatcher = bmd.UIDispatcher(ui)
    window = dispatcher.AddWindow(
        {"ID": "vr180", "WindowTitle": NODE.data["label"], "Geometry": [100, 100, 460, 900]}, [ui.VGroup(widgets(ui, job.values))]
    )
    items = window.GetItems()
    fill(items, job.values)
    timer = ui.Timer({"ID": "tick", "Interval": _TICK_MS})

    def pressed(name: str) -> Any:
        def handler(_event: Any) -> None:
            try:
                with host_call("reading the panel"):
                    job.values.update(read(items))
                job.press(name)
            except HostError as error:
                job.status = str(error)
            items["status"].Text = job.status

        return handler

    for a in ACTIONS:
        window.On[a["name"]].Clicked = pressed(a["name"])

    def tick(_event: Any) -> None:
        job.tick()
        items["status"].Text = job.status
        items["people_list"].Text = job.people

    def closed(_event: Any) -> None:
        job.press("cancel")
        try:
            timer.Stop()
        finally:
            # a loop that is not left keeps the host from its own windows
            dispatcher.ExitLoop()

    dispatcher.On.Timeout = tick
    window.On.vr180.Close = closed
    timer.Start()
    window.Show()
    dispatcher.RunLoop()
    window.Hide()


def without_panel(job: Job, say: Any) -> None:
    """Renders at once, and tells the console."""
    own = Path(job.values["clip"]).parent / "vr180_matte.json"
    if job.values["clip"] and own.exists():
        try:
            job.values.update({k: v for k, v in json.loads(own.read_text(encoding="utf-8")).items() if k in job.values})
        except (OSError, ValueError, AttributeError) as error:
            say(f"{own} is not read: {error}")
    job.press("render")
    said = ""
    while job.tick():
        if job.status != said:
            said = job.status
            say(said)
        time.sleep(_TICK_MS / 1000)
    say(job.status)


def run(fusion: Any, bmd: Any, job: Job, say: Any = print) -> None:
    """The panel where the host has one."""
    try:
        with host_call("showing the panel"):
            if getattr(fusion, "UIManager", None) is not None and hasattr(bmd, "UIDispatcher"):
                show_panel(fusion, bmd, job)
                return
    except HostError as error:
        job.press("cancel")
        say(str(error))
        return
    without_panel(job, say)

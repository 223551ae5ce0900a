"""As much of Resolve's and Fusion's scripting as the bridge calls. Resolve's part is held against the stubs of its API."""

import re
import time
from pathlib import Path
from typing import Any

import OpenEXR


class MediaPoolItem:
    def __init__(self, path, kind="Video", frames=10):
        self.path, self.kind, self.frames = str(path), kind, frames

    def GetClipProperty(self, propertyName=None):
        known = {"File Path": self.path, "Type": self.kind, "Frames": str(self.frames)}
        return known if propertyName is None else known.get(propertyName, "")

    def GetMediaId(self):
        return f"id-{self.path}"


class TimelineItem:
    def __init__(self, clip, start, source, frames):
        self.clip, self.start, self.source, self.frames = clip, start, source, frames

    def GetMediaPoolItem(self):
        return self.clip

    def GetStart(self, subframe_precision=False):
        return self.start

    def GetSourceStartFrame(self):
        return self.source

    def GetDuration(self, subframe_precision=False):
        return self.frames


class Timeline:
    def __init__(self, item=None):
        self.item, self.tracks, self.locked = item, 1, False

    def GetCurrentVideoItem(self):
        return self.item

    def GetTrackCount(self, trackType):
        assert trackType == "video"
        return self.tracks

    def AddTrack(self, trackType, newTrackOptions):
        assert trackType == "video" and newTrackOptions["index"] == self.tracks + 1
        self.tracks += not self.locked
        return not self.locked


class MediaPool:
    def __init__(self, selected=()):
        self.selected, self.imported, self.appended = list(selected), [], []

    def GetSelectedClips(self):
        return self.selected

    def ImportMedia(self, items):
        """Reads the first and last file, as Resolve does."""
        (info,) = items
        for n in (info["StartIndex"], info["EndIndex"]):
            with OpenEXR.File(info["FilePath"] % n) as file:
                assert file.channels()
        self.imported.append(MediaPoolItem(info["FilePath"], "Video", info["EndIndex"] - info["StartIndex"] + 1))
        return [self.imported[-1]]

    def AppendToTimeline(self, clips):
        self.appended += clips
        return [TimelineItem(c["mediaPoolItem"], c["recordFrame"], c["startFrame"], c["endFrame"] - c["startFrame"] + 1) for c in clips]


def _listing(folder):
    """What is in a folder; the files of a sequence are one entry."""
    out: dict[str, list[str]] = {}
    for path in sorted(Path(folder).iterdir()):
        found = re.fullmatch(r"(.*?)(\d+)(\.[^.]+)", path.name)
        out.setdefault(f"{found.group(1)}\0{found.group(3)}" if found else path.name, []).append(found.group(2) if found else "")
    names = [k.replace("\0", v[0] if len(v) == 1 else f"[{v[0]}-{v[-1]}]") for k, v in out.items()]
    return [str(Path(folder) / name) for name in names]


class MediaStorage:
    def __init__(self):
        self.mattes, self.refuses = [], False

    def GetFileList(self, folderPath):
        return _listing(folderPath)

    def AddClipMattesToMediaPool(self, mediaPoolItem, paths, stereoEye=None):
        assert stereoEye in (None, "left", "right") and all(p in _listing(str(Path(p).parent)) for p in paths)
        if self.refuses:
            return False
        self.mattes.append((mediaPoolItem, paths, stereoEye))
        return True


class Project:
    def __init__(self, timeline, pool):
        self.timeline, self.pool = timeline, pool

    def GetCurrentTimeline(self):
        return self.timeline

    def GetMediaPool(self):
        return self.pool


class ProjectManager:
    def __init__(self, project):
        self.project = project

    def GetCurrentProject(self):
        return self.project


class Resolve:
    def __init__(self, project, fusion=None):
        self.manager, self.storage, self.fusion = ProjectManager(project), MediaStorage(), fusion
        self.version = [19, 1, 3, 7, ""]

    def GetVersion(self):
        return self.version

    def GetProjectManager(self):
        return self.manager

    def GetMediaStorage(self):
        return self.storage

    def Fusion(self):
        return self.fusion


# Fusion ---------------------------------------------------------------------------------------------------------------


class Output:
    def __init__(self, tool):
        self.tool = tool

    def GetTool(self):
        return self.tool


class Input:
    def __init__(self, name):
        self.name, self.value, self.source = name, None, None

    def GetAttrs(self):
        return {"INPS_ID": self.name}

    def GetConnectedOutput(self):
        return None if self.source is None else Output(self.source)


class Tool:
    KNOWN = {  # noqa: RUF012 - a table
        "Loader": ("Clip", "GlobalIn", "GlobalOut"),
        "MatteControl": ("Background", "Foreground", "MatteCombine", "CombineOp", "InvertMatte"),
        "MediaIn": (), "Merge": ("Background", "Foreground"), "Saver": ("Input",),
    }  # fmt: skip

    def __init__(self, kind, name, selected=False):
        self.kind, self.name, self.selected = kind, name, selected
        self.inputs = {n: Input(n) for n in self.KNOWN[kind]}

    def GetAttrs(self):
        return {"TOOLS_RegID": self.kind, "TOOLS_Name": self.name}

    def SetAttrs(self, attrs):
        self.name = attrs["TOOLS_Name"]

    def SetInput(self, name, value):
        self.inputs[name].value = value

    def GetInput(self, name):
        return self.inputs[name].value

    def ConnectInput(self, name, target):
        self.inputs[name].source = target

    def GetInputList(self):
        return dict(enumerate(self.inputs.values(), 1))


class Comp:
    def __init__(self, *tools):
        self.tools, self.locks, self.undo = list(tools), 0, []

    def GetToolList(self, selected=False):
        return dict(enumerate((t for t in self.tools if t.selected or not selected), 1))

    def AddTool(self, kind, x, y):
        assert self.locks == 1
        self.tools.append(Tool(kind, f"{kind}{len(self.tools)}"))
        return self.tools[-1]

    def tool(self, name):
        return next(t for t in self.tools if t.name == name)

    def Lock(self):
        self.locks += 1

    def Unlock(self):
        self.locks -= 1

    def StartUndo(self, name):
        self.undo.append(name)

    def EndUndo(self, keep):
        self.undo.append(keep)


class Item:
    """A widget: what it was made with, as attributes."""

    def __init__(self, kind, attributes=None, children=()):
        self.kind, self.children = kind, children
        self.choices, self.CurrentIndex, self.Text, self.Value, self.Checked = [], 0, "", 0, False
        for name, value in (attributes or {}).items():
            setattr(self, name, value)

    def AddItems(self, names):
        self.choices += names

    def Start(self):
        self.running = True

    def Stop(self):
        self.running = False


class Handlers:
    """window.On.Button.Clicked = f, and window.On["Button"].Clicked = f."""

    def __init__(self):
        self.all = {}

    def __getitem__(self, name):
        return self.all.setdefault(name, type("Events", (), {})())

    def __getattr__(self, name):
        return self[name]


class Window:
    def __init__(self, attributes, children):
        self.On, self.attributes, self.shown = Handlers(), attributes, False
        self.items = {}
        todo = list(children)
        while todo:
            one = todo.pop()
            todo += one.children
            if getattr(one, "ID", None):
                self.items[one.ID] = one

    def GetItems(self):
        return self.items

    def Show(self):
        self.shown = True

    def Hide(self):
        self.shown = False


class UIManager:
    def __getattr__(self, kind):
        def make(*arguments):
            attributes = next((a for a in arguments if isinstance(a, dict)), {})
            children = next((a for a in arguments if isinstance(a, list)), [])
            return Item(kind, attributes, children)

        return make


class Dispatcher:
    """user: a generator that is given the window; it acts, and yields when Resolve is to go on."""

    def __init__(self, user):
        self.user, self.over = user, False
        self.window: Window | None = None
        #: whatever handlers it is given
        self.On: Any = type("Events", (), {})()

    def AddWindow(self, attributes, children):
        self.window = Window(attributes, children)
        return self.window

    def RunLoop(self):
        assert self.window is not None and self.window.shown
        acts = self.user(self.window)
        end = time.monotonic() + 120
        while not self.over:
            assert time.monotonic() < end, self.window.items["status"].Text
            self.On.Timeout({})
            try:
                next(acts)
            except StopIteration:
                self.window.On.vr180.Close({})
            time.sleep(0.01)

    def ExitLoop(self):
        self.over = True


class Bmd:
    def __init__(self, user=None, resolve=None):
        self.user, self.resolve = user, resolve

    def scriptapp(self, name):
        return self.resolve if name == "Resolve" else None

    def UIDispatcher(self, _manager):
        return Dispatcher(self.user)


class Fusion:
    def __init__(self, panel=True):
        self.UIManager = UIManager() if panel else None

"""As much of Nuke's Python as the bridge calls. Scripts are read by Tcl itself, which is what they are written in."""

import functools
import queue
import threading
import time
import tkinter
import types
from typing import Any, ClassVar


@functools.cache
def _tcl():
    """One for all, which is never let go: Tcl ends the program when that happens on another thread."""
    return tkinter.Tcl()


class Knob:
    def __init__(self, name, kind="", value=None):
        self._name, self.kind, self._value = name, kind, value
        self.executed = 0
        self.words: dict[str, str] = {}
        self.choices: list[str] = []

    def name(self):
        return self._name

    def value(self):
        return self._value

    def setValue(self, value):
        assert threading.current_thread() is threading.main_thread(), "Nuke's nodes belong to its main thread"
        if self.kind == 4 and value not in self.choices:
            raise ValueError(f"{value} is not among {self.choices}")
        self._value = value

    def execute(self):
        assert threading.current_thread() is threading.main_thread()
        self.executed += 1


class Node:
    def __init__(self, kind, name):
        self.kind, self._name = kind, name
        self._knobs, self._inputs, self._children = {}, {}, {}
        self.parent = None
        for knob, value in (("tile_color", 0), ("disable", False), ("name", name)):
            self._knobs[knob] = Knob(knob, value=value)

    def Class(self):
        return self.kind

    def name(self):
        return self._name

    def fullName(self):
        return self._name

    def knob(self, name):
        return self._knobs.get(name)

    def knobs(self):
        return self._knobs

    def input(self, index):
        return self._inputs.get(index)

    def firstFrame(self):
        return int(self._knobs["first_frame"].value())

    def lastFrame(self):
        return int(self._knobs["last_frame"].value())

    def inputs(self):
        return 1 + max(self._inputs, default=-1)

    def setInput(self, index, node):
        self._inputs[index] = node

    def node(self, name):
        return self._children.get(name)


class ProgressTask:
    """Like Nuke's, it may be used from any thread. cancel_at: the share at which the user cancels."""

    made: ClassVar[list["ProgressTask"]] = []
    cancel_at: float | None = None

    def __init__(self, title):
        self.title, self.shares, self.messages = title, [], []
        ProgressTask.made.append(self)

    def setProgress(self, share):
        self.shares.append(share)

    def setMessage(self, text):
        self.messages.append(text)

    def isCancelled(self):
        return ProgressTask.cancel_at is not None and bool(self.shares) and self.shares[-1] >= ProgressTask.cancel_at


class Nuke(types.ModuleType):
    """The module ``nuke``. user_frame: what the time line shows. bridge: our module in it, once it is started."""

    bridge: types.ModuleType

    def __init__(self, gui=True):
        super().__init__("nuke")
        self.GUI = gui
        self.ProgressTask = ProgressTask
        ProgressTask.made.clear()
        ProgressTask.cancel_at = None
        self._nodes, self._callbacks = {}, {}
        self._mail: queue.Queue[tuple[Any, ...]] = queue.Queue()
        self._this = (None, None)
        self._selected = []
        self.messages, self.printed = [], []
        self.user_frame, self._views = 1, ["main"]
        self._root = Node("Root", "root")
        for name, value in (("format", ""), ("fps", 24), ("first_frame", 1), ("last_frame", 100)):
            self._root._knobs[name] = Knob(name, value=value)

    # what the bridge calls

    def addOnCreate(self, call, args=(), kwargs={}, nodeClass="*"):  # noqa: B006 - as Nuke has it
        self._callbacks.setdefault("create", []).append((call, nodeClass))

    def addKnobChanged(self, call, args=(), kwargs={}, nodeClass="*", node=None):  # noqa: B006
        self._callbacks.setdefault("knob", []).append((call, nodeClass))

    def addUpdateUI(self, call, args=(), kwargs={}, nodeClass="*"):  # noqa: B006
        self._callbacks.setdefault("update", []).append((call, nodeClass))

    def addOnDestroy(self, call, args=(), kwargs={}, nodeClass="*"):  # noqa: B006
        self._callbacks.setdefault("destroy", []).append((call, nodeClass))

    def addBeforeFrameRender(self, call, args=(), kwargs={}, nodeClass="Write"):  # noqa: B006
        self._callbacks.setdefault("frame", []).append((call, nodeClass))

    def executeInMainThread(self, call, args=(), kwargs={}):  # noqa: B006
        self._mail.put((call, args if isinstance(args, tuple) else (args,), kwargs))

    def selectedNodes(self):
        return self._selected

    def nodePaste(self, s):
        with open(s) as stream:
            return self._read(stream.read())[-1]

    def allNodes(self, filter=None, recurseGroups=False):
        return [n for n in self._nodes.values() if filter in (None, n.kind)]

    def toNode(self, s):
        return self._nodes.get(s)

    def thisNode(self):
        return self._this[0]

    def thisKnob(self):
        return self._this[1]

    def frame(self):
        return self.user_frame

    def views(self):
        return list(self._views)

    def addView(self, s):
        self._views.append(s)

    def addFormat(self, s):
        self.formats = [*getattr(self, "formats", []), s]

    def root(self):
        return self._root

    def message(self, prompt):
        self.messages.append(prompt)

    def tprint(self, *args):
        self.printed.append(" ".join(map(str, args)))

    def scriptOpen(self, s):
        with open(s) as stream:
            self._read(stream.read())

    def execute(self, nameOrNode, start, end):
        for frame in range(start, end + 1):
            self.render(frame, nameOrNode.input(0))

    def executing(self):
        return False

    # what a user and Nuke itself do

    def _words(self, text):
        return _tcl().splitlist(text)

    def _read(self, text):
        """Makes the nodes of a script; groups hold theirs."""
        made: list[Node] = []
        groups: list[Node] = []
        stacks: list[list[Node]] = [[]]
        words = list(self._words("\n".join(line for line in text.splitlines() if not line.startswith(("#!", "version")))))
        while words:
            kind = words.pop(0)
            if kind == "end_group":
                groups.pop()
                stacks.pop()
                continue
            node = self._node(kind, words.pop(0))
            if kind == "Root":
                continue
            # a node takes its inputs from the stack, the first one from its top, and goes there itself
            for index in range(int(node.knob("inputs").value()) if node.knob("inputs") else 1):
                node.setInput(index, stacks[-1].pop() if stacks[-1] else None)
            stacks[-1].append(node)
            if groups:
                groups[-1]._children[node.name()] = node
            else:
                self._nodes[node.name()] = node
                made.append(node)
            if kind == "Group":
                groups.append(node)
                stacks.append([])
                # Nuke may call before what is inside is there
                self.fire("create", node)
        for node in made:
            self.fire("create", node)
        return made

    def _node(self, kind, body):
        words = list(self._words(body))
        pairs = [(words[i], words[i + 1]) for i in range(0, len(words), 2)]
        node = Node(kind, dict(pairs).get("name", kind))
        if kind == "Read":
            for name, value in (("file", ""), ("first", 1), ("last", 1), ("reload", None), ("colorspace", "default")):
                node._knobs[name] = Knob(name, value=value)
        if kind == "Shuffle":
            node._knobs["in"] = Knob("in", value="rgba")
        for name, value in pairs:
            if name == "addUserKnob":
                self._user_knob(node, self._words(value))
            elif name in node._knobs:
                knob = node._knobs[name]
                knob._value = self._typed(knob.kind, value)
            else:
                node._knobs[name] = Knob(name, value=value)
        return node

    def _user_knob(self, node, words):
        kind, name, more = int(words[0]), words[1], list(words[2:])
        empty = {1: "", 2: "", 3: 0, 4: None, 6: False, 7: 0.0, 15: [0, 0, 0, 0]}.get(kind, "")
        knob = node._knobs[name] = Knob(name, kind, empty)
        knob.words = dict(zip(more[::2], more[1::2], strict=False)) if more and not more[0].startswith("+") else {}
        if kind == 4:
            knob.choices = list(self._words(knob.words["M"]))
            knob._value = knob.choices[0]

    @staticmethod
    def _typed(kind, value):
        if kind in (3,):
            return int(value)
        if kind == 7:
            return float(value)
        return value == "true" if kind == 6 else value

    def fire(self, what, node, knob=None):
        before, self._this = self._this, (node, knob)
        try:
            for call, kind in self._callbacks.get(what, []):
                if kind in ("*", node.kind):
                    call()
        finally:
            self._this = before

    def set(self, node, name, value):
        """What a user does in the panel."""
        node.knob(name).setValue(value)
        self.fire("knob", node, node.knob(name))

    def click(self, node, name):
        """Runs the script of a button, as Nuke does."""
        script = node.knob(name).words["T"]
        before, self._this = self._this, (node, node.knob(name))
        try:
            exec(script, {"nuke": self})
        finally:
            self._this = before

    def go_to(self, frame):
        self.user_frame = frame
        for node in list(self._nodes.values()):
            self.fire("update", node)

    def pump(self, until, timeout=60):
        """Nuke's main loop."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            while not self._mail.empty():
                call, args, kwargs = self._mail.get()
                call(*args, **kwargs)
            if until():
                return
            time.sleep(0.01)
        raise AssertionError("what was waited for did not come")

    def render(self, frame, of=None):
        """A Write makes a frame of the node ``of``; None: nobody can tell of which."""
        self.user_frame = frame
        write = Node("Write", "Write1")
        write.setInput(0, of)
        self.fire("frame", write)

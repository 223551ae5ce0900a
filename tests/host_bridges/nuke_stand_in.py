"""As much of Nuke's Python as the bridge calls. Scripts are read by Tcl itself, which is what they are written in.

What a Read shows at a frame, and what its metadata say, follows the manual: "Changing the Relation Between the Current Frame and the Frame
Read In", and "Metadata".
"""

import functools
import os
import queue
import re
import threading
import time
import tkinter
import types
from typing import Any, ClassVar


@functools.cache
def _tcl():
    """One for all, which is never let go: Tcl ends the program when that happens on another thread."""
    made = tkinter.Tcl()
    made.createcommand("getenv", lambda name: os.environ.get(name, ""))
    return made


class CancelledError(Exception):
    pass


class Undo:
    """The undo history. steps: what *Undo* would offer, one for each knob that was written, or for each group."""

    steps: ClassVar[list[str]] = []
    _off = 0
    _group: ClassVar[list[str] | None] = None
    _name = ""

    @classmethod
    def disable(cls):
        cls._off += 1

    @classmethod
    def enable(cls):
        assert cls._off
        cls._off -= 1

    @classmethod
    def disabled(cls):
        return bool(cls._off)

    @classmethod
    def begin(cls):
        cls._group, cls._name = [], ""

    @classmethod
    def name(cls, name):
        cls._name = name

    @classmethod
    def end(cls):
        if cls._group:
            cls.steps.append(cls._name)
        cls._group = None

    @classmethod
    def _record(cls, what):
        if not cls._off:
            (cls.steps if cls._group is None else cls._group).append(what)


class Knob:
    #: The script in which something was written last.
    root: ClassVar[Any] = None

    def __init__(self, name, kind="", value=None):
        self._name, self.kind, self._value = name, kind, value
        self.executed = self.written = 0
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
        Undo._record(self._name)
        self._value, self.written = value, self.written + 1
        if Knob.root is not None:
            Knob.root._modified = True

    def execute(self):
        assert threading.current_thread() is threading.main_thread()
        self.executed += 1

    def x(self):
        return float(self._value[0])

    def y(self):
        return float(self._value[1])

    #: What moves it: frame -> number, from keys, or from an expression.
    curve: Any = None
    is_expression = False

    def isAnimated(self):
        return self.curve is not None and not self.is_expression

    def hasExpression(self, index=-1):
        return self.curve is not None and self.is_expression

    def valueAt(self, time):
        assert threading.current_thread() is threading.main_thread()
        return float(self.curve(time))


class Format:
    def __init__(self, width, height):
        self._size = width, height

    def width(self):
        return self._size[0]

    def height(self):
        return self._size[1]


class Node:
    def __init__(self, kind, name):
        self.kind, self._name = kind, name
        self._knobs, self._inputs = {}, {}
        self._parent: Any = None
        for knob, value in (("tile_color", 0), ("disable", False), ("name", name)):
            self._knobs[knob] = Knob(knob, value=value)

    def Class(self):
        return self.kind

    def name(self):
        return self._name

    def fullName(self):
        return self._name if self._parent is None else f"{self._parent.fullName()}.{self._name}"

    def parent(self):
        return self._parent

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

    def _source(self, time):
        """(the node that this one's picture at a frame comes from, at which frame there)."""
        if self.kind == "Input":
            return self._parent.input(self._knobs["number"].value()), time
        if self.kind == "TimeOffset":
            return self.input(0), time - int(self._knobs["time_offset"].value())
        if self.kind == "FrameHold":
            return self.input(0), int(self._knobs["first_frame"].value())
        return self.input(int(self._knobs["which"].value()) if self.kind == "Switch" else 0), time

    def format(self):
        if self.kind == "Read":
            return Format(*_size(_evaluated(self._knobs["file"].value()), int(self._knobs["origfirst"].value())))
        source = self._source(1)[0]
        return source.format() if source is not None else Format(2048, 1556)

    def metadata(self, key, time=1, view=""):
        if self.kind != "Read":
            source, at = self._source(time)
            return None if source is None else source.metadata(key, at)
        number = file_number(self, time)
        name = _evaluated(self._knobs["proxy" if Knob.root.proxy() and self._knobs["proxy"].value() else "file"].value())
        if number is None or self._knobs.get("silent"):
            return None
        numbered = re.search(r"%\d*d", name)
        return {"input/filename": name % number if numbered else name, "input/frame": number}.get(key)


class Group(Node):
    def __init__(self, kind, name):
        super().__init__(kind, name)
        self._children = {}

    def node(self, name):
        return self._children.get(name)

    def nodes(self):
        return list(self._children.values())

    def output(self):
        return next((n for n in self.nodes() if n.kind == "Output"), None)

    def _source(self, time):
        return self.output(), time


class Reader(Node):
    """A reader of a studio's own: its picture is another Read's, and nobody can look inside."""

    def __init__(self, name, read):
        super().__init__("StudioReader", name)
        self._read = read

    def _source(self, time):
        return self._read, time


def _evaluated(text):
    return str(_tcl().call("subst", text))


@functools.cache
def _size(name, first):
    """The size of a picture on the disk; of one that is not there, Nuke's default."""
    import av

    name = name % first if re.search(r"%\d*d", name) else name
    if not os.path.exists(name):
        return 2048, 1556
    with av.open(name) as container:
        return container.streams.video[0].width, container.streams.video[0].height


def file_number(read, frame):
    """The number of the frame that a Read shows, None for black, as the manual says."""
    knobs = {k: knob.value() for k, knob in read.knobs().items()}
    first, last, text = knobs["first"], knobs["last"], str(knobs["frame"] or "frame")
    number = frame
    if knobs["frame_mode"] == "expression":
        number = int(_tcl().call("expr", text.replace("frame", f"({frame})")))
    elif knobs["frame"] and knobs["frame_mode"] == "start at":
        number = first + frame - int(text)
    elif knobs["frame"]:
        number = frame + int(text)
    if not first <= number <= last:
        how, count = knobs["before" if number < first else "after"], last - first + 1
        if how == "black":
            return None
        number = {"hold": min(max(number, first), last), "loop": first + (number - first) % count}[how]
    return number


class ProgressTask:
    """Like Nuke's, it may be used from any thread. cancel_at: the share at which the user cancels; cancel_on: the message."""

    made: ClassVar[list["ProgressTask"]] = []
    cancel_at: float | None = None
    cancel_on: str | None = None

    def __init__(self, title):
        self.title, self.shares, self.messages = title, [], []
        ProgressTask.made.append(self)

    def setProgress(self, share):
        self.shares.append(share)

    def setMessage(self, text):
        self.messages.append(text)

    def isCancelled(self):
        if ProgressTask.cancel_on is not None and any(ProgressTask.cancel_on in m for m in self.messages):
            return True
        return ProgressTask.cancel_at is not None and bool(self.shares) and self.shares[-1] >= ProgressTask.cancel_at


#: Knobs of nodes, with the numbers of their kinds: those that a script leaves out have these values.
_OF_THEIR_OWN = {
    "Read": (
        ("file", "", ""), ("proxy", "", ""), ("first", 3, 1), ("last", 3, 1), ("origfirst", 3, 1), ("origlast", 3, 1), ("reload", "", None),
        ("frame_mode", "", "expression"), ("frame", "", ""), ("before", "", "hold"), ("after", "", "hold"), ("colorspace", "", "default"),
    ),
    "Shuffle": (("in", "", "rgba"),), "Input": (("number", 3, 0),), "Switch": (("which", 3, 0),),
}  # fmt: skip


class Root(Group):
    def __init__(self):
        super().__init__("Root", "root")
        self._modified = self._proxy = False
        for name, value in (("format", ""), ("fps", 24), ("first_frame", 1), ("last_frame", 100)):
            self._knobs[name] = Knob(name, value=value)

    def modified(self):
        return self._modified

    def setModified(self, modified):
        self._modified = modified

    def proxy(self):
        return self._proxy


class Nuke(types.ModuleType):
    """The module ``nuke``. user_frame: what the time line shows. bridge: our module in it, once it is started."""

    bridge: types.ModuleType

    def __init__(self, gui=True):
        super().__init__("nuke")
        self.GUI = gui
        self.ProgressTask, self.Undo, self.CancelledError = ProgressTask, Undo, CancelledError
        ProgressTask.made.clear()
        ProgressTask.cancel_at = ProgressTask.cancel_on = None
        Undo.steps.clear()
        self._nodes, self._callbacks = {}, {}
        self._mail: queue.Queue[tuple[Any, ...]] = queue.Queue()
        self._this = (None, None)
        self._selected = []
        self.messages, self.printed = [], []
        self.user_frame, self._views = 1, ["main"]
        self._root = Root()
        Knob.root = self._root
        self._filters = []

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

    def addFilenameFilter(self, call, args=(), kwargs={}, nodeClass="*"):  # noqa: B006
        self._filters.append(call)

    def filenameFilter(self, filename):
        for call in self._filters:
            filename = call(filename) or filename
        return filename

    def filename(self, node, i=0):
        """With expressions evaluated, patterns kept; the proxy's in proxy mode."""
        name = node.knob("proxy" if self._root.proxy() and node.knob("proxy").value() else "file").value()
        return _evaluated(name) or None

    def tcl(self, cmd, *args):
        try:
            return str(_tcl().call(cmd, *args))
        except tkinter.TclError as error:
            raise RuntimeError(str(error)) from None

    def expression(self, s):
        try:
            return float(_tcl().call("expr", s.replace("frame", str(self.user_frame))))
        except tkinter.TclError as error:
            raise RuntimeError(str(error)) from None

    def _everything(self):
        todo = list(self._nodes.values())
        while todo:
            node = todo.pop(0)
            yield node
            todo += node.nodes() if isinstance(node, Group) else []

    def allNodes(self, filter=None, recurseGroups=False):
        return [n for n in (self._everything() if recurseGroups else self._nodes.values()) if filter in (None, n.kind)]

    def toNode(self, s):
        return next((n for n in self._everything() if n.fullName() == s), None)

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
        groups: list[Group] = []
        stacks: list[list[Node]] = [[]]
        kept: dict[str, Node] = {}
        words = list(self._words("\n".join(line for line in text.splitlines() if not line.startswith(("#!", "version")))))
        while words:
            kind = words.pop(0)
            if kind == "set":
                name, position = words.pop(0), words.pop(0) + " " + words.pop(0)
                assert position == "[stack 0]"
                kept[f"${name}"] = stacks[-1][-1]
                continue
            if kind == "push":
                stacks[-1].append(kept[words.pop(0)])
                continue
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
                node._parent = groups[-1]
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
        node = (Group if kind == "Group" else Node)(kind, dict(pairs).get("name", kind))
        for name, number, value in _OF_THEIR_OWN.get(kind, ()):
            node._knobs[name] = Knob(name, number, value)
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
        empty = {1: "", 2: "", 3: 0, 4: None, 6: False, 7: 0.0, 12: [0, 0], 15: [0, 0, 0, 0]}.get(kind, "")
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
        Undo.steps.clear()
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
        for node in list(self._everything()):
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

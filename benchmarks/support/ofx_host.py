"""A host for OpenFX image effects: the suites that plug-ins need, by ctypes, written from the specification.

Variadic functions of the parameter and message suites are declared with fixed arguments, which is the same to the processor on
x86-64 and on 64-bit Arm, other than Apple's.
"""

import ctypes as C
import itertools
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np

OK, FAILED, BAD_HANDLE, BAD_INDEX, UNKNOWN, REPLY_NO, REPLY_DEFAULT = 0, 1, 9, 10, 3, 13, 14
P, S, I, D = C.c_void_p, C.c_char_p, C.c_int, C.c_double  # noqa: E741 - as in the specification's tables
SAMPLES = {np.dtype(np.float32): b"OfxBitDepthFloat", np.dtype(np.float16): b"OfxBitDepthHalf",
           np.dtype(np.uint16): b"OfxBitDepthShort", np.dtype(np.uint8): b"OfxBitDepthByte"}  # fmt: skip


class RectD(C.Structure):
    _fields_ = [("x1", D), ("y1", D), ("x2", D), ("y2", D)]


class OfxHostStruct(C.Structure):
    _fields_ = [("host", P), ("fetchSuite", C.CFUNCTYPE(P, P, S, I))]


class OfxPluginStruct(C.Structure):
    _fields_ = [("api", S), ("version", I), ("identifier", S), ("major", C.c_uint), ("minor", C.c_uint),
                ("set_host", C.CFUNCTYPE(None, C.POINTER(OfxHostStruct))), ("main", C.CFUNCTYPE(I, S, P, P, P))]  # fmt: skip


class Props:
    """A property set: name -> list of values. type: of what it belongs to."""

    #: of an image: what its data lie in
    array: np.ndarray

    def __init__(self, **values: Any) -> None:
        self.values = {k: list(v) if isinstance(v, (list, tuple)) else [v] for k, v in values.items()}
        self._kept: list[Any] = []

    def get(self, name, other=None):
        return self.values.get(name, [other])[0]


class Parameter:
    def __init__(self, kind: str, name: str) -> None:
        self.kind, self.name, self.props = kind, name, Props()
        #: whose it is; a descriptor's has none
        self.effect: Effect
        self.value: Any = None
        self.kept: dict[int, Any] = {}


class Clip:
    #: whose clip it is; a descriptor's has none
    effect: "Effect"

    def __init__(self, name: str) -> None:
        self.name, self.props = name, Props()
        self.images: dict[Any, tuple[np.ndarray, tuple[float, float]]] = {}  # (time or None, view or None) -> (array, (x1, y1))
        #: the whole, of which images may be tiles: in canonical coordinates, and in pixels as images have it
        self.rod: tuple[float, ...] | None = None
        self.pixels: tuple[int, ...] | None = None
        #: further properties of its images
        self.told: dict[str, Any] = {}


class Effect:
    """A descriptor or an instance. Pictures are arrays with rows from the top, (height, width, 4) or (height, width)."""

    def __init__(self, host: "Host") -> None:
        self.host, self.props = host, Props()
        self.clips: dict[str, Clip] = {}
        self.params: dict[str, Parameter] = {}
        #: (kind, text) of messages that stay, and None where they were taken away
        self.persistent: list[tuple[str, str] | None] = []
        self.said: list[tuple[str, str]] = []
        #: title, shares, "end"
        self.progress: list[Any] = []
        self.cancel_at: float | None = None
        self.abort: Callable[[], bool] = lambda: False
        self.views: list[str] | None = None
        self.held = 0
        #: properties of the handle itself, as MLT has some
        self.values: dict[str, list[Any]] = {}
        self._kept: list[Any] = []
        #: parameters that the plug-in has set
        self.set: list[str] = []

    @property
    def message(self) -> str:
        """The text that the node shows last; empty where it was taken away."""
        last = self.persistent[-1] if self.persistent else None
        return last[1] if last else ""


class Host:
    """Loads one plug-in and drives it."""

    def __init__(
        self,
        bundle: str | Path,
        suites: Iterable[str] = (),
        *,
        unset: Iterable[tuple[str, int]] = (),
        name: str = "vr180-ofx test host",
        tells_path: bool = True,
    ) -> None:
        """suites: names that this host does not have. unset: functions of a suite, by its name and their place, that are no function.

        name: what it calls itself. tells_path: whether it says where a bundle lies, as MLT does not.
        """  # fmt: skip
        self.absent = set(suites)
        self.unset = set(unset)
        self.tells_path = tells_path
        binary = next(Path(bundle).glob("Contents/*/*.ofx"))
        self.library = C.CDLL(str(binary))
        self.library.OfxGetPlugin.restype = C.POINTER(OfxPluginStruct)
        assert self.library.OfxGetNumberOfPlugins() == 1 and not self.library.OfxGetPlugin(1)
        self.plugin = self.library.OfxGetPlugin(0).contents
        self.bundle = Path(bundle)
        self.handles: dict[int, Any] = {}
        self.numbers = itertools.count(1000)
        self._kept: list[Any] = []
        self.lock = threading.Lock()
        self.threads = 2
        #: the status of multiThread, and how many of its parts it does before
        self.thread_status, self.thread_parts = OK, 1 << 30
        self.errors: list[str] = []
        #: whether this thread renders
        self.here = threading.local()
        self.suites = self._make_suites()
        fetch = OfxHostStruct._fields_[1][1](self._fetch)
        self.struct = OfxHostStruct(self.handle(Props(OfxPropName=name)), fetch)
        self.plugin.set_host(C.byref(self.struct))

    # handles are numbers that mean nothing to the plug-in

    def handle(self, thing):
        with self.lock:
            number = getattr(thing, "_handle", None)
            if number is None:
                number = thing._handle = next(self.numbers)
                self.handles[number] = thing
            return number

    def forget(self, thing):
        with self.lock:
            self.handles.pop(getattr(thing, "_handle", -1), None)

    def _fetch(self, _host, name, version):
        suite = self.suites.get((name.decode(), version))
        return None if suite is None or name.decode() in self.absent else C.addressof(suite)

    def _suite(self, name, *functions):
        """A structure of function pointers; a Python error becomes a status and is remembered."""
        members = []
        for place, (types, function) in enumerate(functions):
            kind = C.CFUNCTYPE(I, *types)
            members.append(kind(self._guarded(function)) if function and (name, place) not in self.unset else kind())
        self._kept.append(members)
        fields = [(f"f{i}", type(m)) for i, m in enumerate(members)]
        return type("Suite", (C.Structure,), {"_fields_": fields})(*members)

    def _guarded(self, function):
        def call(*arguments):
            try:
                answer = function(*arguments)
            except KeyError:
                return UNKNOWN
            except Exception as error:  # noqa: BLE001 - ctypes would only print it
                self.errors.append(repr(error))
                return FAILED
            return OK if answer is None else answer

        return call

    def _make_suites(self):
        props = self.handles.__getitem__

        def setter(convert):
            def set_one(set_, name, index, value):
                values = props(set_).values.setdefault(name.decode(), [])
                assert 0 <= index <= len(values), f"{name} is set at {index} of {len(values)}"
                values[index : index + 1] = [convert(value)]

            return set_one

        def setter_n(set_one):
            def set_all(set_, name, count, values):
                for i in range(count):
                    set_one(set_, name, i, values[i])

            return set_all

        def getter(kind):
            def get_one(set_, name, index, out):
                values = props(set_).values[name.decode()]
                if not 0 <= index < len(values):
                    return BAD_INDEX
                value = values[index]
                # as HostSupport: a property of another type is none
                if (kind is I and isinstance(value, float)) or (kind is D and isinstance(value, int)):
                    return UNKNOWN
                if kind is S:
                    value = value.encode() if isinstance(value, str) else value
                    keep = props(set_)._kept
                    keep.append(C.create_string_buffer(value))
                    C.cast(out, C.POINTER(P))[0] = C.addressof(keep[-1])
                else:
                    C.cast(out, C.POINTER(kind))[0] = value
                return OK

            return get_one

        def getter_n(kind):
            one, size = getter(kind), C.sizeof(P if kind is S else kind)

            def get_all(set_, name, count, out):
                for i in range(count):
                    status = one(set_, name, i, out + i * size)
                    if status != OK:
                        return status
                return OK

            return get_all

        def dimension(set_, name, out):
            C.cast(out, C.POINTER(I))[0] = len(props(set_).values[name.decode()])

        text = lambda v: v.decode()  # noqa: E731
        kinds = ((P, lambda v: v), (S, text), (D, float), (I, int))
        sets = [((P, S, I, kind), setter(convert)) for kind, convert in kinds]
        sets_n = [((P, S, I, C.POINTER(kind)), setter_n(setter(convert))) for kind, convert in kinds]
        gets = [((P, S, I, P), getter(kind)) for kind, _ in kinds]
        gets_n = [((P, S, I, P), getter_n(kind)) for kind, _ in kinds]
        reset = ((P, S), lambda set_, name: props(set_).values.pop(name.decode()) and None)
        property_suite = self._suite("OfxPropertySuite", *sets, *sets_n, *gets, *gets_n, reset, ((P, S, P), dimension))
        return {
            ("OfxPropertySuite", 1): property_suite,
            ("OfxImageEffectSuite", 1): self._effect_suite(),
            ("OfxParameterSuite", 1): self._parameter_suite(),
            ("OfxMessageSuite", 2): self._message_suite(),
            ("OfxProgressSuite", 1): self._progress_suite(),
            ("OfxMultiThreadSuite", 1): self._thread_suite(),
            ("uk.co.thefoundry.FnOfxImageEffectPlaneSuite", 2): self._view_suite(),
        }

    @staticmethod
    def _put(out, value, kind=P):
        if out:
            C.cast(out, C.POINTER(kind))[0] = value

    def _effect_suite(self):
        get = self.handles.__getitem__

        def clip_define(effect, name, out):
            e = get(effect)
            clip = e.clips.setdefault(name.decode(), Clip(name.decode()))
            self._put(out, self.handle(clip.props))

        def clip_handle(effect, name, out, out_props):
            clip = get(effect).clips.get(name.decode())
            if clip is None:
                return BAD_HANDLE
            self._put(out, self.handle(clip))
            self._put(out_props, self.handle(clip.props))
            return OK

        def clip_image(clip, time, _region, out):
            c = get(clip)
            found = c.images.get(time, c.images.get(None))
            if found is None:
                return FAILED
            array, (x1, y1) = found
            height, width = array.shape[:2]
            # rows from the bottom: the first row in memory is the lowest
            components = {1: "Alpha", 3: "RGB", 4: "RGBA"}[array.shape[2] if array.ndim == 3 else 1]
            image = Props(
                OfxImagePropData=array.ctypes.data, OfxImagePropRowBytes=array.strides[0], OfxImagePropBounds=(x1, y1, x1 + width, y1 + height),
                OfxImageEffectPropComponents=f"OfxImageComponent{components}",
                OfxImageEffectPropPixelDepth=SAMPLES[array.dtype].decode(),
                OfxImagePropPixelAspectRatio=c.props.get("OfxImagePropPixelAspectRatio", 1.0), **c.told,
            )  # fmt: skip
            if c.pixels is not None:
                image.values["OfxImagePropRegionOfDefinition"] = list(c.pixels)
            image.array = array
            self._put(out, self.handle(image))
            c.effect.held += 1
            return OK

        def release(image):
            with self.lock:
                clips = [x for x in self.handles.values() if isinstance(x, Clip)]
            for clip in clips:
                if any(a is get(image).array for a, _ in clip.images.values()):
                    clip.effect.held -= 1
                    break
            self.forget(get(image))

        def rod(clip, _time, out):
            if get(clip).rod is None:
                return FAILED
            C.cast(out, C.POINTER(RectD))[0] = RectD(*get(clip).rod)
            return OK

        return self._suite(
            "OfxImageEffectSuite",
            ((P, P), lambda e, out: self._put(out, self.handle(get(e).props))),
            ((P, P), lambda e, out: self._put(out, e)),
            ((P, S, P), clip_define),
            ((P, S, P, P), clip_handle),
            ((P, P), lambda c, out: self._put(out, self.handle(get(c).props))),
            ((P, D, P, P), clip_image),
            ((P,), release),
            ((P, D, P), rod),
            ((P,), lambda e: int(bool(get(e).abort()))),
            *[((P, P, P), None)] * 4,
        )

    def _parameter_suite(self):
        get = self.handles.__getitem__

        def define(effect, kind, name, out):
            p = Parameter(kind.decode(), name.decode())
            assert p.name not in get(effect).params, f"{p.name} is defined twice"
            get(effect).params[p.name] = p
            self._put(out, self.handle(p.props))

        def handle(effect, name, out, out_props):
            p = get(effect).params.get(name.decode())
            if p is None:
                return BAD_HANDLE
            self._put(out, self.handle(p))
            self._put(out_props, self.handle(p.props))
            return OK

        def value(param, out, time=0.0):
            p = get(param)
            now = p.value(time) if callable(p.value) else p.value
            if p.kind == "OfxParamTypeDouble":
                self._put(out, now, D)
            elif p.kind == "OfxParamTypeString":
                # good until this thread asks again
                p.kept[threading.get_ident()] = text = C.create_string_buffer(now.encode())
                self._put(out, C.addressof(text))
            else:
                self._put(out, int(now), I)

        def set_value(param, new):
            p = get(param)
            assert self.here.action != "OfxImageEffectActionRender", f"{p.name} is set in a render"
            if p.kind == "OfxParamTypeInteger":
                p.value = (new or 0) & 0xFFFFFFFF
            else:
                assert p.kind == "OfxParamTypeString", "this plug-in sets texts and whole numbers alone"
                text = C.cast(new, S).value
                assert text is not None, f"{p.name} is set to no text"
                p.value = text.decode()
            p.effect.set.append(p.name)

        none = ((P,), None)
        return self._suite(
            "OfxParameterSuite", ((P, S, S, P), define), ((P, S, P, P), handle), none, ((P, P), lambda p, out: self._put(out, self.handle(get(p).props))),
            ((P, P), value), ((P, D, P), lambda p, time, out: value(p, out, time)), none, none, ((P, P), set_value), *[none] * 9,
        )  # fmt: skip

    def _message_suite(self):
        get = self.handles.__getitem__

        def message(effect, kind, _id, form, text):
            assert form == b"%s"
            get(effect).said.append((kind.decode(), text.decode()))

        def persistent(effect, kind, _id, form, text):
            assert form == b"%s"
            get(effect).persistent.append((kind.decode(), text.decode()))

        kinds = (P, S, S, S, S)
        return self._suite("OfxMessageSuite", (kinds, message), (kinds, persistent), ((P,), lambda e: get(e).persistent.append(None)))

    def _progress_suite(self):
        get = self.handles.__getitem__

        def update(effect, share):
            e = get(effect)
            e.progress.append(share)
            cancelled = getattr(e.progress, "cancelled", lambda: e.cancel_at is not None and share >= e.cancel_at)
            return REPLY_NO if cancelled() else OK

        return self._suite(
            "OfxProgressSuite",
            ((P, S), lambda e, text: get(e).progress.append(text.decode())),
            ((P, D), update),
            ((P,), lambda e: get(e).progress.append("end")),
        )

    def _thread_suite(self):
        kind = C.CFUNCTYPE(None, C.c_uint, C.c_uint, P)

        def run(function, count, argument):
            call = kind(function)
            workers = [threading.Thread(target=call, args=(i, count, argument)) for i in range(min(count, self.thread_parts))]
            for w in workers:
                w.start()
            for w in workers:
                w.join()
            return self.thread_status

        return self._suite(
            "OfxMultiThreadSuite", ((P, C.c_uint, P), run), ((P,), lambda out: self._put(out, self.threads, C.c_uint)), *[((P,), None)] * 7
        )

    def _view_suite(self):
        get = self.handles.__getitem__
        keep = {}

        def name(effect, view, out):
            names = get(effect).views
            if names is None or not 0 <= view < len(names):
                return FAILED
            keep[view] = C.create_string_buffer(names[view].encode())
            self._put(out, C.addressof(keep[view]))
            return OK

        def count(effect, out):
            self._put(out, len(get(effect).views or ["main"]), I)

        return self._suite(
            "uk.co.thefoundry.FnOfxImageEffectPlaneSuite",
            ((P, D, I, S, P, P), None),
            ((P, D, I, P), None),
            ((P, I, P), name),
            ((P, P), count),
        )

    # actions

    def call(self, action: str, effect: Effect | None = None, arguments: Props | None = None, answers: Props | None = None) -> int:
        """The status of an action. No error of this host may have happened in it."""
        handles = [None if x is None else self.handle(x) for x in (effect, arguments, answers)]
        self.here.action = action
        status: int = self.plugin.main(action.encode(), *handles)
        self.here.action = ""
        assert not self.errors, self.errors
        return status

    def load(self) -> int:
        self.plugin.set_host(C.byref(self.struct))
        return self.call("OfxActionLoad")

    def describe(self, context: str = "OfxImageEffectContextFilter") -> Effect:
        """The descriptor in a context."""
        e = Effect(self)
        if self.tells_path:
            e.props.values["OfxPluginPropFilePath"] = [str(self.bundle)]
        assert self.call("OfxActionDescribe", e) in (OK, REPLY_DEFAULT)
        inside = Effect(self)
        inside.props = e.props
        status = self.call("OfxImageEffectActionDescribeInContext", inside, Props(OfxImageEffectPropContext=context))
        assert status in (OK, REPLY_DEFAULT)
        return inside

    def create(
        self,
        context: str = "OfxImageEffectContextFilter",
        *,
        connected: bool = True,
        frames: tuple[float, float] | None = (1, 10),
        told: dict[str, Any] | None = None,
    ) -> Effect:
        """An instance with the parameters' defaults.

        frames: the first and last frame of the input, None where the host does not say. told: properties of the instance.
        """  # fmt: skip
        described = self.describe(context)
        e = Effect(self)
        e.props.values |= Props(**(told or {})).values
        for name, clip in described.clips.items():
            e.clips[name] = Clip(name)
            e.clips[name].effect = e
            e.clips[name].props.values |= clip.props.values | {"OfxImageClipPropConnected": [int(name == "Output" or connected)]}
            if frames is not None:
                e.clips[name].props.values["OfxImageEffectPropFrameRange"] = [float(f) for f in frames]
        for name, p in described.params.items():
            if p.kind in ("OfxParamTypeGroup", "OfxParamTypePage", "OfxParamTypePushButton"):
                continue
            e.params[name] = Parameter(p.kind, name)
            e.params[name].effect = e
            e.params[name].value = p.props.get("OfxParamPropDefault")
        assert self.call("OfxActionCreateInstance", e) == OK
        return e

    def set(self, effect: Effect, **values: Any) -> None:
        for name, value in values.items():
            effect.params[name].value = value
            self.call(
                "OfxActionInstanceChanged",
                effect,
                Props(OfxPropType="OfxTypeParameter", OfxPropName=name, OfxPropTime=0.0, OfxPropChangeReason="OfxChangeUserEdited"),
            )

    def press(self, effect: Effect, name: str, time: float = 1.0) -> int:
        return self.call(
            "OfxActionInstanceChanged",
            effect,
            Props(OfxPropType="OfxTypeParameter", OfxPropName=name, OfxPropTime=time, OfxPropChangeReason="OfxChangeUserEdited"),
        )

    def render(
        self, effect, time, source, *, window=None, scale=1.0, view=None, draft=0, bounds=None, target=None, par=1.0, told=None, names=None
    ):
        """(status, picture with rows from the top). source: the input, or the shape and type of the output where there is no input.

        window, bounds: (x1, y1, x2, y2) in pixels, y upwards. par: how wide a pixel is. told: further arguments of the action.
        names: further properties of the input's picture.
        """
        connected = effect.clips["Source"].props.get("OfxImageClipPropConnected")
        height, width = source.shape[:2]
        bounds = bounds or (0, 0, width, height)
        lower = np.ascontiguousarray(source[::-1])
        target = np.full_like(lower, 77) if target is None else target
        for name, array in (("Source", lower if connected else None), ("Output", target)):
            clip = effect.clips[name]
            clip.images = {} if array is None else {None: (array, bounds[:2])}
            clip.rod = (
                tuple(v / scale * (1 if i % 2 else par) for i, v in enumerate(bounds)) if array is not None or name == "Output" else None
            )
            clip.pixels = None if clip.rod is None else tuple(bounds)
            clip.props.values["OfxImagePropPixelAspectRatio"] = [float(par)]
            clip.told = (names or {}) if name == "Source" else {}
        arguments = Props(
            OfxPropTime=float(time), OfxImageEffectPropRenderWindow=tuple(window or bounds), OfxImageEffectPropRenderScale=(scale, scale),
            OfxImageEffectPropRenderQualityDraft=draft, OfxImageEffectPropFieldToRender="OfxFieldNone",
        )  # fmt: skip
        arguments.values |= Props(**(told or {})).values
        if view is not None:
            arguments.values["uk.co.thefoundry.OfxImageEffectPropView"] = [view]
        status = self.call("OfxImageEffectActionRender", effect, arguments)
        return status, target[::-1]

    def destroy(self, effect: Effect) -> int:
        assert effect.held == 0, "images are not released"
        return self.call("OfxActionDestroyInstance", effect)

    def unload(self) -> int:
        return self.call("OfxActionUnload")

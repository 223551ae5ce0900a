"""In Fusion, alone or inside of Resolve: the matte of the selected Loader or MediaIn, as a Loader and a MatteControl behind it."""

from __future__ import annotations

import glob
import re
from pathlib import Path
from typing import Any

import vr180_resolve as shared

#: MatteControl: the alpha of Foreground is combined, and copied.
_COMBINE_ALPHA, _COPY = 4, 0
_SOURCES = ("Loader", "MediaIn")


def main(names: dict[str, Any]) -> None:
    """names: what the host gives to scripts: fusion, comp, bmd."""
    fusion, comp, bmd = names.get("fusion") or names.get("fu"), names.get("comp"), names.get("bmd")
    if comp is None:
        print("open a composition first, and select its Loader or MediaIn")
        return
    try:
        with shared.host_call("looking for the clip"):
            source = selected(comp)
            path = file_of(source, names.get("resolve"))
    except shared.HostError as error:
        print(str(error))
        return
    job = shared.Job(path, lambda files, values, facts: bring_in(comp, source, files, values))
    shared.run(fusion, bmd, job)


def selected(comp: Any) -> Any:
    """The Loader or MediaIn that is selected, or the only one. Raises HostError."""
    chosen = [t for t in dict(comp.GetToolList(True)).values() if t.GetAttrs()["TOOLS_RegID"] in _SOURCES]
    if not chosen:
        chosen = [t for t in dict(comp.GetToolList(False)).values() if t.GetAttrs()["TOOLS_RegID"] in _SOURCES]
    if len(chosen) != 1:
        raise shared.HostError("select one Loader or MediaIn; its clip is what the matte is made of")
    return chosen[0]


def file_of(source: Any, resolve: Any) -> str:
    """The clip's file, or the pattern of its files. Raises HostError."""
    if source.GetAttrs()["TOOLS_RegID"] == "Loader":
        path = str(source.GetInput("Clip") or "")
        if not path:
            raise shared.HostError("the Loader names no file")
        return numbered(path)
    if resolve is None:
        raise shared.HostError("a MediaIn names no file; put a Loader in its place, or run this inside of Resolve")
    item = resolve.GetProjectManager().GetCurrentProject().GetCurrentTimeline().GetCurrentVideoItem()
    clip = item.GetMediaPoolItem() if item is not None else None
    if clip is None:
        raise shared.HostError("the time line shows no clip; move its cursor onto the one that this composition belongs to")
    return str(shared.pattern_of(str(clip.GetClipProperty("File Path"))))


def numbered(path: str) -> str:
    """A Loader names a sequence by one of its files: where there are more beside it, their pattern."""
    file = Path(path)
    found = re.fullmatch(r"(.*?)(\d+)(\.(?:exr|dpx|cin|tiff?|png|jpe?g))", file.name, re.IGNORECASE)
    if found is None:
        return path
    stem, number, ending = found.groups()
    others = [f for f in file.parent.glob(f"{glob.escape(stem)}*{ending}") if re.fullmatch(r"\d+", f.name[len(stem) : -len(ending)])]
    return str(file.with_name(f"{stem}%0{len(number)}d{ending}")) if len(others) > 1 else path


def bring_in(comp: Any, source: Any, files: dict[str, list[Path]], values: dict[str, Any]) -> None:
    """A Loader for the matte and a MatteControl that copies its alpha, behind the source. What was connected to the source goes through it.

    With eyes apart: one pair for each.
    """
    comp.Lock()
    started = False
    try:
        comp.StartUndo("VR180 Matte")
        started = True
        taken = consumers(comp, source)
        for number, (view, paths) in enumerate(files.items()):
            loader = comp.AddTool("Loader", -32768, -32768)
            loader.SetAttrs({"TOOLS_Name": f"VR180Matte_{view}"})
            loader.SetInput("Clip", str(paths[0]))
            # the file's number is the frame at which it is shown
            first = int(values["first_frame"])
            loader.SetInput("GlobalIn", first)
            loader.SetInput("GlobalOut", first + len(paths) - 1)
            control = comp.AddTool("MatteControl", -32768, -32768)
            control.SetAttrs({"TOOLS_Name": f"VR180Control_{view}"})
            control.ConnectInput("Background", source)
            control.ConnectInput("Foreground", loader)
            control.SetInput("MatteCombine", _COMBINE_ALPHA)
            control.SetInput("CombineOp", _COPY)
            control.SetInput("InvertMatte", int(bool(values["invert"])))
            if number == 0:
                for tool, name in taken:
                    tool.ConnectInput(name, control)
    finally:
        # what was done before a mistake can be undone, too; and a composition that stays locked is dead
        try:
            if started:
                comp.EndUndo(True)
        finally:
            comp.Unlock()


def consumers(comp: Any, source: Any) -> list[tuple[Any, str]]:
    """(tool, input) of everything that the source's picture goes into."""
    out = []
    for tool in dict(comp.GetToolList(False)).values():
        for one in dict(tool.GetInputList()).values():
            connected = one.GetConnectedOutput()
            if connected is not None and connected.GetTool().GetAttrs()["TOOLS_Name"] == source.GetAttrs()["TOOLS_Name"]:
                out.append((tool, one.GetAttrs()["INPS_ID"]))
    return out

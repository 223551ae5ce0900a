"""In Resolve: the matte of the selected clip, as its clip matte and as an item above it in the time line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import vr180_resolve as shared

if TYPE_CHECKING:
    from fusionscript import MediaPoolItem, MediaStorage, Resolve, Timeline, TimelineItem

#: The oldest version all of whose calls here are known: public lists of calls that were tried name 19.1.
MINIMUM = (19, 1)


def main(names: dict[str, Any]) -> None:
    """names: what the host gives to scripts: resolve, fusion, bmd."""
    resolve, fusion, bmd = names.get("resolve"), names.get("fusion") or names.get("fu"), names.get("bmd")
    if resolve is None and bmd is not None:
        resolve = bmd.scriptapp("Resolve")
    if resolve is None:
        print("this script runs inside of DaVinci Resolve: Workspace > Scripts")
        return
    try:
        with shared.host_call("looking for the clip"):
            check_version(resolve)
            clip, item = chosen(resolve)
            path, stereo = file_of(clip), clip.GetClipProperty("Type") == "Stereo"
            fusion = fusion or resolve.Fusion()
    except shared.HostError as error:
        print(str(error))
        return
    job = shared.Job(path, lambda files, values, facts: bring_in(resolve, clip, item, files))
    if stereo:
        # a clip that Resolve itself shows eye by eye
        job.values["view"] = "both"
    shared.run(fusion, bmd, job)


def check_version(resolve: Resolve) -> None:
    """Raises HostError for versions that lack calls of this script."""
    there = [int(v) for v in list(resolve.GetVersion())[:3]]
    if tuple(there[:2]) < MINIMUM:
        wanted, found = ".".join(map(str, MINIMUM)), ".".join(map(str, there))
        raise shared.HostError(
            f"this script needs DaVinci Resolve {wanted} or later; this is {found}. The command line renders for it, too"
        )


def chosen(resolve: Resolve) -> tuple[MediaPoolItem, TimelineItem | None]:
    """(clip, its item in the time line): what is selected in the media pool, else what the time line shows. Raises HostError."""
    project = resolve.GetProjectManager().GetCurrentProject()
    if project is None:
        raise shared.HostError("open a project first")
    timeline = project.GetCurrentTimeline()
    item = timeline.GetCurrentVideoItem() if timeline else None
    shown = item.GetMediaPoolItem() if item is not None else None
    picked = project.GetMediaPool().GetSelectedClips() or []
    if len(picked) == 1:
        same = shown is not None and shown.GetMediaId() == picked[0].GetMediaId()
        return picked[0], item if same else None
    if shown is None:
        # titles and generators are items without a clip
        raise shared.HostError("select one clip in the media pool, or move the time line's cursor onto one")
    return shown, item


def file_of(clip: MediaPoolItem) -> str:
    """The clip's file, or the pattern of its files. Raises HostError for what has none: time lines, compound clips, generators."""
    path = str(clip.GetClipProperty("File Path") or "")
    if not path:
        raise shared.HostError("what is selected has no file of its own; select the clip that was imported")
    return str(shared.pattern_of(path))


def bring_in(resolve: Resolve, clip: MediaPoolItem, item: TimelineItem | None, files: dict[str, list[Path]]) -> None:
    """The files as mattes of the clip and, where the clip is in the time line, as an item above it. Raises HostError."""
    project = resolve.GetProjectManager().GetCurrentProject()
    storage, pool = resolve.GetMediaStorage(), project.GetMediaPool()
    for view, paths in files.items():
        eye = view if view in ("left", "right") else None
        # all of the sequence: one file would be a still that holds for every frame
        name = listed(storage, paths)
        if not storage.AddClipMattesToMediaPool(clip, [name], eye):  # type: ignore[arg-type]
            raise shared.HostError(
                f"Resolve does not take {name} as a matte; is its folder in the media storage locations of the preferences?"
            )
    if item is None:
        return
    paths = next(iter(files.values()))
    stem, number = paths[0].name.rsplit(".", 2)[0], paths[0].name.rsplit(".", 2)[1]
    pattern = str(paths[0].with_name(f"{stem}.%0{len(number)}d.exr"))
    made = pool.ImportMedia([{"FilePath": pattern, "StartIndex": int(number), "EndIndex": int(number) + len(paths) - 1}])
    if not made:
        raise shared.HostError(f"Resolve does not import {pattern}")
    place(project.GetCurrentTimeline(), pool, made[0], item, len(paths))


def listed(storage: MediaStorage, paths: list[Path]) -> str:
    """The sequence as the media storage lists it; it puts the files of a sequence into one entry, such as clip.[0001-0010].exr."""
    name = shared.sequence_of(paths)
    entries = [str(entry) for entry in storage.GetFileList(str(paths[0].parent)) or []]
    return next((entry for entry in entries if Path(entry).name == Path(name).name), name if len(paths) > 1 else str(paths[0]))


def place(timeline: Timeline, pool: Any, matte: MediaPoolItem, item: TimelineItem, frames: int) -> None:
    """The matte on a new track above, over the same frames as the item."""
    first = int(item.GetSourceStartFrame())
    last = min(first + int(item.GetDuration(False)) - 1, frames - 1)
    if first > last:
        raise shared.HostError("the rendered frames do not reach the part of the clip that is in the time line")
    if not timeline.AddTrack("video", {"index": timeline.GetTrackCount("video") + 1}):
        raise shared.HostError("Resolve does not add a track to the time line; is it locked?")
    added = pool.AppendToTimeline([{
        "mediaPoolItem": matte, "startFrame": first, "endFrame": last, "mediaType": 1, "trackIndex": timeline.GetTrackCount("video"),
        "recordFrame": int(item.GetStart(False)),
    }])  # fmt: skip
    if not added:
        raise shared.HostError("Resolve does not put the matte into the time line; it is in the media pool")

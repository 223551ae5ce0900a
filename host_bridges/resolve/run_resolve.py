"""In Resolve: the matte of the selected clip, as its clip matte and as an item above it in the time line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import vr180_resolve as shared

if TYPE_CHECKING:
    from fusionscript import MediaPoolItem, Resolve, Timeline, TimelineItem


def main(names: dict[str, Any]) -> None:
    """names: what the host gives to scripts: resolve, fusion, bmd."""
    resolve, fusion, bmd = names.get("resolve"), names.get("fusion") or names.get("fu"), names.get("bmd")
    if resolve is None and bmd is not None:
        resolve = bmd.scriptapp("Resolve")
    if resolve is None:
        print("this script runs inside of DaVinci Resolve: Workspace > Scripts")
        return
    try:
        clip, item = chosen(resolve)
    except shared.HostError as error:
        print(str(error))
        return
    job = shared.Job(str(clip.GetClipProperty("File Path")), lambda files, values, facts: bring_in(resolve, clip, item, files))
    if clip.GetClipProperty("Type") == "Stereo":
        # a clip that Resolve itself shows eye by eye
        job.values["view"] = "both"
    shared.run(fusion or resolve.Fusion(), bmd, job)


def chosen(resolve: Resolve) -> tuple[MediaPoolItem, TimelineItem | None]:
    """(clip, its item in the time line): what is selected in the media pool, else what the time line shows. Raises HostError."""
    project = resolve.GetProjectManager().GetCurrentProject()
    if project is None:
        raise shared.HostError("open a project first")
    timeline = project.GetCurrentTimeline()
    item = timeline.GetCurrentVideoItem() if timeline else None
    picked = project.GetMediaPool().GetSelectedClips() or []
    if len(picked) == 1:
        same = item is not None and item.GetMediaPoolItem().GetMediaId() == picked[0].GetMediaId()
        return picked[0], item if same else None
    if item is None:
        raise shared.HostError("select one clip in the media pool, or move the time line's cursor onto one")
    return item.GetMediaPoolItem(), item


def bring_in(resolve: Resolve, clip: MediaPoolItem, item: TimelineItem | None, files: dict[str, list[Path]]) -> None:
    """The files as mattes of the clip and, where the clip is in the time line, as an item above it. Raises HostError."""
    project = resolve.GetProjectManager().GetCurrentProject()
    storage, pool = resolve.GetMediaStorage(), project.GetMediaPool()
    for view, paths in files.items():
        eye = view if view in ("left", "right") else None
        if not storage.AddClipMattesToMediaPool(clip, [str(paths[0])], eye):  # type: ignore[arg-type]
            raise shared.HostError(
                f"Resolve does not take {paths[0]} as a matte; is its folder in the media storage locations of the preferences?"
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

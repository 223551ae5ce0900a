"""Everything that can be set.

Unknown keys, wrong types and values out of range are errors that name the key, the value, what is allowed and the closest valid key.
"""

from __future__ import annotations

import functools
import hashlib
import json
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vr180_ofx.errors import SettingsError
from vr180_ofx.settings import file, former
from vr180_ofx.settings.edges import EdgesSettings
from vr180_ofx.settings.inputs import InputMattesSettings
from vr180_ofx.settings.machine import DebuggingSettings, HardwareSettings, PerformanceSettings, ServiceSettings
from vr180_ofx.settings.mattes import DetectionSettings, InputSettings, MattingSettings, ProcessingSettings, StereoSettings
from vr180_ofx.settings.outputs import AudioSettings, OutputSettings
from vr180_ofx.settings.traits import Section, Traits
from vr180_ofx.storage import write_atomic

__all__ = ["OutputSettings", "ProcessingSettings", "Settings", "every_setting", "sections", "without_effect"]


class Settings(Section):
    """All settings. ``Settings(detection={"max_people": 2})`` sets some, ``Settings.load`` reads a file."""

    input: InputSettings = InputSettings()
    processing: ProcessingSettings = ProcessingSettings()
    detection: DetectionSettings = DetectionSettings()
    matting: MattingSettings = MattingSettings()
    stereo: StereoSettings = StereoSettings()
    edges: EdgesSettings = EdgesSettings()
    mattes: InputMattesSettings = InputMattesSettings()
    output: OutputSettings = OutputSettings()
    audio: AudioSettings = AudioSettings()
    hardware: HardwareSettings = HardwareSettings()
    performance: PerformanceSettings = PerformanceSettings()
    debugging: DebuggingSettings = DebuggingSettings()
    service: ServiceSettings = ServiceSettings()

    def __init__(self, **data: Any) -> None:
        data = {name: former.current(name, v) if isinstance(v, Mapping) else v for name, v in data.items()}
        try:
            super().__init__(**data)
        except ValidationError as error:
            raise SettingsError(file.explain(error, sections())) from None

    @classmethod
    def load(cls, path: str | Path, overrides: Iterable[str] = ()) -> Settings:
        """Reads YAML or TOML (by the file's ending). ``overrides`` are ``section.key=value`` as on the command line.

        Raises SettingsError.
        """
        asked = list(overrides)
        made = cls.from_values(file.read(Path(path)), asked, str(path))
        if not any(text.startswith("input.frames") for text in asked):
            former.tell_of_frames(made.input.frames)
        return made

    @classmethod
    def from_values(cls, values: Mapping[str, Any], overrides: Iterable[str] = (), source: str = "settings") -> Settings:
        """From nested dictionaries. Keys of older files that stand outside a section are put into theirs. Raises SettingsError."""
        nested = file.nest(values, source, sections())
        for text in overrides:
            file.override(nested, text, sections())
        return cls(**nested)

    def save(self, path: str | Path) -> None:
        """Writes YAML or TOML, by the file's ending, whole or not at all."""
        data = self.model_dump(mode="json", exclude_none=True)
        write_atomic(Path(path), file.written(data, Path(path)).encode())

    def with_overrides(self, overrides: Iterable[str]) -> Settings:
        """These settings with ``section.key=value`` on top. Raises SettingsError."""
        return Settings.from_values(self.model_dump(mode="json"), overrides)

    def digest(self, *names: str) -> str:
        """A hash of the named sections (all when none is named): equal settings, equal hash."""
        return _hash(self.model_dump(mode="json", include=set(names) if names else None))

    def pixel_digest(self, *names: str) -> str:
        """A hash of what changes pixels by itself in the named sections (in all when none is named).

        What changes them by way of the clip, the plan or the networks is left to the identities of these; what changes none, such as
        memory, threads and timeouts, may change while a render goes on.
        """
        values = self.model_dump(mode="json", include=set(names) if names else None)
        return _hash({f"{name}.{key}": values[name][key] for name, key, t in every_setting() if t.pixels == "yes" and name in values})


def _hash(data: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()[:16]


def sections() -> dict[str, type[Section]]:
    """The sections by name."""
    return {name: typing.cast(type[Section], f.annotation) for name, f in Settings.model_fields.items()}


@functools.cache
def every_setting() -> tuple[tuple[str, str, Traits], ...]:
    """(section, key, what it says of itself) of each setting."""
    return tuple((name, key, Traits.of(field)) for name, section in sections().items() for key, field in section.model_fields.items())


def without_effect(settings: Settings) -> list[str]:
    """What was set to something else than its default although this version does nothing with it: to be said, not to be swallowed."""
    defaults = Settings()
    said = []
    for name, key, traits in every_setting():
        value = getattr(getattr(settings, name), key)
        if not traits.effect and value != getattr(getattr(defaults, name), key):
            said.append(f"{name}.{key} is {value!r}, which has no effect in this version")
    return said

"""What compositors type, and which setting they mean by it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr180_ofx.settings import every_setting, sections
from vr180_ofx.settings.search import Entry, Index, find, stem, tokens
from vr180_ofx.settings.words import WORDS

#: Written down before the words of the settings were looked at again; the key has to be the first one that is found.
MEANT = {
    "hair": "matting.refiner",
    "fur": "matting.refiner",
    "robust video matting": "matting.refiner",
    "transparent video": "output.format",
    "prores": "output.format",
    "PNG": "output.format",
    "webm": "output.format",
    "file type": "output.format",
    "faster": "processing.scale_factor",
    "half size": "processing.scale_factor",
    "proxy": "processing.scale_factor",
    "memory": "processing.max_memory_gb",
    "RAM": "processing.max_memory_gb",
    "out of memory": "processing.max_memory_gb",
    "gpu": "hardware.device",
    "graphics card": "hardware.device",
    "cuda": "hardware.device",
    "vram": "hardware.max_vram_gb",
    "cores": "hardware.threads",
    "cpu threads": "hardware.threads",
    "nvdec": "hardware.decoder",
    "premult": "output.rgb",
    "premultiplied": "output.rgb",
    "unpremultiply": "output.rgb",
    "straight colour": "output.rgb",
    "crypto": "output.cryptomatte",
    "cryptomatte": "output.cryptomatte",
    "green spill": "output.despill",
    "despill": "output.despill",
    "halo": "output.foreground_method",
    "decontaminate": "output.foreground_method",
    "1001": "output.start_frame",
    "first frame number": "output.start_frame",
    "nuke": "output.exr_preset",
    "multipart": "output.exr_layout",
    "one file per eye": "output.exr_layout",
    "dwaa": "output.compression",
    "zip compression": "output.compression",
    "layer per person": "output.people",
    "AOVs": "output.people",
    "background colour": "output.background_color",
    "crf": "output.video_quality",
    "bitrate": "output.video_quality",
    "h265": "output.video_codec",
    "bit depth": "output.video_bits",
    "10 bit": "output.video_bits",
    "overwrite": "output.overwrite",
    "re-render": "output.overwrite",
    "sound": "audio.preserve_audio",
    "mute": "audio.preserve_audio",
    "aac": "audio.audio_codec",
    "lip sync": "audio.verify_sync",
    "fps": "input.frame_rate",
    "frames per second": "input.frame_rate",
    "frame range": "input.frames",
    "swapped eyes": "input.swap_eyes",
    "field of view": "input.fov_degrees",
    "colour space": "input.colorspace",
    "ACEScg": "input.colorspace",
    "camera log": "input.colorspace",
    "side by side": "input.layout",
    "over under": "input.layout",
    "equirectangular": "input.projection",
    "interaxial": "input.interocular_m",
    "flicker": "matting.stabilise",
    "chatter": "matting.stabilise",
    "temporal smoothing": "edges.temporal",
    "segment anything": "matting.tracker",
    "sam2": "matting.tracker",
    "half precision": "matting.fp16",
    "yolo": "detection.model",
    "misses somebody": "detection.confidence_threshold",
    "statue": "detection.confidence_threshold",
    "number of people": "detection.max_people",
    "extras": "detection.max_people",
    "hero eye": "stereo.reference",
    "eyes differ": "stereo.consistency_mode",
    "preroll": "processing.overlap_frames",
    "long clip": "processing.chunk_size",
    "where is the cache": "service.cache_dir",
    "disk cache size": "service.cache_gb",
    "port": "service.port",
    "password": "service.token_file",
    "read ahead": "service.prefetch",
    "contact sheet": "debugging.save_detection_visualization",
    "where does the time go": "performance.profile_enabled",
    "price": "performance.price_per_hour",
    "erode": "edges.size",
    "eroding": "edges.size",
    "dilate": "edges.size",
    "shrink": "edges.size",
    "choke": "edges.size",
    "grow the matte": "edges.size",
    "left eye only": "output.eye",
    "one eye": "output.eye",
    "blur": "edges.feather",
    "feather": "edges.feather",
    "soften": "edges.feather",
    "soft edge": "edges.softness",
    "sharpen": "edges.softness",
    "speckles": "edges.despeckle",
    "remove small islands": "edges.despeckle",
    "fill holes": "edges.close_holes",
    "pinholes": "edges.close_holes",
    "black point": "edges.black_clip",
    "haze": "edges.black_clip",
    "clip white": "edges.white_clip",
    "gamma of the matte": "edges.gamma",
    "motion blur": "edges.keep_motion_blur",
    "boiling edges": "edges.temporal",
    "milliradians": "edges.unit",
    "garbage matte": "mattes.garbage",
    "holdout": "mattes.holdout",
    "scene linear": "output.colorspace",
    "make the edge smaller": "edges.size",
    "smaller matte": "edges.size",
    "tighter": "edges.size",
    "spots": "edges.despeckle",
    "green screen": "output.format",
    # mistyped, and half typed
    "compresion": "output.compression",
    "stabilize": "matting.stabilise",
    "fliker": "matting.stabilise",
}


@pytest.mark.parametrize("query", MEANT)
def test_what_is_typed_finds_what_is_meant(query):
    assert find(query, sections())[0] == MEANT[query]


def test_the_list_is_long_enough_to_be_believed():
    assert len(MEANT) >= 60


def test_every_setting_has_words_and_no_other():
    known = {(name, key) for name, key, _ in every_setting()}
    assert {(name, key) for name, keys in WORDS.items() for key in keys} == known
    assert all(w.strip() for keys in WORDS.values() for words in keys.values() for w in words.split(","))


@pytest.mark.parametrize("name", [f"{name}.{key}" for name, key, _ in every_setting()])
def test_a_setting_is_found_by_its_own_name(name):
    assert name in find(name.replace(".", " ").replace("_", " "), sections(), 3)


@pytest.mark.parametrize("query", ["", "xyzzy", "the of", "?!", "0x" + "f" * 5000, "\x1b[31m"])
def test_what_means_nothing_finds_nothing(query):
    assert find(query, sections()) == []


@given(st.text(max_size=60))
def test_anything_may_be_typed(query):
    found = find(query, sections())
    assert len(found) == len(set(found)) <= 5


@pytest.mark.parametrize(
    ("one", "other"),
    [("colours", "color"), ("eroding", "erode"), ("eroded", "erode"), ("stabilised", "stabilize"), ("grey", "gray"), ("edges", "edge"),
     ("clipped", "clip"), ("matches", "match"), ("boxes", "box"), ("premultiplies", "premultiply"), ("passes", "pass")],
)  # fmt: skip
def test_forms_of_a_word_are_one(one, other):
    assert stem(one) == stem(other)


def test_different_words_stay_apart():
    words = ["erode", "dilate", "fringe", "frame", "film", "mask", "matte", "eye", "edge", "red", "rate", "ratio", "bus", "less", "used"]
    assert len({stem(w) for w in words}) == len(words)


def test_a_phrase_counts_more_than_its_words():
    index = Index([Entry("a", words=("left", "eye", "only one of them")), Entry("b", words=("left eye",))])
    assert [f.name for f in index.find("left eye")] == ["b", "a"]


def test_words_that_say_nothing_count_where_there_are_no_others():
    assert tokens("what is the fps") == ["fps"] == tokens("fps") and tokens("from to") == ["from", "to"]

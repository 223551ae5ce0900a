"""Runs inside Blender's Python module in a process of its own: `python -m bench.render.worker JOB` renders the shots of a job.

It knows nothing of scenes, eyes or truth: a job lists geometry per frame and shots (camera, region, samples, passes); each shot becomes
one OpenEXR file, written under another name first, so that a shot that is there is whole. Axes of jobs are y up; Blender's are z up.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.render import shaders
from bench.render.blender import Matrix, bpy

#: y up to z up
TO_BLENDER = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float32)


def turned(points: NDArray[Any]) -> NDArray[Any]:
    """Points (n, 3) of a job in Blender's axes, flat float32."""
    return np.ascontiguousarray(np.asarray(points, np.float32) @ TO_BLENDER.T).ravel()


class Stage:
    """The job's objects in Blender's scene."""

    def __init__(self, folder: Path, job: dict[str, Any]) -> None:
        self.folder, self.job = folder, job
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self.scene = bpy.context.scene
        self.frame: int | None = None
        self.objects: dict[str, Any] = {}
        self.parents: dict[str, Any] = {}
        self.still = dict(np.load(folder / "still.npz"))
        for item in job["items"]:
            self._add(item)
        for lamp in job["lamps"]:
            self._lamp(lamp)
        shaders.world(self.scene, job["world"])
        self._settings()
        self.flat = shaders.flat()

    def _parent(self, asset: str) -> Any:
        if asset not in self.parents:
            empty = bpy.data.objects.new(asset, None)
            self.scene.collection.objects.link(empty)
            self.parents[asset] = empty
        return self.parents[asset]

    def _add(self, item: dict[str, Any]) -> None:
        name = item["name"]
        if item["kind"] == "strands":
            data = bpy.data.hair_curves.new(name)
            data.add_curves([item["points"]] * item["strands"])
            radius = data.attributes.get("radius") or data.attributes.new("radius", "FLOAT", "POINT")
            radius.data.foreach_set("value", self.still[name + ".radius"].ravel())
        else:
            data = bpy.data.meshes.new(name)
            faces = self.still[name + ".faces"]
            count, corners = item["vertices"], faces.shape[1]
            data.vertices.add(count)
            data.loops.add(faces.size)
            data.polygons.add(len(faces))
            data.polygons.foreach_set("loop_start", np.arange(0, faces.size, corners, dtype=np.int32))
            data.loops.foreach_set("vertex_index", faces.astype(np.int32).ravel())
            data.polygons.foreach_set("use_smooth", np.full(len(faces), item["smooth"]))
            data.update(calc_edges=False)
            data.attributes.new("texture", "FLOAT_VECTOR", "POINT").data.foreach_set("vector", self.still[name + ".texture"].ravel())
            if name + ".tint" in self.still:
                data.attributes.new("tint", "FLOAT_VECTOR", "POINT").data.foreach_set("vector", self.still[name + ".tint"].ravel())
        made = bpy.data.objects.new(name, data)
        made.parent = self._parent(item["asset"])
        made.pass_index = item["index"]
        self.scene.collection.objects.link(made)
        data.materials.append(shaders.material(item["material"], tinted=name + ".tint" in self.still, strands=item["kind"] == "strands"))
        made.visible_camera = True
        made.visible_shadow = item.get("casts", True)
        self.objects[name] = made
        if not item["moves"]:
            self._shape(item, self.still[name + ".now"], None, None)

    def _shape(self, item: dict[str, Any], now: NDArray[Any], speed: NDArray[Any] | None, after: NDArray[Any] | None) -> None:
        data = self.objects[item["name"]].data
        if item["kind"] == "strands":
            data.position_data.foreach_set("vector", turned(now.reshape(-1, 3)))
        else:
            data.vertices.foreach_set("co", turned(now))
        for name, values in (("velocity", speed), ("after", after)):
            if values is None:
                continue
            attribute = data.attributes.get(name) or data.attributes.new(name, "FLOAT_VECTOR", "POINT")
            attribute.data.foreach_set("vector", turned(values.reshape(-1, 3)))
        data.update_tag()
        if item["kind"] != "strands":
            data.update()

    def _lamp(self, lamp: dict[str, Any]) -> None:
        data = bpy.data.lights.new(lamp["name"], lamp["kind"])
        data.energy, data.color = lamp["watts"], lamp["colour"]
        if lamp["kind"] == "SUN":
            data.angle = lamp["size"]
        elif lamp["kind"] == "AREA":
            data.size = lamp["size"]
        else:
            data.shadow_soft_size = lamp["size"]
        if lamp["kind"] == "SPOT":
            data.spot_size, data.spot_blend = lamp["cone"], 0.4
        made = bpy.data.objects.new(lamp["name"], data)
        made.matrix_world = blender_matrix(lamp["matrix"])
        self.scene.collection.objects.link(made)

    def _settings(self) -> None:
        scene = self.scene
        scene.render.engine = "CYCLES"
        scene.render.fps = self.job["fps"]
        cycles = scene.cycles
        cycles.device = "CPU"
        cycles.use_adaptive_sampling = False
        cycles.max_bounces, cycles.diffuse_bounces, cycles.glossy_bounces = 3, 2, 2
        cycles.transmission_bounces, cycles.transparent_max_bounces = 2, 8
        cycles.caustics_reflective = cycles.caustics_refractive = False
        cycles.sample_clamp_indirect = 4.0
        cycles.sample_clamp_direct = 20.0
        cycles.motion_blur_position = "CENTER"
        cycles.sampling_pattern = "TABULATED_SOBOL"
        scene.render.use_persistent_data = True
        scene.render.use_border = scene.render.use_crop_to_border = True
        scene.view_settings.view_transform = "Raw"
        scene.render.image_settings.file_format = "OPEN_EXR_MULTILAYER"
        scene.render.image_settings.color_depth = "32"
        scene.render.image_settings.exr_codec = "ZIP"
        scene.render.threads_mode = "FIXED"
        scene.render.threads = self.job["threads"]
        camera = bpy.data.cameras.new("camera")
        camera.type = "PANO"
        camera.clip_start, camera.clip_end = 0.01, 1000.0
        self.camera = bpy.data.objects.new("camera", camera)
        scene.collection.objects.link(self.camera)
        scene.camera = self.camera

    def show(self, frame: int) -> None:
        """Puts everything that moves where it is in a frame."""
        if frame == self.frame:
            return
        with np.load(self.folder / f"frame_{frame:03d}.npz") as arrays:
            for item in self.job["items"]:
                if item["moves"]:
                    name = item["name"]
                    self._shape(item, arrays[name + ".now"], arrays[name + ".speed"], arrays[name + ".after"])
        self.frame = frame

    def take(self, shot: dict[str, Any]) -> None:
        """Renders one shot into its file."""
        self.show(shot["frame"])
        scene, layer, cycles = self.scene, self.scene.view_layers[0], self.scene.cycles
        kind = shot["kind"]
        camera = self.camera.data
        fisheye = shot["projection"] == "fisheye"
        camera.type = "PERSP" if shot["projection"] == "flat" else "PANO"
        camera.panorama_type = "FISHEYE_EQUIDISTANT" if fisheye else "EQUIRECTANGULAR"
        half = np.radians(shot["degrees"]) / 2
        camera.fisheye_fov = 2 * half
        camera.latitude_min, camera.latitude_max, camera.longitude_min, camera.longitude_max = -half, half, -half, half
        if camera.type == "PERSP":
            camera.angle = 2 * half
        camera.dof.use_dof = shot.get("aperture_m", 0) > 0
        if camera.dof.use_dof:
            # Cycles' aperture is focal length / f-stop / 2 for perspective cameras, and so for panoramas
            camera.dof.focus_distance = shot["focus_m"]
            if camera.type == "PANO":
                camera.lens = 50.0
            camera.dof.aperture_fstop = camera.lens * 1e-3 / shot["aperture_m"]
        self.camera.matrix_world = blender_matrix(shot["camera"])
        size = shot["size"]
        scene.render.resolution_x = scene.render.resolution_y = size
        x0, y0, x1, y1 = shot["border"]
        scene.render.border_min_x, scene.render.border_max_x = (x0 + 0.01) / size, (x1 + 0.01) / size
        scene.render.border_min_y, scene.render.border_max_y = (size - y1 + 0.01) / size, (size - y0 + 0.01) / size
        layers = kind in ("layers", "cover")
        scene.render.use_motion_blur = layers and shot["shutter"] > 0
        scene.render.motion_blur_shutter = shot["shutter"] if layers else 0.5
        scene.render.film_transparent = kind in ("layers", "cover", "geometry")
        cycles.samples = shot["samples"]
        cycles.seed = shot["seed"]
        cycles.pixel_filter_type = "BOX" if kind == "geometry" else "BLACKMAN_HARRIS"
        cycles.filter_width = 0.01 if kind == "geometry" else 1.5
        cycles.use_denoising = shot["denoise"]
        if shot["denoise"]:
            cycles.denoiser = "OPENIMAGEDENOISE"
            cycles.denoising_input_passes = "RGB_ALBEDO_NORMAL"
            cycles.denoising_prefilter = "FAST"
            cycles.denoising_quality = "BALANCED"
        layer.use_pass_cryptomatte_asset = layer.use_pass_cryptomatte_object = kind == "cover"
        layer.pass_cryptomatte_depth = 8
        layer.use_pass_z = layer.use_pass_position = layer.use_pass_object_index = kind == "geometry"
        # coverage needs no light: one flat material for all, four times as cheap
        layer.material_override = self.flat if kind == "cover" else None
        wanted = kind == "geometry"
        if wanted and not layer.aovs:
            layer.aovs.add().name = "after"
        elif not wanted and layer.aovs:
            layer.aovs.remove(layer.aovs[0])
        for item in self.job["items"]:
            made = self.objects[item["name"]]
            scenery = item["role"] == "scenery"
            made.is_holdout = scenery and kind in ("layers", "cover", "geometry")
            made.visible_camera = scenery or kind in ("layers", "cover", "geometry")
            made.hide_render = not scenery and kind == "plate"
        target = self.folder / shot["file"]
        partial = target.with_name("partial.exr")
        scene.render.filepath = str(partial)
        bpy.ops.render.render(write_still=True)
        partial.rename(target)


def blender_matrix(rows: list[list[float]]) -> Any:
    """A pose (4x4, rows) of a job in Blender's axes; cameras and lamps look along their own -z in both."""
    pose = np.asarray(rows, np.float64)
    out = np.eye(4)
    out[:3, :3] = TO_BLENDER @ pose[:3, :3]
    out[:3, 3] = TO_BLENDER @ pose[:3, 3]
    return Matrix(out.tolist())


def main(argv: list[str]) -> int:
    folder = Path(argv[0])
    job = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    todo = [shot for shot in job["shots"] if not (folder / shot["file"]).exists()]
    if not todo:
        return 0
    stage = Stage(folder, job)
    for shot in todo:
        start, cpu = time.perf_counter(), time.process_time()
        stage.take(shot)
        took = {"file": shot["file"], "kind": shot["kind"], "wall_s": time.perf_counter() - start, "cpu_s": time.process_time() - cpu}
        with (folder / "took.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(took) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Materials of people and scenery as Blender's shader nodes, and the world's light. Runs inside Blender's Python module."""

from __future__ import annotations

import json
from typing import Any

from bench.render.blender import bpy

_made: dict[str, Any] = {}


def material(look: dict[str, Any], *, tinted: bool, strands: bool) -> Any:
    """The shader of a ``Material`` (as a dictionary); the same look gives the same material."""
    key = json.dumps([look, tinted, strands], sort_keys=True)
    if key in _made:
        try:
            _made[key].name  # noqa: B018 a removed one raises
            return _made[key]
        except ReferenceError:
            pass
    made = bpy.data.materials.new(look["name"])
    made.use_nodes = True
    tree = made.node_tree
    tree.nodes.clear()
    nodes, links = tree.nodes, tree.links
    colour = _colour(tree, look, tinted=tinted, strands=strands)
    surface = _surface(tree, look, colour, strands=strands)
    output = nodes.new("ShaderNodeOutputMaterial")
    links.new(surface, output.inputs["Surface"])
    after = nodes.new("ShaderNodeAttribute")
    after.attribute_name = "after"
    aov = nodes.new("ShaderNodeOutputAOV")
    aov.aov_name = "after"
    links.new(after.outputs["Vector"], aov.inputs["Color"])
    _made[key] = made
    return made


def flat() -> Any:
    """A material that asks for no light."""
    made = bpy.data.materials.new("flat")
    made.use_nodes = True
    made.node_tree.nodes.clear()
    glow = made.node_tree.nodes.new("ShaderNodeEmission")
    output = made.node_tree.nodes.new("ShaderNodeOutputMaterial")
    made.node_tree.links.new(glow.outputs[0], output.inputs["Surface"])
    return made


def _colour(tree: Any, look: dict[str, Any], *, tinted: bool, strands: bool) -> Any:
    """The socket of the base colour: plain, patterned over the rest position, or a picture; times the tint."""
    nodes, links = tree.nodes, tree.links
    plain = nodes.new("ShaderNodeRGB")
    plain.outputs[0].default_value = (*look["colour"], 1)
    out = plain.outputs[0]
    pattern = look["pattern"]
    if look.get("picture") or (pattern["kind"] != "plain" and not strands):
        rest = nodes.new("ShaderNodeAttribute")
        rest.attribute_name = "texture"
        if look.get("picture"):
            image = nodes.new("ShaderNodeTexImage")
            image.image = bpy.data.images.load(look["picture"], check_existing=True)
            links.new(rest.outputs["Vector"], image.inputs["Vector"])
            return image.outputs["Color"]
        share = _pattern(tree, pattern, rest.outputs["Vector"])
        mix = nodes.new("ShaderNodeMix")
        mix.data_type = "RGBA"
        links.new(share, mix.inputs["Factor"])
        links.new(out, mix.inputs[6])
        mix.inputs[7].default_value = (*pattern["colour"], 1)
        out = mix.outputs[2]
    if tinted:
        tint = nodes.new("ShaderNodeAttribute")
        tint.attribute_name = "tint"
        times = nodes.new("ShaderNodeMix")
        times.data_type, times.blend_type = "RGBA", "MULTIPLY"
        times.inputs["Factor"].default_value = 1
        links.new(out, times.inputs[6])
        links.new(tint.outputs["Color"], times.inputs[7])
        out = times.outputs[2]
    return out


def _pattern(tree: Any, pattern: dict[str, Any], place: Any) -> Any:
    """The socket of the second colour's share, 0..1."""
    nodes, links = tree.nodes, tree.links
    kind, scale = pattern["kind"], 1 / pattern["scale"]

    def math(operation: str, first: Any, second: Any = None) -> Any:
        node = nodes.new("ShaderNodeMath")
        node.operation = operation
        for socket, value in zip(node.inputs, (first, second), strict=False):
            if value is None:
                continue
            if isinstance(value, float):
                socket.default_value = value
            else:
                links.new(value, socket)
        return node.outputs[0]

    if kind == "noise":
        node = nodes.new("ShaderNodeTexNoise")
        node.inputs["Scale"].default_value = scale
        node.inputs["Detail"].default_value = 4
        links.new(place, node.inputs["Vector"])
        return node.outputs[0]
    if kind == "checks":
        node = nodes.new("ShaderNodeTexChecker")
        node.inputs["Scale"].default_value = 2 * scale
        node.inputs["Color1"].default_value, node.inputs["Color2"].default_value = (1, 1, 1, 1), (0, 0, 0, 1)
        links.new(place, node.inputs["Vector"])
        return node.outputs["Fac"]
    parts = nodes.new("ShaderNodeSeparateXYZ")
    links.new(place, parts.inputs[0])
    cells = [math("FRACT", math("MULTIPLY", socket, scale)) for socket in parts.outputs]
    if kind == "stripes":
        return math("GREATER_THAN", cells[1], 0.5)
    squares = [math("POWER", math("SUBTRACT", cell, 0.5), 2.0) for cell in cells]
    return math("LESS_THAN", math("ADD", math("ADD", squares[0], squares[1]), squares[2]), 0.09)


def _surface(tree: Any, look: dict[str, Any], colour: Any, *, strands: bool) -> Any:
    """The socket of the closure. Diffuse alone where that says it: it costs a third of the principled shader."""
    nodes, links = tree.nodes, tree.links
    if look.get("glow", 0) > 0:
        node = nodes.new("ShaderNodeEmission")
        node.inputs["Strength"].default_value = look["glow"]
        links.new(colour, node.inputs["Color"])
        return node.outputs[0]
    if strands:
        front = nodes.new("ShaderNodeBsdfHair")
        front.component = "Reflection"
        front.inputs["RoughnessU"].default_value = front.inputs["RoughnessV"].default_value = max(look["roughness"], 0.2)
        body = nodes.new("ShaderNodeBsdfDiffuse")
        links.new(colour, front.inputs["Color"])
        links.new(colour, body.inputs["Color"])
        return _mixed(tree, 0.3, body.outputs[0], front.outputs[0])
    if look["roughness"] >= 0.7 and look["sheen"] == 0 and look["metallic"] == 0:
        node = nodes.new("ShaderNodeBsdfDiffuse")
        links.new(colour, node.inputs["Color"])
    else:
        node = nodes.new("ShaderNodeBsdfPrincipled")
        links.new(colour, node.inputs["Base Color"])
        node.inputs["Roughness"].default_value = look["roughness"]
        node.inputs["Metallic"].default_value = look["metallic"]
        node.inputs["Sheen Weight"].default_value = look["sheen"]
    out = node.outputs[0]
    if look["translucency"] > 0:
        through = nodes.new("ShaderNodeBsdfTranslucent")
        links.new(colour, through.inputs["Color"])
        out = _mixed(tree, look["translucency"], out, through.outputs[0])
    if look["transparency"] > 0:
        clear = nodes.new("ShaderNodeBsdfTransparent")
        out = _mixed(tree, look["transparency"], out, clear.outputs[0])
    return out


def _mixed(tree: Any, share: float, first: Any, second: Any) -> Any:
    node = tree.nodes.new("ShaderNodeMixShader")
    node.inputs["Fac"].default_value = share
    tree.links.new(first, node.inputs[1])
    tree.links.new(second, node.inputs[2])
    return node.outputs[0]


def world(scene: Any, light: dict[str, Any]) -> None:
    """The light from all sides: an environment picture (a path, or the name of one that Blender ships), a sky, or one colour."""
    made = bpy.data.worlds.new("world")
    scene.world = made
    made.use_nodes = True
    nodes, links = made.node_tree.nodes, made.node_tree.links
    nodes.clear()
    background = nodes.new("ShaderNodeBackground")
    background.inputs["Strength"].default_value = light["strength"]
    output = nodes.new("ShaderNodeOutputWorld")
    links.new(background.outputs[0], output.inputs["Surface"])
    if light["kind"] == "picture":
        where = nodes.new("ShaderNodeTexCoord")
        turn = nodes.new("ShaderNodeMapping")
        turn.inputs["Rotation"].default_value[2] = light["turn"]
        links.new(where.outputs["Generated"], turn.inputs["Vector"])
        picture = nodes.new("ShaderNodeTexEnvironment")
        path = light["picture"]
        if "/" not in path:
            path = bpy.utils.resource_path("LOCAL") + "/datafiles/studiolights/world/" + path + ".exr"
        picture.image = bpy.data.images.load(path)
        links.new(turn.outputs[0], picture.inputs["Vector"])
        links.new(picture.outputs["Color"], background.inputs["Color"])
    elif light["kind"] == "sky":
        sky = nodes.new("ShaderNodeTexSky")
        sky.sky_type = "NISHITA"
        sky.sun_disc = False
        sky.sun_elevation, sky.sun_rotation = light["elevation"], light["turn"]
        links.new(sky.outputs[0], background.inputs["Color"])
    else:
        background.inputs["Color"].default_value = (*light["colour"], 1)

"""People drawn from seeds: bodies, clothes, hair and motion, as vertices over time. No renderer is needed here.

``draw_person`` gives a description, ``make_actor`` makes it real, ``actor.at(times, course)`` gives its geometry.
"""

from .contract import Actor, Body, Course, Garment, Hair, Material, Mesh, Motion, Pattern, Person, Strands

__all__ = ["Actor", "Body", "Course", "Garment", "Hair", "Material", "Mesh", "Motion", "Pattern", "Person", "Strands"]

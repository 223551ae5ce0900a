"""People drawn from seeds: bodies, clothes, hair and motion, as vertices over time. No renderer is needed here.

``draw_person`` gives a description, ``make_actor`` makes it real, ``actor.at(times, course)`` gives its geometry.
"""

from .actor import make_actor
from .base_mesh import DataMissing
from .contract import Actor, Body, Course, Garment, Hair, Material, Mesh, Motion, Pattern, Person, Strands
from .distractors import DistractorKind, make_distractor
from .draw import draw_person

__all__ = [
    "Actor",
    "Body",
    "Course",
    "DataMissing",
    "DistractorKind",
    "Garment",
    "Hair",
    "Material",
    "Mesh",
    "Motion",
    "Pattern",
    "Person",
    "Strands",
    "draw_person",
    "make_actor",
    "make_distractor",
]

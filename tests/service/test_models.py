"""What HTTP takes for a correction, held against what there is."""

from typing import get_args

from vr180_ofx.people import edit
from vr180_ofx.service import models


def test_every_correction_can_be_made_over_http_with_all_that_it_takes():
    union = get_args(models.Edit)[0]
    offered = {get_args(m.model_fields["op"].annotation)[0]: m for m in get_args(union)}
    assert set(offered) == set(edit.OPERATIONS)
    for op, model in offered.items():
        assert set(model.model_fields) == set(edit._OPERATIONS[op].model_fields), op

"""python -m vr180_ofx."""

import sys

from vr180_ofx.cli.main import main

sys.exit(main())

"""python -m vr180_ofx."""

import sys

from vr180_ofx.cli.start import main

sys.exit(main())

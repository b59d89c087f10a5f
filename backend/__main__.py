"""python -m backend: the command `hjemgate-receiver`."""

import sys

from backend.cli import main

sys.exit(main())

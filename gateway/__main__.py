"""`python -m gateway` is `hjemgate`."""

import sys

from gateway.cli import main

sys.exit(main())

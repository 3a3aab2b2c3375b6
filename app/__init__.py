"""Everything of Lineside that needs no window: rules, store, drivers, operations, the collector."""

import sys

# structlog loads rich, a quarter of a second, to colour a console. No process of ours logs to one: logs are JSON in
# files. A name that is None in sys.modules reads as “not installed”, which structlog provides for.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # typeshed leaves out that None is allowed here

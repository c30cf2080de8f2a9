"""Background work: the bell that calls a worker, the work itself, and the tick. Thin: services know what is done."""

"""The supervisor behind `uku demo` and `uku serve`: starts the processes, keeps them running, ends all of them."""

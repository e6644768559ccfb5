"""What all tests share: how property tests look for examples."""

import os

from hypothesis import settings

# A busy machine is no reason to fail; and a landing is not held up by an example that only its own run has met:
# those are looked for on the developers' machines, where a failure is printed with what repeats it.
settings.register_profile("house", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("house")

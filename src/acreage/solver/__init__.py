"""The one home of the solver: programs in, HiGHS models out. What they mean is for the rooms that build them."""

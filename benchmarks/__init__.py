"""The cost of a login, as counts that no noise can move and as ratios within one run."""

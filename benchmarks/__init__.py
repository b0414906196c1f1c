"""What a login costs, as counts that no noise can move and as ratios within one run."""

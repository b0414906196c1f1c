"""The attacker machine in long runs, all defences on."""

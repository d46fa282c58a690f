"""How a reward is computed: base, rate, cap, apportionment, and the whole for one entity."""

"""Rewards for units and people who share, within the caps of the policy."""

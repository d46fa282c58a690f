"""A provincial platform for shared research instruments and innovation vouchers."""

__version__ = "0.1.0"

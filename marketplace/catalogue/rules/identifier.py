"""The local identifier of an instrument, in the shape of a CSTR (GB/T 32843).

A CSTR is five characters of the registrant, two digits of the resource type (02: instruments and
facilities) and an internal part. Ours starts with `L` and the province, which no registrant of
cstr.cn uses: it identifies on this platform and claims no more.
"""

from __future__ import annotations

RESOURCE_TYPE = "02"


def local_cstr(*, province_region_code: str, provider_id: int, inner_id: str) -> str:
    """The identifier of the instrument that `provider_id` calls `inner_id`.

    It depends on nothing that a later import changes, so it may be cited.
    """
    registrant = f"L{province_region_code[:2]}00"
    return f"{registrant}.{RESOURCE_TYPE}.{provider_id}.{inner_id}"

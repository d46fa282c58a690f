"""Innovation vouchers: programmes, grants, holds, redemptions, claims, clawback."""

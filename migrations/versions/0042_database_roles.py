"""What was redeemed and what was paid stays, whoever asks; figures for the planner on request.

The privileges themselves follow from the triggers: `marketplace.kernel.roles` grants them after
every migration, because a role belongs to the server and not to one database.
"""

from marketplace.kernel.migrate import sql

revision = "0042"
down_revision = "0041"

KEPT = """
do $$
declare
  kept text;
begin
  foreach kept in array array[
    'bank_account', 'claim', 'claim_evidence', 'claim_line', 'clawback', 'clawback_line',
    'grant_part', 'payout_batch', 'programme', 'programme_layer', 'redemption', 'redemption_part',
    'reward_year', 'service_order', 'settlement', 'spot_check', 'voucher_application',
    'voucher_grant', 'voucher_hold', 'voucher_hold_part', 'voucher_year'] loop
    execute format('create trigger %1$s_kept before delete on %1$s '
                   'for each row execute function refuse_change()', kept);
  end loop;
end $$;

-- What was redeemed is a fact; whether and in which claim it stands is not.
create trigger redemption_fixed before update of
    id, order_id, grant_id, provider_id, service_value_fen, amount_fen, redeemed_on on redemption
  for each row execute function refuse_change();
create trigger redemption_part_append_only before update on redemption_part
  for each row execute function refuse_change();
"""

# Two who give back of one charge take turns at its row. To lock a row takes the right to change it,
# which nobody has on charges: so the trigger does it as their owner.
LOCKS = """
alter function charge_line_reversed_within() security definer set search_path = pg_catalog, public;
"""

# To analyse a table takes its owner (or, from PostgreSQL 17 on, a privilege of its own). After
# a large import the next search must not wait for autovacuum to come round.
ANALYSIS = """
create function analyze_instruments(whole boolean) returns void
language plpgsql security definer set search_path = pg_catalog, public as $$
begin
  if whole then
    analyze public.instrument;
  else
    analyze public.instrument (provider_id, inner_id);
  end if;
end $$;
"""


def upgrade() -> None:
    for script in (KEPT, LOCKS, ANALYSIS):
        sql(script)


def downgrade() -> None:
    raise NotImplementedError("restore the backup taken before the upgrade")

"""Who may do what in the database: one role owns the tables, another one serves the platform.

The owner migrates. The application takes on `APPLICATION_ROLE`, which owns nothing: it reads and
adds, changes only what no trigger keeps, and deletes only from the few tables named here. So
what is append-only is so twice: by a trigger and because the privilege is not there, and whoever
reaches the application's connection can neither drop a table nor switch a trigger off.

What may be updated follows from the triggers themselves: a table whose every update is refused
(`refuse_change` without a condition) is granted none, and one of which some columns are fixed is
granted the others. A table that a migration adds is therefore right by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import asyncpg
import structlog

log = structlog.get_logger()

# One for all databases of a server, because PostgreSQL's roles are; it cannot log in by itself.
APPLICATION_ROLE = "marketplace_application"

# Filled by migrations only.
READ_ONLY = frozenset({"account_type", "alembic_version"})
# Settings, drafts, queues and copies that are replaced or thrown away. Nothing else is deleted.
DELETABLE = frozenset(
    {
        "audit_pack_part",
        "busy_source",
        "calendar_feed",
        "class_terms",
        "closure",
        "dated_hours",
        "favourite",
        "hold_due",
        "hours_statement",
        "hours_statement_line",
        "idempotency_key",
        "membership",
        "opening_hours",
        "operator",
        "operator_hours",
        "outside_busy",
        "saved_search",
        "shareholding",
        "weekly_hours",
    }
)
# Each table, view and sequence: what triggers refuse of it, and what is granted now.
_RELATIONS = """
select c.relname as name, c.relkind::text as kind,
       coalesce(bool_or(k.whole), false) as fixed,
       coalesce(array_agg(distinct a.attname::text) filter (where a.attname is not null), '{}')
         as fixed_columns,
       array(select x.attname::text from pg_attribute x
             where x.attrelid = c.oid and x.attnum > 0 and not x.attisdropped) as columns,
       array(select g.privilege_type from aclexplode(c.relacl) g
             where g.grantee = $1::text::regrole) as granted,
       array(select x.attname::text from pg_attribute x, aclexplode(x.attacl) g
             where x.attrelid = c.oid and x.attnum > 0 and not x.attisdropped
               and g.grantee = $1::text::regrole and g.privilege_type = 'UPDATE') as granted_columns
from pg_class c
left join lateral (
  select t.tgattr::int2[] as columns, cardinality(t.tgattr::int2[]) = 0 as whole
  from pg_trigger t join pg_proc p on p.oid = t.tgfoid
  where t.tgrelid = c.oid and p.proname = 'refuse_change' and t.tgqual is null
    and t.tgtype & 16 = 16
) k on true
left join pg_attribute a on a.attrelid = c.oid and a.attnum = any (k.columns)
where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'S')
  and not exists (select from pg_depend d where d.objid = c.oid and d.deptype in ('e', 'i')
                  and c.relkind = 'S')
group by c.oid
order by c.relname
"""


@dataclass(frozen=True, slots=True)
class Rights:
    """What the application may do with one table."""

    whole: frozenset[str]
    update_of: frozenset[str] = frozenset()


def rights_of(
    name: str, kind: str, *, fixed: bool, fixed_columns: frozenset[str], columns: frozenset[str]
) -> Rights:
    """The rights that the application has on a table, view or sequence.

    Args:
        fixed: a trigger refuses every update.
        fixed_columns: a trigger refuses updates of these.
    """
    if kind == "S":
        return Rights(frozenset({"USAGE"}))
    if kind in ("v", "m") or name in READ_ONLY:
        return Rights(frozenset({"SELECT"}))
    whole = {"SELECT", "INSERT"}
    if name in DELETABLE:
        whole.add("DELETE")
    if fixed:
        return Rights(frozenset(whole))
    if fixed_columns:
        return Rights(frozenset(whole), columns - fixed_columns)
    return Rights(frozenset(whole | {"UPDATE"}))


def _changes(row: Mapping[str, Any]) -> list[str]:
    """The statements that lead from what is granted on one table to what should be."""
    wanted = rights_of(
        row["name"],
        row["kind"],
        fixed=row["fixed"],
        fixed_columns=frozenset(row["fixed_columns"]),
        columns=frozenset(row["columns"]),
    )
    granted, granted_columns = frozenset(row["granted"]), frozenset(row["granted_columns"])
    on = f"on {'sequence ' if row['kind'] == 'S' else ''}public.{_quoted(row['name'])}"
    found: list[str] = []
    for verb, way, rights in (
        ("revoke", "from", granted - wanted.whole),
        ("grant", "to", wanted.whole - granted),
    ):
        if rights:
            found.append(f"{verb} {', '.join(sorted(rights))} {on} {way} {APPLICATION_ROLE}")
    # To revoke a right on the whole table revokes it on the columns, so columns come after.
    if "UPDATE" in granted - wanted.whole:
        granted_columns = frozenset()
    for verb, way, columns in (
        ("revoke", "from", granted_columns - wanted.update_of),
        ("grant", "to", wanted.update_of - granted_columns),
    ):
        if columns:
            named = ", ".join(map(_quoted, sorted(columns)))
            found.append(f"{verb} update ({named}) {on} {way} {APPLICATION_ROLE}")
    return found


class RoleMissing(Exception):
    """A role that somebody else has to create, and how."""


# Roles belong to the server, so two databases that are migrated at once may race for this.
_CREATE = f"""
do $$ begin
  create role {APPLICATION_ROLE} nologin;
exception when duplicate_object or unique_violation then null;
end $$
"""
_CREATE_LOGIN = "select format('create role %I login password %L', $1::text, $2::text)"
_MAY_CREATE = "select rolsuper or rolcreaterole from pg_roles where rolname = current_user"
_KNOWN = "select true from pg_roles where rolname = $1"
# Since PostgreSQL 16 a member may be allowed less than to become the role.
_MAY_BECOME = """
coalesce((select pg_has_role({user}, r.oid,
                             case when current_setting('server_version_num')::int >= 160000
                                  then 'SET' else 'MEMBER' end)
          from pg_roles r where r.rolname = {role}), false)
"""
_MEMBER = f"select {_MAY_BECOME.format(user='$1::text::name', role='$2::text::name')}"


@dataclass(frozen=True, slots=True)
class Login:
    """Who the application connects as, where that is not the owner."""

    user: str
    password: str = field(default="", repr=False)


async def grant_application(driver: asyncpg.Connection[Any], *, login: Login | None = None) -> None:
    """Give the application's role what it needs and take from it what it may not.

    Called by the owner after each migration, inside its transaction; nothing is written when
    everything is right already.

    Raises:
        RoleMissing: when that login cannot be let in before somebody else has done something.
    """
    try:
        await _let_in(driver, login)
    except RoleMissing as missing:
        if login:
            raise
        # A single user who may not create roles still has the triggers; `doctor` says so.
        log.warning("database.works_as_owner", reason=str(missing))
        return
    await _grant_schema(driver)
    for row in await driver.fetch(_RELATIONS, APPLICATION_ROLE):
        for statement in _changes(row):
            await driver.execute(statement)


async def _let_in(driver: asyncpg.Connection[Any], login: Login | None) -> None:
    """Make the application's role, and let it be taken on by who connects.

    Raises:
        RoleMissing: when this is left to another one.
    """
    may_create = await driver.fetchval(_MAY_CREATE)
    if not await driver.fetchval(_KNOWN, APPLICATION_ROLE):
        if not may_create:
            raise RoleMissing(
                f"The owner may not create roles: `create role {APPLICATION_ROLE} nologin` is "
                "left to one who may."
            )
        await driver.execute(_CREATE)
    member = login.user if login else await driver.fetchval("select current_user")
    if login and not await driver.fetchval(_KNOWN, member):
        if not (may_create and login.password):
            raise RoleMissing(
                f"DATABASE_URL names the user {member}, who is not there: create it, with a "
                "password and without any right; `marketplace migrate` gives what it needs."
            )
        await driver.execute(await driver.fetchval(_CREATE_LOGIN, member, login.password))
    if await driver.fetchval(_MEMBER, member, APPLICATION_ROLE):
        return
    grant = f"grant {APPLICATION_ROLE} to {_quoted(member)}"
    try:
        async with driver.transaction():
            await driver.execute(grant)
    except asyncpg.InsufficientPrivilegeError as error:
        raise RoleMissing(f"The owner may not `{grant}`: it is left to one who may.") from error


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


async def _grant_schema(driver: asyncpg.Connection[Any]) -> None:
    """The way to the tables; what a new one has before a migration has looked at it."""
    role = APPLICATION_ROLE
    if not await driver.fetchval(
        "select has_schema_privilege($1, 'public', 'usage')"
        " and exists (select from pg_namespace n, aclexplode(n.nspacl) g"
        "             where n.nspname = 'public' and g.grantee = $1::text::regrole)",
        role,
    ):
        await driver.execute(f"grant usage on schema public to {role}")
    if await driver.fetchval("select has_schema_privilege($1, 'public', 'create')", role):
        await driver.execute("revoke create on schema public from public")
    if not await driver.fetchval(
        "select exists (select from pg_default_acl d, aclexplode(d.defaclacl) g"
        " where d.defaclrole = current_user::regrole and d.defaclobjtype = 'r'"
        "   and g.grantee = $1::text::regrole)",
        role,
    ):
        await driver.execute(
            f"alter default privileges in schema public grant select, insert on tables to {role}"
        )


class Standing(StrEnum):
    """As whom the application works on the database."""

    SEPARATE = "separate"  # It logged in as somebody who could never do more.
    TAKEN = "taken"  # It logged in as the owner and took on the application's role.
    OWNER = "owner"  # It is the owner: only the triggers are in the way.


# One statement without parameters, so that a new connection costs one more round trip only.
_THE_ROLE = f"'{APPLICATION_ROLE}'"
_TAKE_ROLE = f"""
select set_config('role', {_THE_ROLE}, false)
where current_user <> {_THE_ROLE} and {_MAY_BECOME.format(user="current_user", role=_THE_ROLE)}
"""
_STANDING = """
with who as (
  select u.name, coalesce(r.rolsuper, false) or exists (
           select from pg_class c where c.relnamespace = 'public'::regnamespace
             and c.relkind in ('r', 'p') and pg_has_role(u.name, c.relowner, 'MEMBER')) as owns
  from (values (current_user), (session_user)) as u (name) left join pg_roles r
    on r.rolname = u.name)
select (select bool_or(owns) from who where name = current_user) as now,
       (select bool_or(owns) from who where name = session_user) as could
"""


async def take_role(driver: asyncpg.Connection[Any]) -> None:
    """Become the application's role on a connection, where that is possible."""
    await driver.execute(_TAKE_ROLE)


async def standing(driver: asyncpg.Connection[Any]) -> Standing:
    """As whom this connection works."""
    found = await driver.fetchrow(_STANDING)
    assert found is not None
    if found["now"]:
        return Standing.OWNER
    return Standing.TAKEN if found["could"] else Standing.SEPARATE

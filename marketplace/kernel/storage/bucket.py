"""Files in a bucket of an S3-compatible store."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta

import structlog
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import ObjectStore, S3Store

from marketplace.kernel.errors import Unavailable
from marketplace.kernel.settings import Settings
from marketplace.kernel.storage.files import LISTED_AT_ONCE, is_key

log = structlog.get_logger()

# A transaction waits for the store, so it waits for less than PostgreSQL lets it be idle (60 s).
_CALL_SECONDS = 20
_RETRY_SECONDS = 30


class BucketFiles:
    """A bucket: an object appears when all of it has arrived, and not before."""

    def __init__(self, store: ObjectStore) -> None:
        self._store = store

    @classmethod
    def of(cls, settings: Settings) -> BucketFiles:
        """The bucket that the settings name."""
        store = S3Store(
            settings.files_bucket,
            endpoint=settings.files_endpoint or f"https://s3.{settings.files_region}.amazonaws.com",
            region=settings.files_region,
            access_key_id=settings.files_key.get_secret_value(),
            secret_access_key=settings.files_secret.get_secret_value(),
            virtual_hosted_style_request=False,
            client_options={
                "allow_http": settings.files_endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=5),
                "timeout": timedelta(seconds=_CALL_SECONDS),
            },
            retry_config={
                "max_retries": 2,
                "retry_timeout": timedelta(seconds=_RETRY_SECONDS),
            },
        )
        return cls(store)

    async def write(self, key: str, content: bytes) -> None:
        """One request puts the whole object."""
        try:
            await self._store.put_async(key, content, use_multipart=False)
        except (BaseError, OSError) as error:
            raise _away("files.not_written", key, error) from error

    async def read(self, key: str) -> bytes:
        """The bytes as they lie there."""
        try:
            found = await self._store.get_async(key)
            return bytes(await found.bytes_async())
        except (NotFoundError, FileNotFoundError) as error:
            raise FileNotFoundError(key) from error
        except (BaseError, OSError) as error:
            raise _away("files.not_read", key, error) from error

    async def remove(self, keys: Sequence[str]) -> None:
        """Take objects away."""
        for key in keys:
            try:
                await self._store.delete_async(key)
            except (NotFoundError, FileNotFoundError):
                continue
            except (BaseError, OSError) as error:
                raise _away("files.not_removed", key, error) from error

    async def written_before(self, area: str, instant: datetime) -> AsyncIterator[list[str]]:
        """By the store's own time of the last writing."""
        try:
            async for objects in self._store.list(area, chunk_size=LISTED_AT_ONCE):
                keys = [
                    each["path"]
                    for each in objects
                    if is_key(each["path"]) and each["last_modified"] < instant
                ]
                if keys:
                    yield keys
        except (BaseError, OSError) as error:
            raise _away("files.not_listed", area, error) from error


def _away(event: str, key: str, error: Exception) -> Unavailable:
    # The first line says which request failed; what follows repeats it for developers.
    log.error(event, key=key, error=str(error).partition("\n")[0])
    return Unavailable("The store of files does not answer; send the same request again.")

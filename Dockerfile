# syntax=docker/dockerfile:1

# Stage 1: the environment, as the lock says, with the platform in it as a wheel.
FROM python:3.11-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_PROGRESS=1 \
    UV_PYTHON_DOWNLOADS=never

RUN pip install --no-cache-dir uv==0.13.8

WORKDIR /app

# The dependencies change seldom and the code often: each has a layer of its own.
COPY pyproject.toml uv.lock ./
RUN uv sync --frozen --no-dev --no-install-project --no-cache

COPY . .
# Scripts and the style sheet of the pages; Node comes from a wheel and stays in this stage.
RUN python tools/build_assets.py \
 && uv sync --frozen --no-dev --no-editable --no-cache

# Stage 2: only what runs.
FROM python:3.11-slim

# A fixed number, so that a volume's owner stays the same from release to release.
RUN groupadd --system --gid 10001 marketplace \
    && useradd --system --uid 10001 --gid marketplace --no-log-init \
        --home-dir /var/lib/marketplace --create-home --shell /usr/sbin/nologin marketplace

COPY --from=build /app/.venv /app/.venv

ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MARKETPLACE_HOST=0.0.0.0 \
    MARKETPLACE_PORT=8000 \
    MARKETPLACE_LOG_FORMAT=json \
    MARKETPLACE_DATA_FOLDER=/var/lib/marketplace

USER 10001:10001
WORKDIR /var/lib/marketplace
EXPOSE 8000

# Alive is all that is asked here: a database that is away must not have the web process restarted.
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import http.client, os, sys; \
c = http.client.HTTPConnection('127.0.0.1', int(os.environ['MARKETPLACE_PORT']), timeout=4); \
c.request('GET', '/health/live'); \
sys.exit(c.getresponse().status != 200)"]

# Without DATABASE_URL the embedded server is used; run with --init, so that it is seen out.
CMD ["marketplace", "serve"]

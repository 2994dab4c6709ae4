# One image for `serve`, `autoperf daemon` and every probe. Built and inspected by tests/it/image.rs.
# Tests, and those without Docker Hub, give their own bases and a quicker profile.
ARG BASE_BUILD=rust:1.95-bookworm
ARG BASE_RUN=debian:bookworm-slim

FROM ${BASE_BUILD} AS build
ARG PROFILE=dist
WORKDIR /src
RUN apt-get update \
 && apt-get install -y --no-install-recommends libcap2-bin libssl-dev pkg-config zlib1g-dev \
 && rm -rf /var/lib/apt/lists/*
# The dependencies on their own: this layer holds until Cargo.lock changes.
COPY Cargo.toml Cargo.lock ./
COPY .cargo/config.toml .cargo/
RUN mkdir src && echo 'fn main() {}' > src/main.rs && touch src/lib.rs \
 && cargo build --locked --profile ${PROFILE}
COPY . .
# COPY keeps the old modification times, so cargo would take the stub for fresh.
RUN touch src/main.rs src/lib.rs \
 && cargo install --locked --profile ${PROFILE} --path . --root /out --no-track
# Permitted only: with =ep the program does not start once NET_RAW is dropped from the bounding set.
RUN setcap cap_net_raw=p /out/bin/waddleperf

FROM ${BASE_RUN}
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates libssl3 \
 && rm -rf /var/lib/apt/lists/* \
 && groupadd --gid 65532 waddleperf \
 && useradd --uid 65532 --gid 65532 --home-dir /var/lib/waddleperf --no-create-home --shell /usr/sbin/nologin waddleperf \
 && install -d -o 65532 -g 65532 -m 0700 /var/lib/waddleperf
COPY --from=build /out/bin/waddleperf /usr/bin/waddleperf
ENV WADDLEPERF_DATA=/var/lib/waddleperf
WORKDIR /var/lib/waddleperf
VOLUME /var/lib/waddleperf
USER 65532:65532
EXPOSE 2000/udp 5201/tcp 5201/udp
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=5s CMD ["/usr/bin/waddleperf", "health"]
ENTRYPOINT ["/usr/bin/waddleperf"]
CMD ["serve"]

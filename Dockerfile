# One image for every role: PARCOMOLO_ROLES says what a container runs, and nothing means everything in one process.
#
#   docker build --tag parcomolo .
#   docker run --read-only --volume parcomolo:/data --publish 8080:8080 parcomolo

FROM node:24-slim AS modules
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --ignore-scripts

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts
COPY --from=modules /app/node_modules /lean/node_modules
# Two thirds of what the Kubernetes client would load are comments, which V8 keeps in memory too: 25 MB become 8.
RUN cd /lean/node_modules/@kubernetes/client-node \
  && /app/node_modules/.bin/tsc --ignoreConfig --allowJs --noCheck --noResolve --types '' --removeComments \
    --target esnext --module nodenext --rootDir dist --outDir /lean/client-node $(find dist -name '*.js') \
  && cp -r /lean/client-node/. dist
# What no program reads when it runs. Licences stay.
RUN cd /lean/node_modules \
  && find . -type f ! -iname '*licen[cs]e*' ! -iname 'notice*' \( -name '*.ts' -o -name '*.mts' -o -name '*.cts' \
    -o -name '*.map' -o -name '*.md' -o -name '*.markdown' -o -name '*.bare' \) -delete \
  && find . -type d \( -name test -o -name tests -o -name __tests__ -o -name benchmark -o -name benchmarks \
    -o -name example -o -name examples -o -name docs -o -name .github -o -name .bin \) -prune -exec rm -rf {} + \
  && find . -type d -empty -delete
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build

FROM node:24-slim
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Parcomolo" \
  org.opencontainers.image.description="Declarative sagas on Kafka, operated by Kubernetes" \
  org.opencontainers.image.licenses="Apache-2.0" \
  org.opencontainers.image.version="$VERSION" \
  org.opencontainers.image.revision="$REVISION"
# glibc keeps most of what large buffers leave behind; this allocator gives it back within a second or two.
RUN apt-get update && apt-get install -y --no-install-recommends libjemalloc2 && rm -rf /var/lib/apt/lists/* /var/log/apt
# Of group 0, as a user that a platform chooses (OpenShift) is in that group.
RUN mkdir /data && chown 10001:0 /data && chmod 770 /data
WORKDIR /app
COPY --from=build /lean/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json LICENSE ./
COPY sagas sagas
# A folder of sagas with none in it: without the shop, all sagas and participants are resources.
RUN mkdir -p bare/participants
# Whoever publishes the port lets others in; within the container nobody else is on 127.0.0.1.
ENV NODE_ENV=production HOME=/tmp PARCOMOLO_HOST=0.0.0.0 PARCOMOLO_DATA=/data \
  LD_PRELOAD=libjemalloc.so.2 MALLOC_CONF=background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0
# A number, so that Kubernetes can tell that it is not root; above 10000, so that it is nobody on the node either.
USER 10001:10001
EXPOSE 8080
# Node itself is process 1, and gets SIGTERM without a shell or npm in between; no signal opens its inspector.
ENTRYPOINT ["/usr/local/bin/node", "--disable-sigusr1", "/app/dist/cli/parcomolo.js"]
CMD ["start"]

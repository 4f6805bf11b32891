# A Vert.x app: its jar, and what its Class-Path names.
# Made by `crac-build init --dockerfile`: `crac-build build` makes a pre-warmed image of it. BASE: any image with Java 17
# or newer and glibc.
ARG BASE=eclipse-temurin:21-jre
FROM ${BASE}
WORKDIR /app
{{copies}}
USER 1000:1000
EXPOSE {{port}}
ENTRYPOINT {{command}}

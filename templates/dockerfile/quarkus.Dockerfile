# A Quarkus fast-jar: what changes seldom in layers of its own.
# Made by `crac-build init --dockerfile`: `crac-build build` makes a pre-warmed image of it. BASE: any image with Java 17
# or newer and glibc.
ARG BASE=eclipse-temurin:21-jre
FROM ${BASE}
WORKDIR /app
{{copies}}
USER 1000:1000
EXPOSE {{port}}
ENTRYPOINT {{command}}

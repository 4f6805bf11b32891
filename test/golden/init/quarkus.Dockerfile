# A Quarkus fast-jar: what changes seldom in layers of its own.
# Made by `crac-build init --dockerfile`: `crac-build build` makes a pre-warmed image of it. BASE: any image with Java 17
# or newer and glibc.
ARG BASE=eclipse-temurin:21-jre
FROM ${BASE}
WORKDIR /app
COPY ["target/quarkus-app/lib/", "/app/lib/"]
COPY ["target/quarkus-app/quarkus-run.jar", "/app/app.jar"]
COPY ["target/quarkus-app/app/", "/app/app/"]
COPY ["target/quarkus-app/quarkus/", "/app/quarkus/"]
USER 1000:1000
EXPOSE 8080
ENTRYPOINT ["java", "-jar", "/app/app.jar"]

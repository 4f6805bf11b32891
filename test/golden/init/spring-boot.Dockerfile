# A Spring Boot jar (3.3 or newer), unpacked by its own tools: libraries in a layer below the app's classes.
# Made by `crac-build init --dockerfile`: `crac-build build` makes a pre-warmed image of it. BASE: any image with Java 17
# or newer and glibc.
ARG BASE=eclipse-temurin:21-jre
FROM ${BASE} AS unpacked
WORKDIR /unpacked
COPY ["target/shop.jar", "app.jar"]
RUN ["java", "-Djarmode=tools", "-jar", "app.jar", "extract", "--layers", "--destination", "layers"]

FROM ${BASE}
WORKDIR /app
COPY --from=unpacked /unpacked/layers/dependencies/ /app/
COPY --from=unpacked /unpacked/layers/snapshot-dependencies/ /app/
COPY --from=unpacked /unpacked/layers/application/ /app/
USER 1000:1000
EXPOSE 8443
ENTRYPOINT ["java", "-jar", "/app/app.jar"]

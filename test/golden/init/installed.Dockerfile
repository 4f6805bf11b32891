# A Vert.x app: its jar, and what its Class-Path names.
# Made by `crac-build init --dockerfile`: `crac-build build` makes a pre-warmed image of it. BASE: any image with Java 17
# or newer and glibc.
ARG BASE=eclipse-temurin:21-jre
FROM ${BASE}
WORKDIR /app
COPY ["build/install/shop/lib/vertx-core-5.0.1.jar", "/app/lib/"]
COPY ["build/install/shop/lib/shop.jar", "/app/lib/"]
USER 1000:1000
EXPOSE 8080
ENTRYPOINT ["java", "-Xmx64m", "-cp", "/app/lib/shop.jar:/app/lib/vertx-core-5.0.1.jar", "shop.Main"]

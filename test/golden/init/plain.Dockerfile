# An executable jar with what it needs beside it: libraries first, which change seldom.
# Made by `crac-build init --dockerfile`: `crac-build build` makes a pre-warmed image of it. BASE: any image with Java 17
# or newer and glibc.
ARG BASE=eclipse-temurin:21-jre
FROM ${BASE}
WORKDIR /app
COPY ["target/shop-1.0.jar", "/app/app.jar"]
USER 1000:1000
EXPOSE 8080
ENTRYPOINT ["java", "-jar", "/app/app.jar"]

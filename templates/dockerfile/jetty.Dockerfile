# A WAR on Jetty 12 (Jakarta EE 10), started without its scripts.
# Made by `crac-build init --dockerfile`: `crac-build build` makes a pre-warmed image of it. BASE: any image with Java 17
# or newer and glibc; JETTY: one with Jetty in /usr/local/jetty.
ARG BASE=eclipse-temurin:21-jdk
ARG JETTY=jetty:12-jdk21
FROM ${JETTY} AS jetty

FROM ${BASE}
WORKDIR /opt/jetty-base
COPY --from=jetty /usr/local/jetty/ /opt/jetty/
COPY --chown=1000:1000 ["{{jar}}", "/opt/jetty-base/webapps/ROOT.war"]
USER 1000:1000
EXPOSE {{port}}
ENTRYPOINT ["java", "-Djetty.home=/opt/jetty", "-Djetty.base=/opt/jetty-base", "-jar", "/opt/jetty/start.jar", \
  "--module=http,ee10-deploy,ee10-annotations", "jetty.http.port={{port}}"]

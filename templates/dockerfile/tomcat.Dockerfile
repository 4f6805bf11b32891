# A WAR on Tomcat, started without its scripts: they would set the same properties.
# Made by `crac-build init --dockerfile`: `crac-build build` makes a pre-warmed image of it. BASE: any image with Java 17
# or newer and glibc; TOMCAT: one with Tomcat in /usr/local/tomcat.
ARG BASE=eclipse-temurin:21-jdk
ARG TOMCAT=tomcat:11.0-jre21-temurin
FROM ${TOMCAT} AS tomcat

FROM ${BASE}
WORKDIR /opt/tomcat
# It writes into logs, temp, webapps and work.
COPY --from=tomcat --chown=1000:1000 /usr/local/tomcat/ /opt/tomcat/
COPY --chown=1000:1000 ["{{jar}}", "/opt/tomcat/webapps/ROOT.war"]
USER 1000:1000
EXPOSE {{port}}
ENTRYPOINT ["java", "-Djava.util.logging.manager=org.apache.juli.ClassLoaderLogManager", \
  "-Djava.util.logging.config.file=/opt/tomcat/conf/logging.properties", "-Djava.io.tmpdir=/opt/tomcat/temp", \
  "-Dcatalina.home=/opt/tomcat", "-Dcatalina.base=/opt/tomcat", \
  "-cp", "/opt/tomcat/bin/bootstrap.jar:/opt/tomcat/bin/tomcat-juli.jar", "org.apache.catalina.startup.Bootstrap", "start"]

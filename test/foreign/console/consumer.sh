#!/usr/bin/env bash
# kafka-console-consumer with a deserializer that asks the schema registry, for the topics of Parcomolo:
#   consumer.sh --topic order-events --from-beginning
# Fetches its libraries with Maven into FOREIGN_CONSOLE_HOME, once for each state of pom.xml. Needs Java 17 or later.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
: "${KAFKA_BROKERS:?names no broker}" "${SCHEMA_REGISTRY_URL:?names no registry}"
libs=${FOREIGN_CONSOLE_HOME:?names no folder for the libraries}/$(sha256sum < "$here/pom.xml" | cut -c1-12)

if [ ! -d "$libs" ]; then
  mkdir -p "$(dirname "$libs")"
  fetched=$(mktemp -d "$libs.XXXXXX")
  mvn -q -B -C -f "$here/pom.xml" org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$fetched" < /dev/null >&2
  mv -T "$fetched" "$libs" || rm -rf "$fetched" # another one may have been quicker
fi

# Without arguments it has only fetched.
[ $# -gt 0 ] || exit 0

# Apicurio's deserializer reads Confluent's frames, but asks by Apicurio's own interface, which lies beside Confluent's.
exec java -Xmx128m -Dorg.slf4j.simpleLogger.defaultLogLevel=error -cp "$libs/*" \
  org.apache.kafka.tools.consumer.ConsoleConsumer --bootstrap-server "$KAFKA_BROKERS" \
  --formatter-property value.deserializer=io.apicurio.registry.serde.avro.AvroKafkaDeserializer \
  --formatter-property value.deserializer.apicurio.registry.url="${SCHEMA_REGISTRY_URL%/apis/*}/apis/registry/v2" \
  --formatter-property value.deserializer.apicurio.registry.use-id=contentId \
  --formatter-property value.deserializer.apicurio.registry.id-handler=io.apicurio.registry.serde.Legacy4ByteIdHandler \
  "$@"

{{/*
The environment of a role's process as a list, sorted and without repeats, which server-side apply insists on. Settings
stand in the pod itself, not in a ConfigMap: so an old pod that starts again amid an upgrade has the old ones, and a
change rolls the pods by itself. Give (dict "root" $ "component" ROLE "role" ITS_VALUES).
*/}}
{{- define "parcomolo.environment" -}}
{{- $values := .root.Values -}}
{{- $env := dict
  "PORT" "8080"
  "PARCOMOLO_METRICS_PORT" "9090"
  "PARCOMOLO_HOST" "0.0.0.0"
  "PARCOMOLO_ROLES" .component
  "PARTITIONS" (toString $values.partitions)
  "LOG_LEVEL" $values.logLevel
  "KAFKA_BROKERS" (include "parcomolo.kafka.brokers" .root)
  "KAFKA_CLIENT_ID" (printf "parcomolo-%s" .component)
  "KAFKA_CREATE_TOPICS" (toString $values.kafka.createTopics)
  "KAFKA_SESSION_TIMEOUT" $values.kafka.sessionTimeout
  "SCHEMA_REGISTRY_URL" (include "parcomolo.registry.url" .root)
-}}
{{- if $values.shop.enabled }}{{- $_ := set $env "FLOW" $values.flow }}
{{- else }}
{{- /* All participants are resources then: the image's folder has those of the shop, this one none. */}}
{{- $_ := set $env "PARCOMOLO_APP" "none" }}
{{- $_ := set $env "PARCOMOLO_SAGAS" "/app/bare" }}
{{- end -}}
{{- with .role.nodeOptions }}{{- $_ := set $env "NODE_OPTIONS" . }}{{- end -}}
{{- if $values.trustedCa.existingSecret }}{{- $_ := set $env "NODE_EXTRA_CA_CERTS" "/etc/parcomolo/ca/ca.pem" }}{{- end -}}
{{- with $values.kafka.prefix }}{{- $_ := set $env "KAFKA_PREFIX" . }}{{- end -}}
{{- with $values.kafka.replicationFactor }}{{- $_ := set $env "KAFKA_REPLICATION_FACTOR" (toString .) }}{{- end -}}
{{- with $values.kafka.sasl }}
{{- if .mechanism }}
{{- $_ := set $env "KAFKA_SASL_MECHANISM" .mechanism }}
{{- $_ := set $env "KAFKA_SASL_USERNAME" (include "parcomolo.secretKey" (list .existingSecret .usernameKey) | fromJson) }}
{{- $_ := set $env "KAFKA_SASL_PASSWORD" (include "parcomolo.secretKey" (list .existingSecret .passwordKey) | fromJson) }}
{{- end }}
{{- end -}}
{{- with $values.kafka.tls }}
{{- if .enabled }}
{{- $_ := set $env "KAFKA_TLS" "true" }}
{{- if .caSecret }}{{- $_ := set $env "KAFKA_TLS_CA_FILE" "/etc/parcomolo/kafka-ca/ca.pem" }}{{- end }}
{{- if .clientSecret }}
{{- $_ := set $env "KAFKA_TLS_CERT_FILE" "/etc/parcomolo/kafka-client/cert.pem" }}
{{- $_ := set $env "KAFKA_TLS_KEY_FILE" "/etc/parcomolo/kafka-client/key.pem" }}
{{- end }}
{{- end }}
{{- end -}}
{{- with $values.registry }}
{{- if and (not .enabled) .existingSecret }}
{{- $_ := set $env "SCHEMA_REGISTRY_USERNAME" (include "parcomolo.secretKey" (list .existingSecret .usernameKey) | fromJson) }}
{{- $_ := set $env "SCHEMA_REGISTRY_PASSWORD" (include "parcomolo.secretKey" (list .existingSecret .passwordKey) | fromJson) }}
{{- end }}
{{- end -}}
{{- if eq .component "operator" }}
{{- $_ := set $env "PARCOMOLO_DEFINITIONS" "kubernetes" }}
{{- $_ := set $env "PARCOMOLO_NAMESPACE" (dict "valueFrom" (dict "fieldRef" (dict "fieldPath" "metadata.namespace"))) }}
{{- $_ := set $env "PARCOMOLO_VIEW_URL" (printf "http://%s.%s.svc:%v" (include "parcomolo.fullname" .root) .root.Release.Namespace $values.view.service.port) }}
{{- end -}}
{{- if eq .component "courier" }}
{{- $_ := set $env "PARCOMOLO_COURIER_PRIVATE" (toString $values.courier.privateAddresses) }}
{{- if $values.courier.secret }}{{- $_ := set $env "PARCOMOLO_COURIER_SECRETS" "/etc/parcomolo/courier" }}{{- end }}
{{- end -}}
{{- if eq .component "view" }}
{{- $_ := set $env "PARCOMOLO_DATA" "/data" }}
{{- $_ := set $env "PARCOMOLO_STOP_DELAY" $values.view.stopDelay }}
{{- with include "parcomolo.idSecret" .root }}{{- $_ := set $env "PARCOMOLO_ID_SECRET" (include "parcomolo.secretKey" (list . "id-secret") | fromJson) }}{{- end }}
{{- with $values.view.database }}
{{- if .existingSecret }}{{- $_ := set $env "VIEW_DATABASE_URL" (include "parcomolo.secretKey" (list .existingSecret .key) | fromJson) }}{{- end }}
{{- end }}
{{- end -}}
{{- range $name, $value := .role.env }}{{- $_ := set $env $name $value }}{{- end -}}
{{- include "parcomolo.environmentList" $env -}}
{{- end -}}

{{/* Variables by name, each a text or an object with `valueFrom`, as the list that a container takes. */}}
{{- define "parcomolo.environmentList" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
{{- if kindIs "map" $value }}
  {{- toYaml $value | nindent 2 }}
{{- else }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "parcomolo.secretKey" -}}
{{- dict "valueFrom" (dict "secretKeyRef" (dict "name" (index . 0) "key" (index . 1))) | toJson -}}
{{- end -}}

{{/* Names of the secrets that a role's pods read, as JSON. */}}
{{- define "parcomolo.secrets" -}}
{{- $values := .root.Values -}}
{{- $names := list $values.trustedCa.existingSecret -}}
{{- if $values.kafka.sasl.mechanism }}{{- $names = append $names $values.kafka.sasl.existingSecret }}{{- end -}}
{{- if $values.kafka.tls.enabled }}{{- $names = concat $names (list $values.kafka.tls.caSecret $values.kafka.tls.clientSecret) }}{{- end -}}
{{- if not $values.registry.enabled }}{{- $names = append $names $values.registry.existingSecret }}{{- end -}}
{{- if eq .component "view" }}{{- $names = concat $names (list $values.view.database.existingSecret $values.view.idSecret.existingSecret) }}{{- end -}}
{{- $names | compact | uniq | toJson -}}
{{- end -}}

{{/*
Of the secrets that a role reads, as the cluster has them at the time of an install or upgrade: an upgrade after a
password was changed rolls the pods. Empty where nothing is read, and under `helm template`, which asks no cluster.
*/}}
{{- define "parcomolo.secretsChecksum" -}}
{{- $root := .root -}}
{{- $data := list -}}
{{- range include "parcomolo.secrets" . | fromJsonArray }}
{{- with lookup "v1" "Secret" $root.Release.Namespace . }}{{- $data = append $data (dict "name" .metadata.name "data" .data) }}{{- end }}
{{- end -}}
{{- if $data -}}{{- $data | toJson | sha256sum -}}{{- end -}}
{{- end -}}

{{/* Name of the secret with what ids are made with; empty where there is none. */}}
{{- define "parcomolo.idSecret" -}}
{{- $own := ternary (printf "%s-ids" (include "parcomolo.fullname" .)) "" .Values.view.idSecret.generate -}}
{{- if .Values.shop.enabled }}{{- default $own .Values.view.idSecret.existingSecret -}}{{- end -}}
{{- end -}}

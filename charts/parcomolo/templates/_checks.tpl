{{/* What a schema cannot say: values that do not go together. Each says what is wrong, what was expected, what to do. */}}
{{- define "parcomolo.check" -}}
{{- $values := .Values -}}
{{- $name := include "parcomolo.fullname" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) -}}
{{- fail (printf "fullnameOverride: '%s' is made of the release's name '%s' but is no name of a service, which begins with a letter and has nothing but small letters, digits and '-' (DNS-1035); name one here, or choose another name for the release" $name .Release.Name) -}}
{{- end -}}
{{- if not $values.enabled -}}
{{- fail "enabled: 'false' takes nothing away by itself; expected a chart with this one as a dependency and 'condition: parcomolo.enabled' there; leave it out, or add the condition" -}}
{{- end -}}
{{- if and (not $values.shop.enabled) (ne $values.flow "orchestration") -}}
{{- fail (printf "flow: '%s' is not accepted without shop.enabled, as only the shop has a flow; leave it out, or set shop.enabled to true" $values.flow) -}}
{{- end -}}
{{- if not (kindIs "slice" $values.services) -}}
{{- fail "services: is no list, as in values of a chart before it; expected those that run, [order, inventory, payment, shipping]; upgrade with --reset-then-reuse-values in place of --reuse-values, or name them" -}}
{{- end -}}
{{- range $values.services -}}
{{- $own := index $values . -}}
{{- if or (has . (list "orchestrator" "courier" "operator" "view" "kafka" "registry")) (not (or (kindIs "invalid" $own) (kindIs "map" $own))) -}}
{{- fail (printf "services: '%s' is not accepted, as the chart has something else of that name; leave it out" .) -}}
{{- end -}}
{{- end -}}
{{- $kafka := $values.kafka -}}
{{- if and $kafka.enabled $kafka.brokers -}}
{{- fail (printf "kafka.brokers: '%s' is not accepted with kafka.enabled, as the chart then brings a broker of its own; set kafka.enabled to false, or leave kafka.brokers out" (join "," $kafka.brokers)) -}}
{{- end -}}
{{- if not (or $kafka.enabled $kafka.brokers) -}}
{{- fail "kafka.brokers: names no broker; expected a list of host:port, as kafka.enabled is false; name yours, or set kafka.enabled to true" -}}
{{- end -}}
{{- if and $kafka.enabled (or $kafka.sasl.mechanism $kafka.tls.enabled) -}}
{{- fail "kafka.sasl, kafka.tls: are not accepted with kafka.enabled, as the broker for development has neither; set kafka.enabled to false and name yours in kafka.brokers" -}}
{{- end -}}
{{- if and $kafka.sasl.mechanism (not $kafka.sasl.existingSecret) -}}
{{- fail (printf "kafka.sasl.existingSecret: names no secret; expected the one with user name and password for '%s'; name it, or leave kafka.sasl.mechanism out" $kafka.sasl.mechanism) -}}
{{- end -}}
{{- if and (or $kafka.tls.caSecret $kafka.tls.clientSecret) (not $kafka.tls.enabled) -}}
{{- fail "kafka.tls: names secrets but is not enabled; set kafka.tls.enabled to true, or leave them out" -}}
{{- end -}}
{{- if and $values.registry.enabled $values.registry.url -}}
{{- fail (printf "registry.url: '%s' is not accepted with registry.enabled, as the chart then brings a registry of its own; set registry.enabled to false, or leave registry.url out" $values.registry.url) -}}
{{- end -}}
{{- if not (or $values.registry.enabled $values.registry.url) -}}
{{- fail "registry.url: names no registry; expected its base address, as registry.enabled is false; name yours, or set registry.enabled to true" -}}
{{- end -}}
{{- if and $values.registry.enabled (or $kafka.sasl.mechanism $kafka.tls.enabled) (not $values.registry.server.brokers) -}}
{{- fail "registry.enabled: the registry for development keeps its data in Kafka without SASL and TLS; set registry.enabled to false and name yours in registry.url, or name listeners without them in registry.server.brokers" -}}
{{- end -}}
{{- with $values.view.service -}}
{{- if and .nodePort (eq .type "ClusterIP") -}}
{{- fail (printf "view.service.nodePort: '%v' is not accepted with type 'ClusterIP', which has no port on the nodes; set view.service.type to NodePort or LoadBalancer, or leave it out" .nodePort) -}}
{{- end -}}
{{- if and (or .loadBalancerIP .loadBalancerClass) (ne .type "LoadBalancer") -}}
{{- fail (printf "view.service: loadBalancerIP and loadBalancerClass are not accepted with type '%s'; set view.service.type to LoadBalancer, or leave them out" .type) -}}
{{- end -}}
{{- end -}}
{{- if and $values.view.httpRoute.enabled (not $values.view.httpRoute.parentRefs) -}}
{{- fail "view.httpRoute.parentRefs: names no gateway; expected a list of {name, namespace}; name yours, or set view.httpRoute.enabled to false" -}}
{{- end -}}
{{- with $values.view.autoscaling -}}
{{- if and .enabled (not $values.view.database.existingSecret) -}}
{{- fail "view.autoscaling: is not accepted on SQLite, where each replica first has to make a read model of its own; name a secret in view.database.existingSecret, or set view.autoscaling.enabled to false" -}}
{{- end -}}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) -}}
{{- fail (printf "view.autoscaling.minReplicas: '%v' is above maxReplicas '%v'" .minReplicas .maxReplicas) -}}
{{- end -}}
{{- end -}}
{{- with $values.keda -}}
{{- if and .enabled (not $values.shop.enabled) -}}
{{- fail "keda.enabled: is not accepted without shop.enabled, as it scales services of the shop; set it to false" -}}
{{- end -}}
{{- if and .enabled (ne $values.flow "orchestration") -}}
{{- fail (printf "keda.enabled: is not accepted with flow '%s', where no role has an inbox to measure; set it to false" $values.flow) -}}
{{- end -}}
{{- range .roles -}}
{{- if and $values.keda.enabled (not (has . $values.services)) -}}
{{- fail (printf "keda.roles: '%s' is not accepted, as it is none of services; leave it out, or name it there" .) -}}
{{- end -}}
{{- end -}}
{{- if and .enabled (gt (int .maxReplicas) (int $values.partitions)) -}}
{{- fail (printf "keda.maxReplicas: '%v' is above partitions '%v'; the rest would have nothing to do" .maxReplicas $values.partitions) -}}
{{- end -}}
{{- if and .enabled (gt (int .minReplicas) (int .maxReplicas)) -}}
{{- fail (printf "keda.minReplicas: '%v' is above maxReplicas '%v'" .minReplicas .maxReplicas) -}}
{{- end -}}
{{- end -}}
{{- end -}}

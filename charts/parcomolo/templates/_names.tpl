{{/* Begins the name of every resource: the release, and the chart unless the release is called like it. */}}
{{- define "parcomolo.fullname" -}}
{{- $chart := default .Chart.Name .Values.nameOverride -}}
{{- $name := printf "%s-%s" .Release.Name $chart -}}
{{- if contains $chart .Release.Name -}}{{- $name = .Release.Name -}}{{- end -}}
{{- default $name .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{/* What every resource carries. Give (dict "root" $ "component" NAME). */}}
{{- define "parcomolo.labels" -}}
{{- $root := .root -}}
{{- $fixed := dict "app.kubernetes.io/managed-by" $root.Release.Service -}}
{{- $free := dict
  "helm.sh/chart" (printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_")
  "app.kubernetes.io/version" $root.Chart.AppVersion
-}}
{{- mustMerge $fixed (include "parcomolo.podLabels" . | fromYaml) $free | toYaml -}}
{{- end -}}

{{/* What finds the pods of a component; it never changes, as a workload's selector must not. */}}
{{- define "parcomolo.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/*
What a pod carries: nothing that another version of the chart would change, as that would start every pod anew. Labels
of the values, and those of `own` before them, may say all but what finds the pods.
*/}}
{{- define "parcomolo.podLabels" -}}
{{- $labels := include "parcomolo.selector" . | fromYaml -}}
{{- range $more := list .own .root.Values.commonLabels (dict "app.kubernetes.io/part-of" "parcomolo") -}}
{{- range $name, $value := $more }}{{- if not (hasKey $labels $name) }}{{- $_ := set $labels $name (toString $value) }}{{- end }}{{- end -}}
{{- end -}}
{{- toYaml $labels -}}
{{- end -}}

{{/* Give (dict "root" $ "image" IMAGE_OF_THE_VALUES "version" FOR_AN_EMPTY_TAG). */}}
{{- define "parcomolo.image" -}}
{{- $repository := .image.repository -}}
{{- with .root.Values.global.imageRegistry -}}
{{- $parts := splitList "/" $repository -}}
{{- /* As Docker tells a registry from the first part of a path. */ -}}
{{- if and (gt (len $parts) 1) (regexMatch "[.:]|^localhost$" (first $parts)) }}{{- $parts = rest $parts }}{{- end -}}
{{- $repository = printf "%s/%s" (trimSuffix "/" .) (join "/" $parts) -}}
{{- end -}}
{{- printf "%s:%s" $repository (default .version .image.tag) -}}
{{- with .image.digest }}{{ printf "@%s" . }}{{- end -}}
{{- end -}}

{{/* Secrets for images, those of the whole first, as a list; nothing where there are none. */}}
{{- define "parcomolo.pullSecrets" -}}
{{- $secrets := list -}}
{{- range concat (default list .Values.global.imagePullSecrets) .Values.imagePullSecrets -}}
{{- $secrets = append $secrets (ternary (dict "name" .) . (kindIs "string" .)) -}}
{{- end -}}
{{- with uniq $secrets }}{{ toYaml . }}{{- end -}}
{{- end -}}

{{- define "parcomolo.serviceAccountName" -}}
{{- if .root.Values.serviceAccount.create -}}
{{- printf "%s-%s" (include "parcomolo.fullname" .root) .component -}}
{{- else -}}default{{- end -}}
{{- end -}}

{{/* The services of the shop, where it runs, as JSON. */}}
{{- define "parcomolo.services" -}}
{{- ternary .Values.services list .Values.shop.enabled | toJson -}}
{{- end -}}

{{/* The roles that have something to do, as JSON. */}}
{{- define "parcomolo.roles" -}}
{{- $ofEngine := ternary (list "view") (list "orchestrator" "courier" "operator" "view") (eq .Values.flow "choreography") -}}
{{- concat (include "parcomolo.services" . | fromJsonArray) $ofEngine | toJson -}}
{{- end -}}

{{/* The values of a role, over those for every role, as JSON. Give (dict "root" $ "component" ROLE). */}}
{{- define "parcomolo.role" -}}
{{- $defaults := .root.Values.defaults -}}
{{- $own := index .root.Values .component -}}
{{- if not (kindIs "map" $own) }}{{- $own = dict }}{{- end -}}
{{- $role := dict -}}
{{- range $values := list $defaults $own -}}
{{- range $key, $value := $values }}{{- $_ := set $role $key $value }}{{- end -}}
{{- end -}}
{{- range $key := list "podSecurityContext" "securityContext" -}}
{{- $context := include "parcomolo.laidOver" (list (index $defaults $key) (index $own $key)) | fromJson -}}
{{- $_ := set $role $key $context -}}
{{- end -}}
{{- toJson $role -}}
{{- end -}}

{{/* The second object over the first, field by field, as JSON: what is null there is taken away. */}}
{{- define "parcomolo.laidOver" -}}
{{- $under := deepCopy (default dict (index . 0)) -}}
{{- range $key, $value := default dict (index . 1) -}}
{{- $before := index $under $key -}}
{{- if kindIs "invalid" $value }}{{- $_ := unset $under $key -}}
{{- else if and (kindIs "map" $value) (kindIs "map" $before) -}}
{{- $_ := set $under $key (include "parcomolo.laidOver" (list $before $value) | fromJson) -}}
{{- else }}{{- $_ := set $under $key $value }}{{- end -}}
{{- end -}}
{{- toJson $under -}}
{{- end -}}

{{/* Whether somebody else than the chart sets the number of replicas: "true" or "". */}}
{{- define "parcomolo.isScaled" -}}
{{- if and (eq .component "view") .root.Values.view.autoscaling.enabled -}}true{{- end -}}
{{- if and .root.Values.keda.enabled (has .component .root.Values.keda.roles) -}}true{{- end -}}
{{- end -}}

{{/* Whether the sagas come with the release: "true" or "". */}}
{{- define "parcomolo.hasSagas" -}}
{{- if and .Values.sagas.install .Values.shop.enabled (eq .Values.flow "orchestration") -}}true{{- end -}}
{{- end -}}

{{- define "parcomolo.kafka.brokers" -}}
{{- if .Values.kafka.enabled -}}
{{- printf "%s-kafka.%s.svc:9092" (include "parcomolo.fullname" .) .Release.Namespace -}}
{{- else -}}
{{- join "," .Values.kafka.brokers -}}
{{- end -}}
{{- end -}}

{{/* Of the broker's volume. A cluster refuses another one than it has made the StatefulSet with, so that one stays. */}}
{{- define "parcomolo.kafka.volumeSize" -}}
{{- $size := .Values.kafka.broker.persistence.size -}}
{{- with lookup "apps/v1" "StatefulSet" .Release.Namespace (printf "%s-kafka" (include "parcomolo.fullname" .)) -}}
{{- range .spec.volumeClaimTemplates }}{{- $size = .spec.resources.requests.storage }}{{- end -}}
{{- end -}}
{{- $size -}}
{{- end -}}

{{- define "parcomolo.registry.brokers" -}}
{{- with .Values.registry.server.brokers -}}{{ join "," . }}{{- else -}}{{ include "parcomolo.kafka.brokers" . }}{{- end -}}
{{- end -}}

{{- define "parcomolo.registry.url" -}}
{{- if .Values.registry.enabled -}}
{{- printf "http://%s-registry.%s.svc:8080/apis/ccompat/v7" (include "parcomolo.fullname" .) .Release.Namespace -}}
{{- else -}}
{{- .Values.registry.url -}}
{{- end -}}
{{- end -}}

{{/* How many orders a volume of this size takes, in words, at 22 KB each. */}}
{{- define "parcomolo.ordersIn" -}}
{{- $bytes := dict "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- $orders := div (mul (int64 (regexFind "^[0-9]+" .)) (get $bytes (regexFind "[A-Z]i$" .) | int64)) 22000 -}}
{{- if lt $orders 1000000 }}{{ div $orders 1000 }},000{{ else }}{{ div $orders 1000000 }} million{{ end -}}
{{- end -}}

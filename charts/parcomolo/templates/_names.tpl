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
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/part-of: parcomolo
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
{{ include "parcomolo.selector" . }}
{{- end -}}

{{/* What finds the pods of a component; it never changes, as a workload's selector must not. */}}
{{- define "parcomolo.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* What a pod carries: nothing that another version of the chart would change, as that would start every pod anew. */}}
{{- define "parcomolo.podLabels" -}}
app.kubernetes.io/part-of: parcomolo
{{ include "parcomolo.selector" . }}
{{- end -}}

{{/* Give an image of the values, with `version` for an empty tag. */}}
{{- define "parcomolo.image" -}}
{{- $tag := default .version .image.tag -}}
{{- if .image.digest -}}
{{- printf "%s:%s@%s" .image.repository $tag .image.digest -}}
{{- else -}}
{{- printf "%s:%s" .image.repository $tag -}}
{{- end -}}
{{- end -}}

{{- define "parcomolo.serviceAccountName" -}}
{{- if .root.Values.serviceAccount.create -}}
{{- printf "%s-%s" (include "parcomolo.fullname" .root) .component -}}
{{- else -}}default{{- end -}}
{{- end -}}

{{/* The roles that have something to do in this flow, as JSON. */}}
{{- define "parcomolo.roles" -}}
{{- if eq .Values.flow "choreography" -}}
{{- list "order" "inventory" "payment" "shipping" "view" | toJson -}}
{{- else -}}
{{- list "order" "inventory" "payment" "shipping" "orchestrator" "operator" "view" | toJson -}}
{{- end -}}
{{- end -}}

{{/* The values of a role, over those for every role, as JSON. Give (dict "root" $ "component" ROLE). */}}
{{- define "parcomolo.role" -}}
{{- $role := dict -}}
{{- range $key, $value := .root.Values.defaults }}{{- $_ := set $role $key $value }}{{- end -}}
{{- range $key, $value := index .root.Values .component }}{{- $_ := set $role $key $value }}{{- end -}}
{{- toJson $role -}}
{{- end -}}

{{/* Whether somebody else than the chart sets the number of replicas: "true" or "". */}}
{{- define "parcomolo.isScaled" -}}
{{- if and (eq .component "view") .root.Values.view.autoscaling.enabled -}}true{{- end -}}
{{- if and .root.Values.keda.enabled (has .component .root.Values.keda.roles) -}}true{{- end -}}
{{- end -}}

{{/* Whether the sagas come with the release: "true" or "". */}}
{{- define "parcomolo.hasSagas" -}}
{{- if and .Values.sagas.install (eq .Values.flow "orchestration") -}}true{{- end -}}
{{- end -}}

{{- define "parcomolo.kafka.brokers" -}}
{{- if .Values.kafka.enabled -}}
{{- printf "%s-kafka.%s.svc:9092" (include "parcomolo.fullname" .) .Release.Namespace -}}
{{- else -}}
{{- join "," .Values.kafka.brokers -}}
{{- end -}}
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

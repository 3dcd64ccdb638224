{{/* Rules of a NetworkPolicy for what a component may reach. */}}
{{- define "parcomolo.egress.dns" -}}
- ports: [{ port: 53, protocol: UDP }, { port: 53, protocol: TCP }]
{{- end -}}

{{/* Give (dict "root" $ "brokers" LIST), an empty list for those of the values. */}}
{{- define "parcomolo.egress.kafka" -}}
{{- $brokers := default .root.Values.kafka.brokers .brokers -}}
{{- if not $brokers -}}
- ports: [{ port: kafka, protocol: TCP }]
  to:
    - podSelector:
        matchLabels: {{- include "parcomolo.selector" (dict "root" .root "component" "kafka") | nindent 10 }}
{{- else -}}
{{- $ports := list -}}
{{- range $brokers }}{{- $ports = append $ports (regexFind "[0-9]+$" .) }}{{- end -}}
- ports:
    {{- range uniq $ports }}
    - { port: {{ . }}, protocol: TCP }
    {{- end }}
  {{- with .root.Values.networkPolicy.kafkaTo }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
{{- end -}}

{{- define "parcomolo.egress.registry" -}}
{{- if .Values.registry.enabled -}}
- ports: [{ port: registry, protocol: TCP }]
  to:
    - podSelector:
        matchLabels: {{- include "parcomolo.selector" (dict "root" . "component" "registry") | nindent 10 }}
{{- else -}}
{{- $url := urlParse .Values.registry.url -}}
{{- $port := regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) -}}
- ports: [{ port: {{ default (ternary "443" "80" (eq $url.scheme "https")) $port }}, protocol: TCP }]
  {{- with .Values.networkPolicy.registryTo }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
{{- end -}}

{{- define "parcomolo.egress.view" -}}
- ports: [{ port: http, protocol: TCP }]
  to:
    - podSelector:
        matchLabels: {{- include "parcomolo.selector" (dict "root" . "component" "view") | nindent 10 }}
{{- end -}}

{{- define "parcomolo.egress.apiServer" -}}
- ports:
    {{- range .Values.networkPolicy.apiServerPorts }}
    - { port: {{ int . }}, protocol: TCP }
    {{- end }}
  {{- with .Values.networkPolicy.apiServerTo }}
  to: {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}

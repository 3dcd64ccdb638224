{{/* Restricted Pod Security. Give (dict "user" NUMBER). */}}
{{- define "parcomolo.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .user }}
runAsGroup: {{ .user }}
fsGroup: {{ .user }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end -}}

{{- define "parcomolo.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end -}}

{{/* Over zones and nodes where there are several; never a reason not to run. */}}
{{- define "parcomolo.spread" -}}
{{- range $key := list "topology.kubernetes.io/zone" "kubernetes.io/hostname" }}
- maxSkew: 1
  topologyKey: {{ $key }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels: {{- include "parcomolo.selector" $ | nindent 6 }}
{{- end }}
{{- end -}}

{{/* What a role's pods mount, as a list of volumes with the path of each. */}}
{{- define "parcomolo.volumes" -}}
{{- $values := .root.Values -}}
{{- $volumes := list -}}
{{- if eq .component "view" }}
{{- $volumes = append $volumes (dict "path" "/data" "volume" (dict "name" "data" "emptyDir" (dict "sizeLimit" $values.view.storageSize))) }}
{{- end -}}
{{- with $values.trustedCa }}
{{- if .existingSecret }}
{{- $secret := dict "secretName" .existingSecret "items" (list (dict "key" .key "path" "ca.pem")) }}
{{- $volumes = append $volumes (dict "path" "/etc/parcomolo/ca" "volume" (dict "name" "ca" "secret" $secret)) }}
{{- end }}
{{- end -}}
{{- with $values.kafka.tls }}
{{- if and .enabled .caSecret }}
{{- $secret := dict "secretName" .caSecret "items" (list (dict "key" .caKey "path" "ca.pem")) }}
{{- $volumes = append $volumes (dict "path" "/etc/parcomolo/kafka-ca" "volume" (dict "name" "kafka-ca" "secret" $secret)) }}
{{- end }}
{{- if and .enabled .clientSecret }}
{{- $items := list (dict "key" .certKey "path" "cert.pem") (dict "key" .keyKey "path" "key.pem") }}
{{- $secret := dict "secretName" .clientSecret "defaultMode" 0440 "items" $items }}
{{- $volumes = append $volumes (dict "path" "/etc/parcomolo/kafka-client" "volume" (dict "name" "kafka-client" "secret" $secret)) }}
{{- end }}
{{- end -}}
{{- toJson $volumes -}}
{{- end -}}

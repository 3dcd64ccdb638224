{{/* Of a role, as its values say. A constraint without a selector would count no pods at all. */}}
{{- define "parcomolo.spread" -}}
{{- $constraints := list -}}
{{- range .role.topologySpreadConstraints -}}
{{- $own := dict "labelSelector" (dict "matchLabels" (include "parcomolo.selector" $ | fromYaml)) -}}
{{- $constraints = append $constraints (ternary . (mustMerge (deepCopy .) $own) (hasKey . "labelSelector")) -}}
{{- end -}}
{{- with $constraints }}{{ toYaml . }}{{- end -}}
{{- end -}}

{{/* What a role's pods mount, as a list of volumes with the path of each. */}}
{{- define "parcomolo.volumes" -}}
{{- $values := .root.Values -}}
{{- $volumes := list -}}
{{- if eq .component "view" }}
{{- $volumes = append $volumes (dict "path" "/data" "volume" (dict "name" "data" "emptyDir" (dict "sizeLimit" $values.view.storageSize))) }}
{{- end -}}
{{- if and (eq .component "courier") $values.courier.secret }}
{{- $secret := dict "secretName" $values.courier.secret "optional" true }}
{{- $volumes = append $volumes (dict "path" "/etc/parcomolo/courier" "volume" (dict "name" "courier" "secret" $secret)) }}
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

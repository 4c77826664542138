{{/*
Shared by the NetworkPolicies. Policies only add permissions, so each pod's policy names what it needs and nothing else; the default deny is in networkpolicy-data.yaml.
*/}}

{{/* Egress rules for DNS: the cluster's, and addresses on the nodes. */}}
{{- define "task-api.dnsEgress" -}}
{{- with .Values.networkPolicy.dns -}}
{{- if or .to .cidrs -}}
- to:
    {{- with .to }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- range .cidrs }}
    - ipBlock:
        cidr: {{ . }}
    {{- end }}
  ports:
    {{- range .ports }}
    - port: {{ . }}
      protocol: UDP
    - port: {{ . }}
      protocol: TCP
    {{- end }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* A rule of an egress to addresses outside: include … (dict "cidrs" .cidrs "ports" .ports) */}}
{{- define "task-api.cidrEgress" -}}
- to:
    {{- range .cidrs }}
    - ipBlock:
        cidr: {{ . }}
    {{- end }}
  ports:
    {{- range .ports }}
    - port: {{ . }}
      protocol: TCP
    {{- end }}
{{- end -}}

{{/* A rule of an egress to pods of this release: include … (list $ "redis" 6379) */}}
{{- define "task-api.componentEgress" -}}
- to:
    - podSelector:
        matchLabels: {{- include "task-api.selectorLabels" (list (index . 0) (index . 1)) | nindent 10 }}
  ports:
    - port: {{ index . 2 }}
      protocol: TCP
{{- end -}}

{{- /*
     Egress to Postgres, in every mode. include … (list $ "postgres-primary" "postgres-replica") names the bundled pods that
     are reached.
*/}}
{{- define "task-api.postgresEgress" -}}
{{- $root := first . -}}
{{- $components := rest . -}}
{{- with $root.Values.postgres -}}
{{- if eq .mode "bundled" -}}
{{- range $i, $component := $components -}}
{{- if $i }}{{ "\n" }}{{ end -}}
{{ include "task-api.componentEgress" (list $root $component 5432) }}
{{- end -}}
{{- else if eq .mode "cloudnativepg" -}}
- to:
    - podSelector:
        matchLabels: {{- .cloudnativepg.podLabels | default (dict "cnpg.io/cluster" (include "task-api.cloudnativepgCluster" $root)) | toYaml | nindent 10 }}
  ports:
    - port: 5432
      protocol: TCP
{{- else -}}
{{ include "task-api.cidrEgress" .external }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "task-api.redisEgress" -}}
{{- if eq .Values.redis.mode "bundled" -}}
{{ include "task-api.componentEgress" (list . "redis" 6379) }}
{{- else -}}
{{ include "task-api.cidrEgress" .Values.redis.external }}
{{- end -}}
{{- end -}}

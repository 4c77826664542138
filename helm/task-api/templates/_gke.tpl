{{/* Annotations of the public Service: yours, and the one for the health check of a GKE Ingress. */}}
{{- define "task-api.serviceAnnotations" -}}
{{- $annotations := .Values.service.annotations -}}
{{- if .Values.gke.backendConfig -}}
{{- $config := dict "default" (include "task-api.fullname" .) | toJson -}}
{{- $annotations = merge (dict "cloud.google.com/backend-config" $config) $annotations -}}
{{- end -}}
{{- with $annotations -}}
annotations: {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}

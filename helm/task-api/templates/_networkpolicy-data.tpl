{{/* The head of a component's policy; its rules follow: include "task-api.dataPolicy" (list $ "redis") */}}
{{- define "task-api.dataPolicy" -}}
{{- $root := index . 0 -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "task-api.fullname" $root }}-{{ index . 1 }}
  namespace: {{ $root.Release.Namespace }}
  labels: {{- include "task-api.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels: {{- include "task-api.selectorLabels" . | nindent 6 }}
  policyTypes: [Ingress, Egress]
{{- end -}}

{{/* A rule of an ingress from pods of this release: include … (list $ PORT "api" "test") */}}
{{- define "task-api.componentIngress" -}}
{{- $root := index . 0 -}}
- from:
    - podSelector:
        matchLabels:
          app.kubernetes.io/name: {{ include "task-api.name" $root }}
          app.kubernetes.io/instance: {{ $root.Release.Name }}
        matchExpressions:
          - key: app.kubernetes.io/component
            operator: In
            values: [{{ join ", " (slice . 2) }}]
  ports:
    - port: {{ index . 1 }}
      protocol: TCP
{{- end -}}

{{/* A rule of an ingress from the monitoring namespace: include … (list $ FIRST_PORT LAST_PORT) */}}
{{- define "task-api.monitoringIngress" -}}
- from:
    - namespaceSelector:
        matchLabels:
          kubernetes.io/metadata.name: {{ (index . 0).Values.networkPolicy.ops.monitoringNamespace }}
  ports:
    - port: {{ index . 1 }}
      {{- if ne (int (index . 1)) (int (index . 2)) }}
      endPort: {{ index . 2 }}
      {{- end }}
      protocol: TCP
{{- end -}}

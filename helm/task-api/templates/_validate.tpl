{{/* What the schema can't see: values that contradict each other. Called once, by api-deployment.yaml. */}}
{{- define "task-api.validate" -}}
{{- end -}}

{{/* The times of stopping a pod, in seconds. */}}

{{- /*
     After SIGTERM, requests in flight are finished; after the timeout they are aborted, and 10 s are left for closing
     everything.
*/}}
{{- define "task-api.leastGracePeriod" -}}
{{- add .Values.api.preStopSeconds .Values.api.stopTimeoutSeconds 10 -}}
{{- end -}}

{{- define "task-api.gracePeriod" -}}
{{- if kindIs "invalid" .Values.api.terminationGracePeriodSeconds -}}
{{- include "task-api.leastGracePeriod" . -}}
{{- else -}}
{{- int .Values.api.terminationGracePeriodSeconds -}}
{{- end -}}
{{- end -}}

{{/* The longest request: it may arrive slowly (REQUEST_TIMEOUT_MS), then its handler runs (HANDLER_TIMEOUT_MS). */}}
{{- define "task-api.longestRequest" -}}
{{- $milliseconds := add (.Values.config.REQUEST_TIMEOUT_MS | default 30000) (.Values.config.HANDLER_TIMEOUT_MS | default 15000) -}}
{{- div (add $milliseconds 999) 1000 -}}
{{- end -}}

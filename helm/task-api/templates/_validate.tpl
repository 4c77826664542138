{{/* Finds what the schema can't: values that contradict each other. Called once, by api-deployment.yaml. */}}
{{- define "task-api.validate" -}}
{{- $problems := list -}}
{{- range list "names" "life" "scaling" "config" "stores" "edge" "load" -}}
{{- range include (printf "task-api.validate.%s" .) $ | splitList "\n" -}}
{{- with trim . }}{{ $problems = append $problems . }}{{ end -}}
{{- end -}}
{{- end -}}
{{- if $problems -}}
{{- fail (printf "the values contradict each other:\n  - %s\n" (join "\n  - " $problems)) -}}
{{- end -}}
{{- end -}}

{{- define "task-api.validate.names" -}}
{{- $fullname := include "task-api.fullname" . -}}
{{- $wanted := include "task-api.wantedName" . -}}
{{- if gt (len $wanted) 35 }}
{{- $hashed := printf "%s-%s" ($wanted | trunc 26 | trimSuffix "-") ($wanted | sha256sum | trunc 8) }}
{{ $wanted }} has {{ len $wanted }} characters, and the name of the objects may have 35: set fullnameOverride, for a new release for example to {{ $hashed }}; for one that was installed by an earlier chart to {{ $fullname }}, as its objects are called
{{- end }}
{{- if not (regexMatch "^[a-z]([a-z0-9-]*[a-z0-9])?$" $fullname) }}
{{ $fullname }} can't be the name of a Service, which begins with a letter and has no dot: set fullnameOverride
{{- end }}
{{- range $value, $labels := dict "commonLabels" .Values.commonLabels "api.podLabels" .Values.api.podLabels }}
{{- range $name, $_ := $labels }}
{{- if has $name (list "app.kubernetes.io/name" "app.kubernetes.io/instance" "app.kubernetes.io/component") }}
{{ $value }} names {{ $name }}, by which the chart selects its pods
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "task-api.validate.life" -}}
{{- $grace := include "task-api.gracePeriod" . | int -}}
{{- $least := include "task-api.leastGracePeriod" . | int -}}
{{- if lt $grace $least }}
api.terminationGracePeriodSeconds is {{ $grace }}, but preStopSeconds + stopTimeoutSeconds + 10 are {{ $least }}: requests in flight would be cut off
{{- end }}
{{- $longest := include "task-api.longestRequest" . | int -}}
{{- if lt (int .Values.api.stopTimeoutSeconds) $longest }}
api.stopTimeoutSeconds is {{ .Values.api.stopTimeoutSeconds }}, but a request may take {{ $longest }} s (config.REQUEST_TIMEOUT_MS + config.HANDLER_TIMEOUT_MS)
{{- end }}
{{- $resources := .Values.api.resources | default dict -}}
{{- if not (dig "limits" "memory" "" $resources) }}
api.resources.limits.memory is needed: api.heapPercent is a share of it
{{- end }}
{{- end -}}

{{- define "task-api.validate.scaling" -}}
{{- with .Values.api.autoscaling }}
{{- if gt (int .minReplicas) (int .maxReplicas) }}
api.autoscaling.minReplicas is {{ .minReplicas }}, more than maxReplicas, {{ .maxReplicas }}
{{- end }}
{{- if and .enabled (not (dig "requests" "cpu" (dig "limits" "cpu" "" $.Values.api.resources) $.Values.api.resources)) }}
api.resources.requests.cpu is needed with api.autoscaling.enabled: the target is a share of it
{{- end }}
{{- if and (not .enabled) (ne .custom.provider "none") }}
api.autoscaling.custom.provider is {{ .custom.provider }}, but api.autoscaling.enabled is false
{{- end }}
{{- end }}
{{- end -}}

{{/* Variables that the chart sets itself, each with the value to use instead. */}}
{{- define "task-api.ownVariables" -}}
NODE_ENV: ''
NODE_OPTIONS: api.heapPercent
UV_THREADPOOL_SIZE: config.PASSWORD_CONCURRENCY
HOST: ''
PORT: service.port
OPS_PORT: ''
STOP_DELAY_MS: api.preStopSeconds
STOP_TIMEOUT_MS: api.stopTimeoutSeconds
MIGRATE_ON_START: ''
ALLOW_EMBEDDED_DRIVERS: ''
DATA_DIR: ''
DATABASE_URL: postgres
DATABASE_REPLICA_URLS: postgres
DATABASE_POOLER: postgres.external.pooler
DATABASE_POOL_SIZE: postgres.poolSize
POSTGRES_PASSWORD: secrets
REDIS_URL: redis
REDIS_CA_FILE: redis.external.caSecret
REDIS_PASSWORD: secrets
CONSISTENCY_TOKEN_KEY: secrets
JWT_KEYS_DIR: secrets.existingJwtSecret
PUBLIC_URL: publicUrl
TRUSTED_PROXIES: trustedProxies
SMTP_URL: mail.existingSecret
MAIL_FROM: mail.from
MAIL_DIR: ''
LOG_LEVEL_FILE: ''
OTEL_EXPORTER_OTLP_ENDPOINT: tracing.endpoint
OTEL_EXPORTER_OTLP_HEADERS: tracing.headersSecret
OTEL_SERVICE_NAME: ''
OTEL_RESOURCE_ATTRIBUTES: tracing.resourceAttributes
OTEL_TRACES_SAMPLER: tracing.sampler
OTEL_TRACES_SAMPLER_ARG: tracing.ratio
{{- end -}}

{{- define "task-api.validate.config" -}}
{{- $own := include "task-api.ownVariables" . | fromYaml -}}
{{- range $name, $value := .Values.config }}
{{- if hasKey $own $name }}
config.{{ $name }} is set by the chart{{ with get $own $name }}: use {{ . }}{{ end }}
{{- end }}
{{- end }}
{{- $seen := dict -}}
{{- range .Values.api.extraEnv }}
{{- if or (hasKey $own .name) (hasKey $.Values.config .name) (hasKey $seen .name) }}
api.extraEnv names {{ .name }}, which is set already
{{- end }}
{{- $_ := set $seen .name true -}}
{{- end }}
{{- end -}}

{{- define "task-api.validate.stores" -}}
{{- if and (eq .Values.postgres.mode "external") (not .Values.postgres.external.existingSecret) }}
postgres.external.existingSecret is needed with postgres.mode external
{{- end }}
{{- if and (eq .Values.postgres.mode "cloudnativepg") (not .Values.postgres.cloudnativepg.create) (not .Values.postgres.cloudnativepg.clusterName) }}
postgres.cloudnativepg.clusterName is needed where postgres.cloudnativepg.create is false
{{- end }}
{{- if and (eq .Values.redis.mode "external") (not .Values.redis.external.existingSecret) }}
redis.external.existingSecret is needed with redis.mode external
{{- end }}
{{- if and .Values.mail.existingSecret (not .Values.mail.from) }}
mail.from is needed with mail.existingSecret
{{- end }}
{{- if and .Values.mail.from (not .Values.mail.existingSecret) }}
mail.existingSecret is needed with mail.from: without it no mail is sent
{{- end }}
{{- end -}}

{{- define "task-api.validate.edge" -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) }}
ingress.hosts is needed with ingress.enabled
{{- end }}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) }}
httpRoute.parentRefs is needed with httpRoute.enabled: the Gateways that it belongs to
{{- end }}
{{- if and .Values.gke.backendConfig (not .Values.ingress.enabled) }}
gke.backendConfig is for an Ingress, but ingress.enabled is false
{{- end }}
{{- if and (or .Values.gke.healthCheckPolicy .Values.gke.backendPolicy) (not .Values.httpRoute.enabled) }}
gke.healthCheckPolicy and gke.backendPolicy are for a Gateway, but httpRoute.enabled is false
{{- end }}
{{- if and .Values.azure.healthCheckPolicy (not .Values.httpRoute.enabled) }}
azure.healthCheckPolicy is for a Gateway, but httpRoute.enabled is false
{{- end }}
{{- end -}}

{{- define "task-api.validate.load" -}}
{{- with .Values.loadTest }}
{{- $logins := int ($.Values.config.RATE_LIMIT_CREDENTIALS_POINTS | default 10) }}
{{- if and .enabled (gt (int .users) $logins) }}
loadTest.users is {{ .users }}, but config.RATE_LIMIT_CREDENTIALS_POINTS allows {{ $logins }} logins a minute
{{- end }}
{{- range $name, $_ := .variables }}
{{- if has $name (list "BASE_URL" "USERS" "USERS_FILE") }}
loadTest.variables.{{ $name }} is set by the chart{{ if eq $name "USERS" }}: use loadTest.users{{ end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

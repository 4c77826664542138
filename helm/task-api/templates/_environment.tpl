{{/* Environment variables of the containers with our image; each variable is composed in one place. */}}

{{/* include "task-api.secretEnv" (list NAME SECRET KEY) */}}
{{- define "task-api.secretEnv" -}}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef:
      name: {{ index . 1 }}
      key: {{ index . 2 }}
{{- end -}}

{{- define "task-api.cloudnativepgCluster" -}}
{{- .Values.postgres.cloudnativepg.clusterName | default (printf "%s-postgres" (include "task-api.fullname" .)) -}}
{{- end -}}

{{/* The URLs of the bundled replicas, one per pod, because the API measures the position of each server. */}}
{{- define "task-api.bundledReplicaUrls" -}}
{{- $fullname := include "task-api.fullname" . -}}
{{- $urls := list -}}
{{- range $i := until (int .Values.postgres.bundled.replicas) -}}
{{- $urls = append $urls (printf "postgres://task_api:$(POSTGRES_PASSWORD)@%s-postgres-replica-%d.%s-postgres-replica:5432/task_api" $fullname $i $fullname) -}}
{{- end -}}
{{- join "," $urls -}}
{{- end -}}

{{/*
How Postgres is reached. include "task-api.databaseEnv" (list $ "api"), or "wait": only the primary, the same way, or
"migrate": around a pooler, since it holds a lock over transactions.
*/}}
{{- define "task-api.databaseEnv" -}}
{{- $root := index . 0 -}}
{{- $isApi := eq (index . 1) "api" -}}
{{- $isMigrate := eq (index . 1) "migrate" -}}
{{- $postgres := $root.Values.postgres -}}
{{- if eq $postgres.mode "bundled" -}}
{{ include "task-api.secretEnv" (list "POSTGRES_PASSWORD" (include "task-api.credentialsSecret" $root) "postgres-password") }}
- name: DATABASE_URL
  value: postgres://task_api:$(POSTGRES_PASSWORD)@{{ include "task-api.fullname" $root }}-postgres-primary:5432/task_api
{{- if and $isApi (gt (int $postgres.bundled.replicas) 0) }}
- name: DATABASE_REPLICA_URLS
  value: {{ include "task-api.bundledReplicaUrls" $root }}
{{- end }}
{{- else if eq $postgres.mode "cloudnativepg" -}}
{{- $cluster := include "task-api.cloudnativepgCluster" $root -}}
{{ include "task-api.secretEnv" (list "POSTGRES_PASSWORD" (printf "%s-app" $cluster) "password") }}
- name: DATABASE_URL
  value: postgres://task_api:$(POSTGRES_PASSWORD)@{{ $cluster }}-{{ ternary "rw" "pooler-rw" $isMigrate }}:5432/task_api
{{- if $isApi }}
- name: DATABASE_REPLICA_URLS
  value: postgres://task_api:$(POSTGRES_PASSWORD)@{{ $cluster }}-pooler-ro:5432/task_api
{{- end }}
{{- if not $isMigrate }}
- name: DATABASE_POOLER
  value: 'true'
{{- end }}
{{- else -}}
{{- with $postgres.external -}}
{{ include "task-api.secretEnv" (list "DATABASE_URL" .existingSecret (ternary (.migrateUrlKey | default .urlKey) .urlKey $isMigrate)) }}
{{- if and $isApi .replicaUrlsKey }}
{{ include "task-api.secretEnv" (list "DATABASE_REPLICA_URLS" .existingSecret .replicaUrlsKey) }}
{{- end }}
{{- if and .pooler (not (and $isMigrate .migrateUrlKey)) }}
- name: DATABASE_POOLER
  value: 'true'
{{- end }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* How Redis is reached: include "task-api.redisEnv" $ */}}
{{- define "task-api.redisEnv" -}}
{{- if eq .Values.redis.mode "bundled" -}}
{{ include "task-api.secretEnv" (list "REDIS_PASSWORD" (include "task-api.credentialsSecret" .) "redis-password") }}
- name: REDIS_URL
  value: redis://:$(REDIS_PASSWORD)@{{ include "task-api.fullname" . }}-redis:6379
{{- else -}}
{{- with .Values.redis.external -}}
{{ include "task-api.secretEnv" (list "REDIS_URL" .existingSecret .urlKey) }}
{{- if .caSecret }}
- name: REDIS_CA_FILE
  value: /etc/task-api/redis-ca/{{ .caKey }}
{{- end }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* For every container of our image. */}}
{{- define "task-api.nodeEnv" -}}
- name: NODE_ENV
  value: production
{{- /*
     A percentage of the memory limit, which Node reads by itself. A limit for young objects saves 96 MiB under load and
     costs 5 % of the throughput.
*/}}
- name: NODE_OPTIONS
  value: --max-old-space-size-percentage={{ .Values.api.heapPercent }} --max-semi-space-size=16
{{- end -}}

{{/* A value of `config` as text: Helm reads whole numbers as floats, and would write 1000000 as 1e+06. */}}
{{- define "task-api.text" -}}
{{- if kindIs "float64" . }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- end -}}

{{/* The variables of `config` about the database and the log, for commands that need no others. */}}
{{- define "task-api.commandConfigEnv" -}}
{{- range $name, $value := .Values.config }}
{{- if regexMatch "^(DATABASE_|LOG_LEVEL$)" $name }}
- name: {{ $name }}
  value: {{ include "task-api.text" $value | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* The receiver of traces. The pod's name in the resource attributes tells processes apart. */}}
{{- define "task-api.tracingEnv" -}}
{{- $resource := list (printf "service.version=%s" .Chart.AppVersion) (printf "k8s.namespace.name=%s" .Release.Namespace) -}}
{{- with .Values.tracing -}}
{{- if .endpoint }}
{{- range $name, $value := .resourceAttributes }}
{{- $resource = append $resource (printf "%s=%s" $name $value) -}}
{{- end }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ .endpoint | quote }}
- name: OTEL_SERVICE_NAME
  value: task-api
- name: OTEL_RESOURCE_ATTRIBUTES
  value: {{ join "," $resource | quote }}
- name: OTEL_TRACES_SAMPLER
  value: {{ .sampler }}
- name: OTEL_TRACES_SAMPLER_ARG
  value: {{ .ratio | quote }}
{{- if .headersSecret }}
{{ include "task-api.secretEnv" (list "OTEL_EXPORTER_OTLP_HEADERS" .headersSecret .headersKey) }}
{{- end }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* The whole environment of the API. `config` may not contain names that the chart sets itself, see _validate.tpl. */}}
{{- define "task-api.apiEnv" -}}
{{ include "task-api.nodeEnv" . }}
{{- /* One thread for each password hash that may be computed at once, and four for files and DNS. */}}
- name: UV_THREADPOOL_SIZE
  value: {{ add 4 (.Values.config.PASSWORD_CONCURRENCY | default 2) | quote }}
{{- /* The preStop sleep is the only wait. */}}
- name: STOP_DELAY_MS
  value: '0'
- name: STOP_TIMEOUT_MS
  value: {{ mul 1000 .Values.api.stopTimeoutSeconds | quote }}
- name: DATABASE_POOL_SIZE
  value: {{ .Values.postgres.poolSize | quote }}
{{ include "task-api.databaseEnv" (list . "api") }}
{{ include "task-api.redisEnv" . }}
{{ include "task-api.secretEnv" (list "CONSISTENCY_TOKEN_KEY" (include "task-api.credentialsSecret" .) "consistency-token-key") }}
- name: JWT_KEYS_DIR
  value: /etc/task-api/jwt-keys
- name: PUBLIC_URL
  value: {{ include "task-api.publicUrl" . | quote }}
{{- with .Values.trustedProxies }}
- name: TRUSTED_PROXIES
  value: {{ join "," . | quote }}
{{- end }}
{{- if .Values.mail.existingSecret }}
{{ include "task-api.secretEnv" (list "SMTP_URL" .Values.mail.existingSecret .Values.mail.urlKey) }}
- name: MAIL_FROM
  value: {{ .Values.mail.from | quote }}
{{- else }}
- name: ALLOW_EMBEDDED_DRIVERS
  value: 'true'
- name: MAIL_DIR
  value: /tmp/mail
{{- end }}
{{- include "task-api.tracingEnv" . }}
- name: LOG_LEVEL_FILE
  value: /etc/task-api/log-level/level
{{- range $name, $value := .Values.config }}
- name: {{ $name }}
  value: {{ include "task-api.text" $value | quote }}
{{- end }}
{{- with .Values.api.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* The address of the API for clients. A host with a wildcard can't be one. */}}
{{- define "task-api.publicUrl" -}}
{{- $ingressHost := "" -}}
{{- with .Values.ingress -}}
{{- if and .enabled .hosts }}{{ $ingressHost = first .hosts }}{{ end -}}
{{- end -}}
{{- $routeHost := "" -}}
{{- with .Values.httpRoute -}}
{{- if and .enabled .hostnames }}{{ $routeHost = first .hostnames }}{{ end -}}
{{- end -}}
{{- if .Values.publicUrl -}}
{{- .Values.publicUrl -}}
{{- else if and $ingressHost (not (hasPrefix "*" $ingressHost)) -}}
{{- printf "%s://%s" (ternary "https" "http" (not (empty .Values.ingress.tls))) $ingressHost -}}
{{- else if and $routeHost (not (hasPrefix "*" $routeHost)) -}}
{{- printf "https://%s" $routeHost -}}
{{- else -}}
{{- include "task-api.serviceUrl" . -}}
{{- end -}}
{{- end -}}

{{- define "task-api.serviceUrl" -}}
{{- $port := int .Values.service.port -}}
http://{{ include "task-api.fullname" . }}.{{ .Release.Namespace }}{{ if ne $port 80 }}:{{ $port }}{{ end }}
{{- end -}}

{{/* The Secret with the certificate of the authority of an external server, or nothing: include … (list $ "postgres") */}}
{{- define "task-api.caSecret" -}}
{{- with index (index . 0).Values (index . 1) -}}
{{- if eq .mode "external" }}{{ .external.caSecret }}{{ end -}}
{{- end -}}
{{- end -}}

{{/* include "task-api.caMounts" (list $ "postgres" "redis") */}}
{{- define "task-api.caMounts" -}}
{{- $root := first . -}}
{{- range $store := rest . }}
{{- if include "task-api.caSecret" (list $root $store) }}
- name: {{ $store }}-ca
  mountPath: /etc/task-api/{{ $store }}-ca
  readOnly: true
{{- end }}
{{- end }}
{{- end -}}

{{- define "task-api.caVolumes" -}}
{{- $root := first . -}}
{{- range $store := rest . }}
{{- with include "task-api.caSecret" (list $root $store) }}
- name: {{ $store }}-ca
  secret:
    secretName: {{ . }}
{{- end }}
{{- end }}
{{- end -}}

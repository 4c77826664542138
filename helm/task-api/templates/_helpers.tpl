{{- define "task-api.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- /*
     At most 35 characters: a label of a StatefulSet's pods contains its name and a hash, so `…-postgres-primary` may have
     52.
*/}}
{{- define "task-api.fullname" -}}
{{- include "task-api.wantedName" . | trunc 35 | trimSuffix "-" -}}
{{- end -}}

{{/* Of any length; one of more than 35 characters is refused by task-api.validate. */}}
{{- define "task-api.wantedName" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains (include "task-api.name" .) .Release.Name -}}
{{- .Release.Name -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "task-api.name" .) -}}
{{- end -}}
{{- end -}}

{{/* include "task-api.selectorLabels" (list $ "api") */}}
{{- define "task-api.selectorLabels" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ include "task-api.name" $root }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Labels that change with the chart's version appear only here, never in the pods and claims of Postgres. */}}
{{- define "task-api.labels" -}}
{{- $root := index . 0 -}}
{{ include "task-api.selectorLabels" . }}
app.kubernetes.io/part-of: task-api
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- with $root.Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* include "task-api.image" (list $ .Values.postgres.bundled.image) */}}
{{- define "task-api.image" -}}
{{- $root := index . 0 -}}
{{- $image := index . 1 -}}
{{- $global := default dict $root.Values.global -}}
{{- $parts := list -}}
{{- range list (get $global "imageRegistry") $image.registry $image.repository -}}
{{- if . }}{{ $parts = append $parts . }}{{ end -}}
{{- end -}}
{{- $name := join "/" $parts -}}
{{- if $image.digest -}}
{{ $name }}@{{ $image.digest }}
{{- else -}}
{{ $name }}:{{ $image.tag | default $root.Chart.AppVersion }}
{{- end -}}
{{- end -}}

{{/* For every pod: what the restricted Pod Security Standard requires, and no token. include … (list $ UID) */}}
{{- define "task-api.podSecurity" -}}
{{- $root := index . 0 -}}
{{- $uid := index . 1 -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with $root.Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ $uid }}
  runAsGroup: {{ $uid }}
  fsGroup: {{ $uid }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{/* For every container. */}}
{{- define "task-api.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}

{{/* The user of the image of the API. */}}
{{- define "task-api.uid" -}}10001{{- end -}}

{{- define "task-api.credentialsSecret" -}}
{{- .Values.secrets.existingSecret | default (printf "%s-credentials" (include "task-api.fullname" .)) -}}
{{- end -}}

{{- define "task-api.jwtSecret" -}}
{{- .Values.secrets.existingJwtSecret | default (printf "%s-jwt-keys" (include "task-api.fullname" .)) -}}
{{- end -}}

{{/* "true" or nothing: whether a write waits for a replica. */}}
{{- define "task-api.synchronous" -}}
{{- $bundled := .Values.postgres.bundled -}}
{{- $isSynchronous := $bundled.synchronous -}}
{{- if kindIs "invalid" $isSynchronous }}{{ $isSynchronous = ge (int $bundled.replicas) 2 }}{{ end -}}
{{- if $isSynchronous }}true{{ end -}}
{{- end -}}

{{- /*
     "true" or nothing, for `auto`, `true` and `false`: include "task-api.enabled" (list $ .Values.x.enabled
     "group/version/Kind")
*/}}
{{- define "task-api.enabled" -}}
{{- $root := index . 0 -}}
{{- $wanted := toString (index . 1) -}}
{{- if or (eq $wanted "true") (and (eq $wanted "auto") ($root.Capabilities.APIVersions.Has (index . 2))) }}true{{ end -}}
{{- end -}}

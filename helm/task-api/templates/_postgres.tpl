{{/* A quantity of memory in MiB: include "task-api.mebibytes" "1Gi" */}}
{{- define "task-api.mebibytes" -}}
{{- $text := toString . -}}
{{- $units := dict "Ki" 0.0009765625 "Mi" 1.0 "Gi" 1024.0 "Ti" 1048576.0 "k" 0.00095367431640625 "M" 0.95367431640625 "G" 953.67431640625 "" 0.00000095367431640625 -}}
{{- $number := regexFind "^[0-9.]+" $text -}}
{{- $unit := trimPrefix $number $text -}}
{{- if or (not $number) (not (hasKey $units $unit)) }}{{ fail (printf "%s is no amount of memory that the chart knows: write it with Mi or Gi" $text) }}{{ end -}}
{{- mulf (float64 $number) (get $units $unit) | floor | int -}}
{{- end -}}

{{/* Maximum number of API pods at once, including those that an update adds. */}}
{{- define "task-api.mostPods" -}}
{{- $pods := int (ternary .Values.api.autoscaling.maxReplicas .Values.api.replicas .Values.api.autoscaling.enabled) -}}
{{- $surge := toString .Values.api.maxSurge -}}
{{- if hasSuffix "%" $surge -}}
{{- $surge = divf (mulf (float64 (trimSuffix "%" $surge)) (float64 $pods)) 100.0 | ceil -}}
{{- end -}}
{{- add $pods (int $surge) -}}
{{- end -}}

{{/* Fails if the pools of all pods do not fit: otherwise the last pods of a busy hour would get no connection. */}}
{{- define "task-api.checkConnections" -}}
{{- $postgres := .Values.postgres -}}
{{- $pods := int (include "task-api.mostPods" .) -}}
{{- $pool := int $postgres.poolSize -}}
{{- $reserved := int $postgres.reservedConnections -}}
{{- $jobs := 6 -}}
{{- $onPrimary := mul $pods (add $pool 3) -}}
{{- $onReplica := mul $pods (add $pool 1) -}}
{{- $ofPods := printf "%d pods (with the surge of an update) × (postgres.poolSize %d + 3)" $pods $pool -}}
{{- $ofReplicas := printf "%d pods (with the surge of an update) × (postgres.poolSize %d + 1) + %d reserved" $pods $pool $reserved -}}
{{- $advice := "Lower api.autoscaling.maxReplicas or postgres.poolSize, or raise it." -}}
{{- if eq $postgres.mode "bundled" -}}
  {{- $most := int $postgres.bundled.maxConnections -}}
  {{- $replication := mul 2 (int $postgres.bundled.replicas) -}}
  {{- $sum := add $onPrimary $jobs $replication $reserved -}}
  {{- if gt $sum $most -}}
    {{- fail (printf "%s + %d for jobs + %d for replication + %d reserved = %d connections, above postgres.bundled.maxConnections %d. %s" $ofPods $jobs $replication $reserved $sum $most $advice) -}}
  {{- end -}}
{{- else if and (eq $postgres.mode "external") $postgres.external.pooler -}}
  {{- /* The pooler limits the connections to the server. */ -}}
{{- else if eq $postgres.mode "external" -}}
  {{- $sum := add $onPrimary $jobs $reserved -}}
  {{- $most := int $postgres.external.maxConnections -}}
  {{- if and $most (gt $sum $most) -}}
    {{- fail (printf "%s + %d for jobs + %d reserved = %d connections, above postgres.external.maxConnections %d. %s" $ofPods $jobs $reserved $sum $most $advice) -}}
  {{- end -}}
  {{- $sum := add $onReplica $reserved -}}
  {{- $most := int $postgres.external.replicaMaxConnections -}}
  {{- if and $most (gt $sum $most) -}}
    {{- fail (printf "%s = %d connections, above postgres.external.replicaMaxConnections %d. %s" $ofReplicas $sum $most $advice) -}}
  {{- end -}}
{{- else -}}
  {{- $cluster := $postgres.cloudnativepg -}}
  {{- $most := mul (int $cluster.pooler.instances) (int $cluster.pooler.maxClientConnections) -}}
  {{- if gt $onPrimary $most -}}
    {{- fail (printf "%s = %d connections, above postgres.cloudnativepg.pooler.instances × maxClientConnections %d. %s" $ofPods $onPrimary $most $advice) -}}
  {{- end -}}
  {{- $replication := mul 2 (sub (int $cluster.instances) 1) -}}
  {{- $sum := add (int $cluster.pooler.poolSize) $jobs $replication $reserved -}}
  {{- if and $cluster.create (gt $sum (int $cluster.maxConnections)) -}}
    {{- fail (printf "postgres.cloudnativepg.pooler.poolSize %d + %d for jobs + %d for replication + %d reserved = %d connections, above postgres.cloudnativepg.maxConnections %d." (int $cluster.pooler.poolSize) $jobs $replication $reserved $sum (int $cluster.maxConnections)) -}}
  {{- end -}}
{{- end -}}
{{- end -}}

{{/* Names of the pods of the replicas, separated by spaces: include "task-api.replicaPods" . */}}
{{- define "task-api.replicaPods" -}}
{{- $names := list -}}
{{- range $i := until (int .Values.postgres.bundled.replicas) -}}
{{- $names = append $names (printf "%s-postgres-replica-%d" (include "task-api.fullname" $) $i) -}}
{{- end -}}
{{- join " " $names -}}
{{- end -}}

{{/* postgresql.conf of the primary and the replicas. Memory settings follow the memory limit; `parameters` take precedence. */}}
{{- define "task-api.postgresConf" -}}
{{- $bundled := .Values.postgres.bundled -}}
{{- $memory := int (include "task-api.mebibytes" (dig "limits" "memory" (dig "requests" "memory" "512Mi" $bundled.resources) $bundled.resources)) -}}
{{- $walSenders := add 6 (mul 3 (int $bundled.replicas)) -}}
{{- range $name := list "max_connections" "max_slot_wal_keep_size" "listen_addresses" "unix_socket_directories" "hba_file" "data_directory" "synchronous_standby_names" "primary_conninfo" "primary_slot_name" "wal_level" "hot_standby" "fsync" "full_page_writes" "synchronous_commit" "cluster_name" }}
{{- if hasKey $bundled.parameters $name }}{{ fail (printf "postgres.bundled.parameters.%s is set by the chart (by postgres.bundled.maxConnections, maxSlotWalKeepSize or synchronous, or always the same)" $name) }}{{ end -}}
{{- end -}}
{{- $settings := dict
  "listen_addresses" "*"
  "unix_socket_directories" "/var/run/postgresql"
  "max_connections" (int $bundled.maxConnections)
  "shared_buffers" (printf "%dMB" (div $memory 4))
  "effective_cache_size" (printf "%dMB" (div (mul $memory 6) 10))
  "password_encryption" "scram-sha-256"
  "wal_level" "replica"
  "max_wal_senders" $walSenders
  "max_replication_slots" $walSenders
  "max_slot_wal_keep_size" $bundled.maxSlotWalKeepSize
  "wal_compression" "on"
  "wal_sender_timeout" "20s"
  "wal_receiver_timeout" "20s"
  "wal_retrieve_retry_interval" "250ms"
  "hot_standby" "on"
  "hot_standby_feedback" "on"
  "tcp_keepalives_idle" 10
  "tcp_keepalives_interval" 5
  "tcp_keepalives_count" 3
  "log_checkpoints" "on"
  "log_lock_waits" "on"
  "log_timezone" "UTC"
  "timezone" "UTC"
  "lc_messages" "C"
-}}
{{- range $name, $value := merge (deepCopy $bundled.parameters) $settings }}
{{ $name }} = '{{ toString $value | replace "'" "''" }}'
{{- end }}
{{- end -}}

{{/* Settings of the primary only. */}}
{{- define "task-api.primaryConf" -}}
include '/etc/postgres/postgresql.conf'
{{- /* The names by which the API knows which servers may have confirmed a commit: those of the replicas are in replica.sh. */}}
cluster_name = '{{ include "task-api.fullname" . | replace "-" "_" }}_postgres_primary'
{{- if include "task-api.synchronous" . }}
synchronous_standby_names = 'ANY 1 (
{{- range $i, $name := splitList " " (include "task-api.replicaPods" .) }}{{ if $i }}, {{ end }}"{{ $name | replace "-" "_" }}"{{ end -}}
)'
{{- end }}
{{- end -}}

{{/* A StatefulSet of Postgres. Its templates of pods and claims carry nothing that a new version of the chart or the app
changes. dict "root" $ "component" … "replicas" N "passwords" (list of keys) "env" (list) "antiAffinity" (dict) */}}
{{- define "task-api.postgresStatefulSet" -}}
{{- $root := .root -}}
{{- $bundled := $root.Values.postgres.bundled -}}
{{- $fullname := include "task-api.fullname" $root -}}
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: {{ $fullname }}-{{ .component }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "task-api.labels" (list $root .component) | nindent 4 }}
spec:
  serviceName: {{ $fullname }}-{{ .component }}
  replicas: {{ .replicas }}
  podManagementPolicy: Parallel
  persistentVolumeClaimRetentionPolicy:
    whenDeleted: Retain
    whenScaled: Retain
  selector:
    matchLabels:
      {{- include "task-api.selectorLabels" (list $root .component) | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "task-api.selectorLabels" (list $root .component) | nindent 8 }}
      annotations:
        checksum/settings: {{ cat (include "task-api.postgresConf" $root) (ternary (include "task-api.primaryConf" $root) "" (eq .component "postgres-primary")) | sha256sum | trunc 16 }}
    spec:
      {{- include "task-api.podSecurity" (list $root 999) | nindent 6 }}
      terminationGracePeriodSeconds: 180
      {{- with merge (deepCopy $bundled.affinity) .affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $bundled.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with $bundled.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      containers:
        - name: postgres
          image: {{ include "task-api.image" (list $root $bundled.image) }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          command: [bash, /scripts/{{ trimPrefix "postgres-" .component }}.sh]
          {{- include "task-api.containerSecurity" $root | nindent 10 }}
          env:
            - name: PGDATA
              value: /data/pgdata
            {{- toYaml .env | nindent 12 }}
          ports:
            - name: postgres
              containerPort: 5432
          # A clone or a recovery may take long: live.sh succeeds meanwhile.
          startupProbe:
            exec:
              command: [bash, /scripts/live.sh]
            periodSeconds: 3
            timeoutSeconds: 10
            failureThreshold: 60
          livenessProbe:
            exec:
              command: [bash, /scripts/live.sh]
            periodSeconds: 10
            timeoutSeconds: 10
            failureThreshold: 6
          readinessProbe:
            exec:
              command: [pg_isready, -q, -U, postgres, -t, '3']
            periodSeconds: 3
            timeoutSeconds: 5
            failureThreshold: 3
          resources:
            {{- toYaml $bundled.resources | nindent 12 }}
          # kubectl describe then shows why a script refuses to start.
          terminationMessagePolicy: FallbackToLogsOnError
          volumeMounts:
            - name: data
              mountPath: /data
            - name: settings
              mountPath: /etc/postgres
            - name: scripts
              mountPath: /scripts
            - name: credentials
              mountPath: /run/secrets/postgres
              readOnly: true
            - name: tmp
              mountPath: /tmp
            - name: run
              mountPath: /var/run/postgresql
            - name: shm
              mountPath: /dev/shm
      volumes:
        - name: settings
          configMap:
            name: {{ $fullname }}-postgres
            items:
              {{- range list "postgresql.conf" "primary.conf" "pg_hba.conf" }}
              - key: {{ . }}
                path: {{ . }}
              {{- end }}
        - name: scripts
          configMap:
            name: {{ $fullname }}-postgres
            defaultMode: 0555
        - name: credentials
          secret:
            secretName: {{ include "task-api.credentialsSecret" $root }}
            defaultMode: 0440
            items:
              {{- range .passwords }}
              - key: {{ . }}
                path: {{ . }}
              {{- end }}
        - name: tmp
          emptyDir:
            sizeLimit: 64Mi
        - name: run
          emptyDir:
            sizeLimit: 16Mi
        - name: shm
          emptyDir:
            medium: Memory
            sizeLimit: {{ $bundled.shmSize }}
  volumeClaimTemplates:
    - apiVersion: v1
      kind: PersistentVolumeClaim
      metadata:
        name: data
        labels:
          {{- include "task-api.selectorLabels" (list $root .component) | nindent 10 }}
      spec:
        accessModes: [ReadWriteOnce]
        {{- with $bundled.storage.className }}
        storageClassName: {{ . }}
        {{- end }}
        resources:
          requests:
            storage: {{ $bundled.storage.size }}
{{- end -}}

{{/* A drain may always take one pod, and one that isn't ready. include … (list $ "component") */}}
{{- define "task-api.dataDisruptionBudget" -}}
{{- $root := index . 0 -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "task-api.fullname" $root }}-{{ index . 1 }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "task-api.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "task-api.selectorLabels" . | nindent 6 }}
{{- end -}}

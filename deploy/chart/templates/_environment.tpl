{{- /* The environment of the daemon: what the chart sets, then `env`, which wins. */ -}}
{{- define "promoter.env" -}}
{{- $more := .Values.env -}}
{{- $names := list -}}
{{- range $more }}{{ $names = append $names .name }}{{ end -}}
{{- $all := list -}}
{{- range include "promoter.ownEnv" . | fromYamlArray -}}
{{- if not (has .name $names) }}{{ $all = append $all . }}{{ end -}}
{{- end -}}
{{- concat $all $more | toYaml -}}
{{- end -}}

{{- define "promoter.ownEnv" -}}
# Whoever promotes is told by it in records and Leases.
- name: PROMOTER_ACTOR
  valueFrom:
    fieldRef: { fieldPath: metadata.name }
- name: PROMOTER_DIR
  value: {{ include "promoter.folder" . | quote }}
- name: PROMOTER_LISTEN
  value: {{ .Values.listen | quote }}
- name: PROMOTER_LOG
  value: {{ .Values.log | quote }}
- name: PROMOTER_POLL
  value: {{ .Values.poll | quote }}
- name: PROMOTER_AT_ONCE
  value: {{ .Values.atOnce | quote }}
- name: PROMOTER_RECORDS
  {{- if .Values.records.postgres.secret }}
  valueFrom:
    secretKeyRef: { name: {{ .Values.records.postgres.secret | quote }}, key: {{ .Values.records.postgres.key | quote }} }
  {{- else }}
  value: /var/lib/promoter/records.db
  {{- end }}
- name: PROMOTER_RECORDS_DAYS
  value: {{ .Values.records.days | quote }}
{{- with .Values.aws.region }}
- name: AWS_REGION
  value: {{ . | quote }}
{{- end }}
{{- with .Values.aws.pushQueue }}
- name: PROMOTER_PUSH_QUEUE
  value: {{ . | quote }}
{{- end }}
{{- with .Values.github.secret }}
- name: {{ $.Values.github.variable }}
  valueFrom:
    secretKeyRef: { name: {{ . | quote }}, key: {{ $.Values.github.key | quote }} }
{{- end }}
{{- with .Values.github.host }}
- name: GH_HOST
  value: {{ . | quote }}
{{- end }}
{{- with .Values.traces.endpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ . | quote }}
- name: OTEL_SERVICE_NAME
  value: promoter
{{- end }}
{{- with .Values.traces.headersSecret }}
- name: OTEL_EXPORTER_OTLP_HEADERS
  valueFrom:
    secretKeyRef: { name: {{ . | quote }}, key: {{ $.Values.traces.headersKey | quote }} }
{{- end }}
{{- end -}}

{{- /* The folder that has groups/ and environments/. */ -}}
{{- define "promoter.folder" -}}
{{- with .Values.configuration.gitSync -}}
{{- ternary (list "/git/current" .folder | compact | join "/") "/etc/promoter" .enabled -}}
{{- end -}}
{{- end -}}

{{- /* Of the address that it listens on. */ -}}
{{- define "promoter.port" -}}
{{- .Values.listen | splitList ":" | last -}}
{{- end -}}

{{- /* What all objects are called and labelled. */ -}}

{{- /* A Service's name begins with a letter and has no dots; a release's may. */ -}}
{{- define "promoter.name" -}}
{{- $name := .Values.fullnameOverride | default .Release.Name | replace "." "-" -}}
{{- if regexMatch "^[0-9]" $name }}{{ $name = printf "promoter-%s" $name }}{{ end -}}
{{- $name | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "promoter.serviceAccount" -}}
{{- .Values.serviceAccount.name | default (include "promoter.name" .) -}}
{{- end -}}

{{- /* Of what is not in the release's namespace: two releases never share it. */ -}}
{{- define "promoter.wideName" -}}
{{- printf "%s:%s" .Release.Namespace (include "promoter.name" .) -}}
{{- end -}}

{{- define "promoter.selector" -}}
app.kubernetes.io/name: promoter
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "promoter.labels" -}}
{{ include "promoter.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- /* The chart's own labels, and more: [the chart, more]. Its own win, as selectors hang on them. */ -}}
{{- define "promoter.moreLabels" -}}
{{- merge (include "promoter.labels" (first .) | fromYaml) (last .) | toYaml -}}
{{- end -}}

{{- define "promoter.image" -}}
{{- with .Values.image -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* A path as a key of a ConfigMap, which has no folders; no two paths have the same one. */ -}}
{{- define "promoter.key" -}}
{{- . | replace "_" "_-" | replace "/" "__" -}}
{{- end -}}

{{- /* Namespaces of the environments, as a list in JSON. */ -}}
{{- define "promoter.namespaces" -}}
{{- .Values.namespaces | default (list .Release.Namespace) | uniq | toJson -}}
{{- end -}}

{{- /* Keeps the credentials of AWS out of the side car: by IRSA and by Pod Identity. */ -}}
{{- define "promoter.annotations" -}}
{{- if .Values.configuration.gitSync.enabled -}}
eks.amazonaws.com/skip-containers: git-sync
{{- end -}}
{{- end -}}

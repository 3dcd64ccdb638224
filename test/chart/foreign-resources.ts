/**
 * The resources of others that the chart can make, as far as it uses them: their definitions are closed, so that the
 * API server refuses a field that they do not have.
 */
const text = { type: 'string' }
const number = { type: 'integer' }
const strings = { type: 'object', additionalProperties: text }

const object = (properties: object): object => ({ type: 'object', properties })
const list = (items: object): object => ({ type: 'array', items })

const scalingRules = object({
  stabilizationWindowSeconds: number,
  policies: list(object({ type: text, value: number, periodSeconds: number }))
})

/** https://keda.sh/docs/2.20/reference/scaledobject-spec */
const scaledObject = object({
  scaleTargetRef: object({ name: text }),
  minReplicaCount: number,
  maxReplicaCount: number,
  pollingInterval: number,
  advanced: object({
    horizontalPodAutoscalerConfig: object({ behavior: object({ scaleUp: scalingRules, scaleDown: scalingRules }) })
  }),
  triggers: list(object({ type: text, metadata: strings, authenticationRef: object({ name: text }) }))
})

const triggerAuthentication = object({
  secretTargetRef: list(object({ parameter: text, name: text, key: text }))
})

/** https://prometheus-operator.dev/docs/api-reference/api */
const serviceMonitor = object({
  selector: object({ matchLabels: strings }),
  podTargetLabels: list(text),
  endpoints: list(object({ port: text, path: text, interval: text }))
})

/** https://gateway-api.sigs.k8s.io/reference/spec/#httproute */
const httpRoute = object({
  parentRefs: list(object({ name: text, namespace: text, sectionName: text })),
  hostnames: list(text),
  rules: list(
    object({
      matches: list(object({ path: object({ type: text, value: text }) })),
      backendRefs: list(object({ name: text, port: number }))
    })
  )
})

const definition = (
  kind: string,
  { group, version, spec }: { group: string; version: string; spec: object }
): object => {
  const plural = `${kind.toLowerCase()}s`
  const openAPIV3Schema = object({ apiVersion: text, kind: text, metadata: { type: 'object' }, spec })
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${plural}.${group}`, annotations: approved },
    spec: {
      group,
      scope: 'Namespaced',
      names: { kind, plural },
      versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema } }]
    }
  }
}

const keda = { group: 'keda.sh', version: 'v1alpha1' }

/** The API server takes a definition in a group of the Kubernetes project only with a word of its review. */
const approved = { 'api-approved.kubernetes.io': 'unapproved, for a test' }

export const foreignDefinitions: readonly object[] = [
  definition('ScaledObject', { ...keda, spec: scaledObject }),
  definition('TriggerAuthentication', { ...keda, spec: triggerAuthentication }),
  definition('HTTPRoute', { group: 'gateway.networking.k8s.io', version: 'v1', spec: httpRoute }),
  definition('ServiceMonitor', { group: 'monitoring.coreos.com', version: 'v1', spec: serviceMonitor })
]

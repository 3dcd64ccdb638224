import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { Values } from './helm.ts'
import { roles } from './parts.ts'

const strimzi = join(import.meta.dirname, '../../manifests/strimzi/values.yaml')

const ownKafka = { enabled: false, brokers: ['kafka-1.example.com:9093', 'kafka-2.example.com:9094'] }
const ownRegistry = { enabled: false, url: 'https://registry.example.com' }
const secured = {
  ...ownKafka,
  prefix: 'shop-',
  createTopics: false,
  replicationFactor: 3,
  sasl: { mechanism: 'scram-sha-512', existingSecret: 'kafka-login' },
  tls: { enabled: true, caSecret: 'kafka-ca', clientSecret: 'kafka-client' }
}
const replicated = Object.fromEntries(roles.filter((role) => role !== 'view').map((role) => [role, { replicas: 3 }]))
/** https://docs.redhat.com/en/documentation/openshift_container_platform: restricted-v2 chooses the users itself. */
const anyUser = { podSecurityContext: { runAsUser: null, runAsGroup: null, fsGroup: null } }
const postgres = { existingSecret: 'view-database' }

/** Each a way to install the chart, by what is special in it. */
export const variants: Readonly<Record<string, Values>> = {
  'all by default': {},
  choreography: { flow: 'choreography' },
  'the engine alone': { shop: { enabled: false } },
  'sagas that stay': { sagas: { keep: true } },
  'no sagas': { sagas: { install: false } },
  'own Kafka': { kafka: ownKafka },
  'own Kafka and registry': { kafka: ownKafka, registry: { ...ownRegistry, existingSecret: 'registry-login' } },
  'own Kafka with SASL and TLS': { kafka: secured, registry: ownRegistry },
  'own Kafka with TLS only': { kafka: { ...ownKafka, tls: { enabled: true } }, registry: ownRegistry },
  'own Kafka by Strimzi, with a registry for development': parse(readFileSync(strimzi, 'utf8')) as Values,
  'own registry': { registry: { enabled: false, url: 'http://registry:8081/apis/ccompat/v7' } },
  'broker without a volume': { kafka: { broker: { persistence: { enabled: false } } } },
  'broker with a volume of its class': {
    kafka: { broker: { persistence: { size: '20Gi', storageClass: 'fast', whenDeleted: 'Delete' } } }
  },
  PostgreSQL: { view: { replicas: 3, database: postgres } },
  'scaled view': { view: { database: postgres, autoscaling: { enabled: true } } },
  ingress: {
    view: {
      ingress: {
        enabled: true,
        className: 'nginx',
        annotations: { 'cert-manager.io/cluster-issuer': 'letsencrypt' },
        hosts: ['shop.example.com', 'www.example.com'],
        pathType: 'ImplementationSpecific',
        tls: [{ secretName: 'shop-tls', hosts: ['shop.example.com', 'www.example.com'] }]
      }
    }
  },
  'load balancer': {
    view: { service: { type: 'LoadBalancer', port: 8080, annotations: { 'example.com/internal': 'true' } } }
  },
  'node port': { view: { service: { type: 'NodePort', nodePort: 30_080, sessionAffinity: 'None' } } },
  'load balancer of a class': {
    view: { service: { type: 'LoadBalancer', loadBalancerIP: '192.0.2.1', loadBalancerClass: 'example.com/internal' } }
  },
  gateway: {
    view: {
      httpRoute: {
        enabled: true,
        annotations: { 'example.com/note': 'yes' },
        parentRefs: [{ name: 'public', namespace: 'gateways', sectionName: 'https' }],
        hostnames: ['shop.example.com']
      }
    }
  },
  'images from a mirror, and a part of another chart': {
    enabled: true,
    global: { imageRegistry: 'mirror.example.com:5000/all', imagePullSecrets: ['mirror', { name: 'pull' }], other: 1 },
    imagePullSecrets: [{ name: 'pull' }],
    commonLabels: { 'app.kubernetes.io/part-of': 'a-system', 'cost-centre': '12', owner: 'shop' }
  },
  'users that OpenShift chooses': { defaults: anyUser, kafka: { broker: anyUser }, registry: { server: anyUser } },
  KEDA: { keda: { enabled: true, roles: ['order', 'payment', 'shipping'] } },
  'KEDA on Kafka with SASL and TLS': { kafka: secured, registry: ownRegistry, keda: { enabled: true } },
  ServiceMonitor: { serviceMonitor: { enabled: true, labels: { release: 'prometheus' } } },
  'everything replicated': {
    ...replicated,
    trustedCa: { existingSecret: 'company-ca' },
    view: { replicas: 2, database: postgres },
    kafka: secured,
    registry: ownRegistry,
    networkPolicy: {
      restFrom: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'ingress' } } }],
      metricsFrom: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
      kafkaTo: [{ ipBlock: { cidr: '10.0.0.0/8' } }],
      registryTo: [{ ipBlock: { cidr: '10.0.0.0/8' } }],
      databaseTo: [{ ipBlock: { cidr: '10.1.2.3/32' } }],
      apiServerTo: [{ ipBlock: { cidr: '10.96.0.1/32' } }]
    },
    serviceMonitor: { enabled: true }
  },
  'nothing that may be left out': {
    serviceAccount: { create: false },
    rbac: { create: false, aggregate: false },
    networkPolicy: { enabled: false },
    sagas: { install: false },
    kafka: ownKafka,
    registry: ownRegistry
  },
  'pods as somebody wants them': {
    nameOverride: 'saga',
    fullnameOverride: 'a-name-as-long-as-a-release-may-have-one',
    imagePullSecrets: [{ name: 'pull' }],
    image: { tag: '', digest: `sha256:${'0'.repeat(64)}`, pullPolicy: 'Always' },
    defaults: {
      env: { LOG_LEVEL: 'debug', ZONE: { valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } } },
      envFrom: [{ configMapRef: { name: 'all', optional: true } }],
      lifecycle: { postStart: { exec: { command: ['/usr/local/bin/node', '--version'] } } },
      extraVolumes: [{ name: 'scratch', emptyDir: { sizeLimit: '1Mi' } }],
      extraVolumeMounts: [{ name: 'scratch', mountPath: '/scratch' }],
      topologySpreadConstraints: [
        { maxSkew: 1, topologyKey: 'kubernetes.io/hostname', whenUnsatisfiable: 'DoNotSchedule' }
      ],
      podSecurityContext: { supplementalGroups: [20_000], fsGroupChangePolicy: 'Always' },
      priorityClassName: 'system-cluster-critical',
      maxUnavailable: '50%',
      podLabels: { team: 'shop' },
      podAnnotations: { 'example.com/note': 'yes' },
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      tolerations: [{ key: 'dedicated', operator: 'Exists', effect: 'NoSchedule' }],
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: 'kubernetes.io/arch', operator: 'In', values: ['amd64'] }] }
            ]
          }
        }
      }
    },
    serviceAccount: { annotations: { 'example.com/role': 'shop' } }
  }
}

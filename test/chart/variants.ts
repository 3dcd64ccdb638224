import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'
import type { Values } from './helm.ts'

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
const replicated = Object.fromEntries(
  ['order', 'inventory', 'payment', 'shipping', 'orchestrator', 'operator'].map((role) => [role, { replicas: 3 }])
)
const postgres = { existingSecret: 'view-database' }

/** Each a way to install the chart, by what is special in it. */
export const variants: Readonly<Record<string, Values>> = {
  'all by default': {},
  choreography: { flow: 'choreography' },
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
        tls: [{ secretName: 'shop-tls', hosts: ['shop.example.com', 'www.example.com'] }]
      }
    }
  },
  'load balancer': {
    view: { service: { type: 'LoadBalancer', port: 8080, annotations: { 'example.com/internal': 'true' } } }
  },
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

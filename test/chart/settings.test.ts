import test from 'ava'
import { readConfig } from '../../src/config/index.ts'
import { hasHelm, rendered } from './helm.ts'
import { resourcesIn } from './plain-manifests.ts'
import { variants } from './variants.ts'

if (!hasHelm) test.skip('the settings that the chart gives to each role: there is no helm in PATH', () => undefined)
else testSettings()

type Variable = { readonly name: string; readonly value?: string }
type Deployment = {
  readonly template: { readonly spec: { readonly containers: readonly { env: readonly Variable[] }[] } }
}

/** What stands in a secret, or is known to the node only, when it is a value that the program takes. */
const given: Readonly<Record<string, string>> = {
  KAFKA_SASL_USERNAME: 'shop',
  KAFKA_SASL_PASSWORD: 'secret',
  SCHEMA_REGISTRY_USERNAME: 'shop',
  SCHEMA_REGISTRY_PASSWORD: 'secret',
  VIEW_DATABASE_URL: 'postgres://shop:secret@database:5432/shop',
  PARCOMOLO_NAMESPACE: 'parcomolo',
  PARCOMOLO_ID_SECRET: 'of this installation'
}

const environments = (yaml: string): (readonly [name: string, Readonly<Record<string, string>>])[] =>
  resourcesIn(yaml)
    .filter(({ kind, metadata }) => kind === 'Deployment' && !metadata.name.endsWith('-registry'))
    .map(({ metadata, spec }) => {
      const { env } = (spec as Deployment).template.spec.containers[0]!
      return [
        metadata.name,
        Object.fromEntries(env.map(({ name, value }) => [name, value ?? given[name] ?? 'known to the node']))
      ]
    })

function testSettings(): void {
  for (const [name, values] of Object.entries(variants))
    test(`every process accepts the settings that the chart gives to it: ${name}`, async (t) => {
      const found = environments(await rendered(values))
      t.true(found.length >= 3)
      for (const [deployment, environment] of found) {
        t.notThrows(() => readConfig(environment), deployment)
        t.deepEqual(
          Object.keys(environment).filter((variable) => environment[variable] === ''),
          [],
          deployment
        )
      }
    })

  test('secrets get into the settings that they are for', async (t) => {
    const [[, order]] = environments(await rendered(variants['own Kafka with SASL and TLS']!)) as [[string, object]]
    t.like(readConfig(order as Record<string, string>), {
      kafkaSaslMechanism: 'scram-sha-512',
      kafkaSaslUsername: 'shop',
      kafkaSaslPassword: 'secret',
      kafkaTls: true,
      kafkaTlsCaFile: '/etc/parcomolo/kafka-ca/ca.pem',
      kafkaTlsCertFile: '/etc/parcomolo/kafka-client/cert.pem',
      kafkaTlsKeyFile: '/etc/parcomolo/kafka-client/key.pem',
      kafkaPrefix: 'shop-',
      kafkaReplicationFactor: 3,
      kafkaCreateTopics: false,
      registryUrl: 'https://registry.example.com'
    })
  })
}

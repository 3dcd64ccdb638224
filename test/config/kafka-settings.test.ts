import test from 'ava'
import { isParcomoloError } from '../../src/base/index.ts'
import { readConfig, settingsInUse } from '../../src/config/index.ts'
import { componentsOf, rolesIn } from '../../src/config/roles.ts'
import { serviceNames, theShop } from '../helpers/shop-parts.ts'
import { shop } from '../../src/shop/index.ts'

const linesOf = (environment: Record<string, string>): readonly string[] => {
  try {
    readConfig(environment)
    return []
  } catch (error) {
    if (!isParcomoloError(error, 'PARCOMOLO_CONFIG_INVALID')) throw error
    return error.message.split('\n')
  }
}

const onKafka = { KAFKA_BROKERS: 'localhost:9092', SCHEMA_REGISTRY_URL: 'http://localhost:8081' }

test('brokers and a registry are enough', (t) => {
  t.like(readConfig(onKafka), {
    kafkaBrokers: ['localhost:9092'],
    registryUrl: 'http://localhost:8081',
    roles: 'all',
    kafkaPrefix: '',
    kafkaTls: false,
    kafkaSaslMechanism: null,
    kafkaReplicationFactor: null,
    kafkaCreateTopics: true,
    kafkaSessionTimeoutMs: 6000
  })
})

test('every variable of Kafka and of the registry is taken', (t) => {
  const environment = {
    KAFKA_BROKERS: 'kafka-1.example:9092, kafka-2.example:9093',
    KAFKA_CLIENT_ID: 'shop-1',
    KAFKA_PREFIX: 'shop.',
    KAFKA_SASL_MECHANISM: 'scram-sha-512',
    KAFKA_SASL_USERNAME: 'ada',
    KAFKA_SASL_PASSWORD: ' with, all=kinds ',
    KAFKA_TLS: 'true',
    KAFKA_TLS_CA_FILE: 'ca.pem',
    KAFKA_TLS_CERT_FILE: 'cert.pem',
    KAFKA_TLS_KEY_FILE: 'key.pem',
    KAFKA_CREATE_TOPICS: 'false',
    KAFKA_REPLICATION_FACTOR: '2',
    KAFKA_SESSION_TIMEOUT: '1.5m',
    SCHEMA_REGISTRY_URL: 'https://registry.example/apis/ccompat/v7',
    SCHEMA_REGISTRY_USERNAME: 'bob',
    SCHEMA_REGISTRY_PASSWORD: 'pass'
  }
  t.like(readConfig(environment), {
    kafkaBrokers: ['kafka-1.example:9092', 'kafka-2.example:9093'],
    kafkaClientId: 'shop-1',
    kafkaPrefix: 'shop.',
    kafkaSaslMechanism: 'scram-sha-512',
    kafkaSaslUsername: 'ada',
    kafkaSaslPassword: ' with, all=kinds ',
    kafkaTls: true,
    kafkaTlsCaFile: 'ca.pem',
    kafkaTlsCertFile: 'cert.pem',
    kafkaTlsKeyFile: 'key.pem',
    kafkaCreateTopics: false,
    kafkaReplicationFactor: 2,
    kafkaSessionTimeoutMs: 90_000,
    registryUrl: 'https://registry.example/apis/ccompat/v7',
    registryUsername: 'bob',
    registryPassword: 'pass'
  })
})

test('on Kafka there are 12 partitions unless told otherwise', (t) => {
  t.is(readConfig(onKafka).partitions, 12)
  t.is(readConfig({ ...onKafka, PARTITIONS: '3' }).partitions, 3)
  const [shown] = settingsInUse(onKafka).filter(({ name }) => name === 'PARTITIONS')
  t.like(shown, { value: '12', standard: '12', isSet: false })
  t.deepEqual(linesOf({ ...onKafka, PARTITIONS: '0' }), [
    "PARTITIONS: '0' is not accepted; expected a whole number from 1 to 1024; leave it out to use '12'"
  ])
})

const refused = test.macro({
  title: (_, name: string, value: string) => `${name} refuses '${value}'`,
  exec: (t, name: string, value: string, expected: string) => {
    t.deepEqual(linesOf({ ...onKafka, [name]: value }), [`${name}: '${value}' is not accepted; ${expected}`])
  }
})

const brokers = "expected a comma list of host:port, such as 'kafka-1:9092,kafka-2:9092'; leave it out if in doubt"
for (const value of ['kafka', 'kafka:', ':9092', 'kafka:0', 'kafka:70000', 'kafka:9092,', 'tcp://kafka:9092', 'a b:1'])
  test(refused, 'KAFKA_BROKERS', value, brokers)
const kafkaName = "expected at most 100 letters, digits, '.', '_' and '-'"
test(refused, 'KAFKA_PREFIX', 'shop/', `${kafkaName}; leave it out if in doubt`)
test(refused, 'KAFKA_PREFIX', 'x'.repeat(101), `${kafkaName}; leave it out if in doubt`)
test(refused, 'KAFKA_CLIENT_ID', 'the shop', `${kafkaName}; leave it out to use 'parcomolo'`)
test(refused, 'KAFKA_TLS', 'yes', "expected 'true' or 'false'; leave it out to use 'false'")
test(refused, 'KAFKA_CREATE_TOPICS', '0', "expected 'true' or 'false'; leave it out to use 'true'")
test(refused, 'KAFKA_REPLICATION_FACTOR', '0', 'expected a whole number from 1 to 100; leave it out if in doubt')
for (const value of ['6', '500ms', '31m', 'soon'])
  test(refused, 'KAFKA_SESSION_TIMEOUT', value, "expected a duration from 1s to 30m; leave it out to use '6s'")
const registry =
  "expected the address of a schema registry, such as 'http://registry:8081', without a user in it; " +
  'leave it out if in doubt'
for (const value of ['registry:8081', 'ftp://registry', 'http://'])
  test(refused, 'SCHEMA_REGISTRY_URL', value, registry)

test('a mechanism that there is not is refused, with those that there are', (t) => {
  const environment = {
    ...onKafka,
    KAFKA_SASL_MECHANISM: 'PLAIN',
    KAFKA_SASL_USERNAME: 'ada',
    KAFKA_SASL_PASSWORD: 'x'
  }
  t.deepEqual(linesOf(environment), [
    "KAFKA_SASL_MECHANISM: 'PLAIN' is not accepted; " +
      "expected 'plain' or 'scram-sha-256' or 'scram-sha-512'; leave it out if in doubt"
  ])
})

test('a mistyped way into Kafka is refused, so that nobody gets another one unawares', (t) => {
  t.deepEqual(linesOf({ ...onKafka, KAFKA_SASL_USER: 'ada', KAFKA_SSL_CA_FILE: 'ca.pem' }), [
    "KAFKA_SASL_USER: no variable has this name; did you mean 'KAFKA_SASL_USERNAME'?",
    "KAFKA_SSL_CA_FILE: no variable has this name; did you mean 'KAFKA_TLS_CA_FILE'?"
  ])
})

test('what Kubernetes makes of the names of services is none of its business', (t) => {
  const ofServices = {
    KAFKA_PORT: 'tcp://10.0.0.1:9092',
    KAFKA_TLS_PORT_9093_TCP: 'tcp://10.0.0.1:9093',
    KAFKA_SASL_SERVICE_HOST: '10.0.0.1',
    SCHEMA_REGISTRY_PORT: 'tcp://10.0.0.2:8081'
  }
  t.deepEqual(linesOf(ofServices), [])
})

const together = test.macro({
  title: (_, title: string) => title,
  exec: (t, _: string, environment: Record<string, string>, lines: readonly string[]) => {
    t.deepEqual(linesOf(environment), lines)
  }
})

const sasl = { KAFKA_SASL_MECHANISM: 'plain', KAFKA_SASL_USERNAME: 'ada', KAFKA_SASL_PASSWORD: 'secret' }
const less = (environment: Record<string, string>, name: string): Record<string, string> =>
  Object.fromEntries(Object.entries(environment).filter(([key]) => key !== name))

test(together, 'all of SASL goes together', { ...onKafka, ...sasl }, [])
test(together, 'Kafka needs a schema registry', { KAFKA_BROKERS: 'kafka:9092' }, [
  "KAFKA_BROKERS: 'kafka:9092' is not accepted without SCHEMA_REGISTRY_URL; " +
    "expected SCHEMA_REGISTRY_URL to be set as well, to the address of a schema registry, such as 'http://registry:8081', " +
    'without a user in it; set it, or leave KAFKA_BROKERS out'
])
const brokersToo =
  "is not accepted without KAFKA_BROKERS; expected KAFKA_BROKERS to be set as well, to a comma list of host:port, such as 'kafka-1:9092,kafka-2:9092'"
test(together, 'a schema registry needs Kafka', { SCHEMA_REGISTRY_URL: 'http://r' }, [
  `SCHEMA_REGISTRY_URL: 'http://r' ${brokersToo}; set it, or leave SCHEMA_REGISTRY_URL out`
])
test(together, 'whoever sets anything of Kafka means Kafka', { KAFKA_PREFIX: 'shop.', KAFKA_CREATE_TOPICS: 'false' }, [
  `KAFKA_PREFIX: 'shop.' ${brokersToo}; set it, or leave KAFKA_PREFIX out`,
  `KAFKA_CREATE_TOPICS: 'false' ${brokersToo}; set it, or leave KAFKA_CREATE_TOPICS out`
])
test(together, 'a password needs a user', less({ ...onKafka, ...sasl }, 'KAFKA_SASL_USERNAME'), [
  "KAFKA_SASL_MECHANISM: 'plain' is not accepted without KAFKA_SASL_USERNAME; " +
    'expected KAFKA_SASL_USERNAME to be set as well, to a user name; set it, or leave KAFKA_SASL_MECHANISM out'
])
const mechanismToo =
  'is not accepted without KAFKA_SASL_MECHANISM; expected KAFKA_SASL_MECHANISM to be set as well, ' +
  "to 'plain' or 'scram-sha-256' or 'scram-sha-512'"
test(together, 'user and password need a mechanism', less({ ...onKafka, ...sasl }, 'KAFKA_SASL_MECHANISM'), [
  `KAFKA_SASL_USERNAME: 'ada' ${mechanismToo}; set it, or leave KAFKA_SASL_USERNAME out`,
  `KAFKA_SASL_PASSWORD: '***' ${mechanismToo}; set it, or leave KAFKA_SASL_PASSWORD out`
])
const tls = { KAFKA_TLS: 'true', KAFKA_TLS_CERT_FILE: 'c.pem', KAFKA_TLS_KEY_FILE: 'k.pem' }
test(together, 'a certificate needs its key', less({ ...onKafka, ...tls }, 'KAFKA_TLS_KEY_FILE'), [
  "KAFKA_TLS_CERT_FILE: 'c.pem' is not accepted without KAFKA_TLS_KEY_FILE; " +
    'expected KAFKA_TLS_KEY_FILE to be set as well, to the path of a PEM file; set it, or leave KAFKA_TLS_CERT_FILE out'
])
const tlsToo = "is not accepted without TLS; expected KAFKA_TLS to be 'true' as well; set it"
test(together, 'files of TLS need TLS', { ...less({ ...onKafka, ...tls }, 'KAFKA_TLS'), KAFKA_TLS_CA_FILE: 'a.pem' }, [
  `KAFKA_TLS_CA_FILE: 'a.pem' ${tlsToo}, or leave KAFKA_TLS_CA_FILE out`,
  `KAFKA_TLS_CERT_FILE: 'c.pem' ${tlsToo}, or leave KAFKA_TLS_CERT_FILE out`,
  `KAFKA_TLS_KEY_FILE: 'k.pem' ${tlsToo}, or leave KAFKA_TLS_KEY_FILE out`
])
test(together, "the registry's password needs a user", { ...onKafka, SCHEMA_REGISTRY_PASSWORD: 'secret' }, [
  "SCHEMA_REGISTRY_PASSWORD: '***' is not accepted without SCHEMA_REGISTRY_USERNAME; " +
    'expected SCHEMA_REGISTRY_USERNAME to be set as well, to a user name; ' +
    'set it, or leave SCHEMA_REGISTRY_PASSWORD out'
])

test('nobody gets to see a password, be it in an address', (t) => {
  const environment = {
    ...onKafka,
    ...sasl,
    SCHEMA_REGISTRY_URL: 'http://bob:secret@registry',
    SCHEMA_REGISTRY_PASSWORD: 'secret'
  }
  const shown = Object.fromEntries(settingsInUse(environment).map(({ name, value }) => [name, value]))
  t.like(shown, {
    KAFKA_SASL_USERNAME: 'ada',
    KAFKA_SASL_PASSWORD: '***',
    SCHEMA_REGISTRY_PASSWORD: '***',
    SCHEMA_REGISTRY_URL: 'http://***@registry'
  })
  const told = linesOf(environment)
  t.is(told[0], `SCHEMA_REGISTRY_URL: 'http://***@registry' is not accepted; ${registry}`)
  t.false(JSON.stringify([told, shown]).includes('secret'))
  const unset = settingsInUse({}).find(({ name }) => name === 'KAFKA_SASL_PASSWORD')
  t.is(unset?.value, '')
})

test('roles are a list, in any order, each once', (t) => {
  const rolesOf = (list: string) => readConfig({ ...onKafka, PARCOMOLO_ROLES: list }).roles
  t.is(rolesOf('all'), 'all')
  t.deepEqual(rolesOf('order'), ['order'])
  t.deepEqual(rolesOf('view, payment,order,order'), ['order', 'payment', 'view'])
})

const roleList = `expected 'all' or a comma list of ${serviceNames.join(', ')}, orchestrator, courier, operator, view`
test(refused, 'PARCOMOLO_ROLES', 'order,paiment', `${roleList}; did you mean 'payment'?`)
test(refused, 'PARCOMOLO_ROLES', 'everything', `${roleList}; leave it out to use 'all'`)
test(refused, 'PARCOMOLO_ROLES', 'all,order', `${roleList}; leave it out to use 'all'`)
test(refused, 'PARCOMOLO_ROLES', 'order,', `${roleList}; leave it out to use 'all'`)

test(together, 'the embedded log has one process, which runs everything', { PARCOMOLO_ROLES: 'order' }, [
  "PARCOMOLO_ROLES: 'order' is not accepted without KAFKA_BROKERS, as the embedded log is open to one process only, " +
    "which has to run everything; expected 'all'; set KAFKA_BROKERS, or leave PARCOMOLO_ROLES out"
])
test('roles without Kafka are told beside a flow that is none', (t) => {
  const lines = linesOf({ FLOW: 'both', PARCOMOLO_ROLES: 'order' })
  t.is(lines.length, 2)
  t.regex(lines[0]!, /^FLOW: 'both' is not accepted; /)
  t.regex(lines[1]!, /^PARCOMOLO_ROLES: 'order' is not accepted without KAFKA_BROKERS/)
})

const idle = (role: string): string =>
  `PARCOMOLO_ROLES: 'order,orchestrator,operator' is not accepted with FLOW 'choreography', where no saga runs and ` +
  `'${role}' has nothing to do; expected a list without it; leave '${role}' out, or set FLOW to 'orchestration'`
test(
  together,
  'the engine alone has no services',
  { ...onKafka, PARCOMOLO_APP: 'none', PARCOMOLO_ROLES: 'payment,orchestrator' },
  [
    "PARCOMOLO_ROLES: 'payment,orchestrator' is not accepted with PARCOMOLO_APP 'none', which has no 'payment'; " +
      "expected a list of orchestrator, courier, operator, view; leave 'payment' out, or set PARCOMOLO_APP to 'shop'"
  ]
)
test(together, 'a flow is one of the shop', { PARCOMOLO_APP: 'none', FLOW: 'choreography' }, [
  "FLOW: 'choreography' is not accepted with PARCOMOLO_APP 'none', which has no services that it could be the flow of; " +
    "expected none; leave FLOW out, or set PARCOMOLO_APP to 'shop'"
])
test(
  together,
  'in choreography nobody orchestrates',
  { ...onKafka, FLOW: 'choreography', PARCOMOLO_ROLES: 'order,orchestrator,operator' },
  [idle('orchestrator'), idle('operator')]
)

test('all of the roles are those that the flow has', (t) => {
  t.deepEqual(rolesIn(theShop, 'all'), [...serviceNames, 'orchestrator', 'courier', 'operator', 'view'])
  t.deepEqual(rolesIn(shop('choreography'), 'all'), [...serviceNames, 'view'])
  t.deepEqual(componentsOf(rolesIn(theShop, 'all')), [...serviceNames, 'orchestrator', 'courier'])
  t.deepEqual(componentsOf(rolesIn(theShop, ['payment', 'view'])), ['payment'])
})

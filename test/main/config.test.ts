import test from 'ava'
import { isParcomoloError } from '../../src/base/index.ts'
import { type Config, readConfig, settingsInUse } from '../../src/main/config.ts'

const linesOf = (environment: Record<string, string>): readonly string[] => {
  try {
    readConfig(environment)
    return []
  } catch (error) {
    if (!isParcomoloError(error, 'PARCOMOLO_CONFIG_INVALID')) throw error
    return error.message.split('\n')
  }
}

test('an empty environment gives the laptop configuration', (t) => {
  const expected: Config = {
    port: 8080,
    metricsPort: null,
    host: '127.0.0.1',
    dataFolder: '.parcomolo',
    sagasFolder: 'sagas',
    roles: 'all',
    app: 'shop',
    flow: 'orchestration',
    partitions: 1,
    memoryBytes: null,
    courierPrivate: true,
    courierSecrets: null,
    definitions: 'files',
    namespace: null,
    viewUrl: null,
    kafkaBrokers: null,
    kafkaClientId: 'parcomolo',
    kafkaPrefix: '',
    kafkaSaslMechanism: null,
    kafkaSaslUsername: '',
    kafkaSaslPassword: '',
    kafkaTls: false,
    kafkaTlsCaFile: '',
    kafkaTlsCertFile: '',
    kafkaTlsKeyFile: '',
    kafkaCreateTopics: true,
    kafkaReplicationFactor: null,
    kafkaSessionTimeoutMs: 6000,
    registryUrl: null,
    registryUsername: '',
    registryPassword: '',
    viewDatabase: null,
    idSecret: null,
    stopDelay: 0,
    logLevel: 'info'
  }
  t.deepEqual(readConfig({}), expected)
})

test('every variable is taken', (t) => {
  const environment = {
    PORT: '0',
    PARCOMOLO_HOST: '0.0.0.0',
    PARCOMOLO_DATA: '/var/lib/parcomolo',
    PARCOMOLO_SAGAS: 'my sagas',
    PARCOMOLO_ROLES: 'all',
    FLOW: 'choreography',
    PARTITIONS: '12',
    PARCOMOLO_MEMORY: '256Mi',
    VIEW_DATABASE_URL: 'sqlite:/tmp/view.db',
    LOG_LEVEL: 'error'
  }
  t.like(readConfig(environment), {
    port: 0,
    host: '0.0.0.0',
    dataFolder: '/var/lib/parcomolo',
    sagasFolder: 'my sagas',
    roles: 'all',
    app: 'shop',
    flow: 'choreography',
    partitions: 12,
    memoryBytes: 268_435_456,
    viewDatabase: { sqlite: '/tmp/view.db' },
    logLevel: 'error'
  })
})

test('a variable that is set to nothing counts as unset', (t) => {
  t.is(readConfig({ PORT: '', PARCOMOLO_NO_SUCH: '', KAFKA_BROKERS: '', KAFKA_TLS: '' }).port, 8080)
})

test('variables of other programs are none of its business', (t) => {
  t.notThrows(() => readConfig({ PATH: '/bin', HOME: '/root', KAFKA_PORT: 'tcp://10.0.0.1:9092', HOST: 'laptop' }))
})

const refused = test.macro({
  title: (_, name: string, value: string) => `${name} refuses '${value}'`,
  exec: (t, name: string, value: string, expected: string) => {
    t.deepEqual(linesOf({ [name]: value }), [`${name}: '${value}' is not accepted; ${expected}`])
  }
})

const port = "expected a whole number from 0 to 65535; leave it out to use '8080'"
test(refused, 'PORT', 'http', port)
test(refused, 'PORT', '65536', port)
test(refused, 'PORT', '-1', port)
test(refused, 'PORT', '80.5', port)
test(refused, 'PORT', '1e3', port)
test(refused, 'PARTITIONS', '0', "expected a whole number from 1 to 1024; leave it out to use '1'")
test(refused, 'FLOW', 'both', "expected 'orchestration' or 'choreography'; leave it out to use 'orchestration'")
test(refused, 'PARCOMOLO_HOST', 'a b', "expected an IP address or a host name; leave it out to use '127.0.0.1'")
test(refused, 'LOG_LEVEL', 'loud', "expected 'error' or 'warn' or 'info' or 'debug'; leave it out to use 'info'")

const size = 'expected a size such as 256Mi, 1Gi, 512MB or a number of bytes, 64Mi at least; leave it out if in doubt'
test(refused, 'PARCOMOLO_MEMORY', '1Mi', size)
test(refused, 'PARCOMOLO_MEMORY', 'plenty', size)

test('a mistyped variable is refused, with the one that was meant', (t) => {
  t.deepEqual(linesOf({ PARCOMOLO_DATE: 'x' }), [
    "PARCOMOLO_DATE: no variable has this name; did you mean 'PARCOMOLO_DATA'?"
  ])
  t.deepEqual(linesOf({ PARCOMOLO_PORT: 'x' }), ["PARCOMOLO_PORT: no variable has this name; did you mean 'PORT'?"])
  t.deepEqual(linesOf({ PARCOMOLO_SOMETHING_QUITE_DIFFERENT: 'x' }), [
    "PARCOMOLO_SOMETHING_QUITE_DIFFERENT: no variable has this name; 'parcomolo config' lists all that there are"
  ])
})

for (const name of ['OTEL_SERVICE_NAME', 'OIDC_ISSUER', 'SMTP_URL']) {
  test(`${name} is refused rather than ignored, without telling what may be a password`, (t) => {
    t.deepEqual(linesOf({ [name]: 'smtp://ada:secret@mail' }), [
      `${name}: it asks for what this version does not support yet; unset it to start`
    ])
  })
}

test('everything that is wrong is told at once', (t) => {
  const lines = linesOf({ PORT: 'x', FLOW: 'y', PARCOMOLO_PORT: '1', OIDC_ISSUER: 'https://id' })
  t.deepEqual(
    lines.map((line) => line.split(':')[0]),
    ['PORT', 'FLOW', 'PARCOMOLO_PORT', 'OIDC_ISSUER']
  )
})

test('the list of variables shows which are set, to what, and what they mean', (t) => {
  const shown = settingsInUse({ PORT: '9000', LOG_LEVEL: '' })
  t.like(shown[0], { name: 'PORT', value: '9000', standard: '8080', isSet: true })
  t.like(shown.at(-1), { name: 'LOG_LEVEL', value: 'info', isSet: false })
  t.true(shown.every(({ meaning }) => meaning.length > 20))
})

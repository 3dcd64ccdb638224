import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { isParcomoloError } from '../../src/base/index.ts'
import { readConfig } from '../../src/config/index.ts'
import { kafkaOptions } from '../../src/main/kafka-options.ts'
import { certificateOf, newKey } from './certificate.ts'

const onKafka = { KAFKA_BROKERS: 'a:9092,b:9092', SCHEMA_REGISTRY_URL: 'http://localhost:8081' }

const optionsOf = (environment: Record<string, string>) => kafkaOptions(readConfig({ ...onKafka, ...environment }))

const linesOf = async (environment: Record<string, string>): Promise<readonly string[]> => {
  try {
    await optionsOf(environment)
    return []
  } catch (error) {
    if (!isParcomoloError(error, 'PARCOMOLO_CONFIG_INVALID')) throw error
    return error.message.split('\n')
  }
}

/** Gives the path of a file with this text. */
const filing = async (t: ExecutionContext) => {
  const folder = await mkdtemp(join(tmpdir(), 'parcomolo-pem-'))
  t.teardown(() => rm(folder, { recursive: true }))
  return async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text)
    return join(folder, name)
  }
}

test('a plain cluster needs its brokers, and no more is said of it', async (t) => {
  t.deepEqual(await optionsOf({}), {
    brokers: ['a:9092', 'b:9092'],
    clientId: 'parcomolo',
    prefix: '',
    createsTopics: true,
    sessionTimeoutMs: 6000
  })
})

test('what is set is handed on', async (t) => {
  const options = await optionsOf({
    KAFKA_CLIENT_ID: 'shop',
    KAFKA_PREFIX: 'shop.',
    KAFKA_SASL_MECHANISM: 'plain',
    KAFKA_SASL_USERNAME: 'ada',
    KAFKA_SASL_PASSWORD: 'secret',
    KAFKA_TLS: 'true',
    KAFKA_CREATE_TOPICS: 'false',
    KAFKA_REPLICATION_FACTOR: '2',
    KAFKA_SESSION_TIMEOUT: '10s'
  })
  t.deepEqual(options, {
    brokers: ['a:9092', 'b:9092'],
    clientId: 'shop',
    prefix: 'shop.',
    createsTopics: false,
    sessionTimeoutMs: 10_000,
    replicationFactor: 2,
    sasl: { mechanism: 'plain', username: 'ada', password: 'secret' },
    tls: {}
  })
})

test('the files of TLS are read', async (t) => {
  const file = await filing(t)
  const key = newKey()
  const cert = certificateOf(key)
  const { tls } = await optionsOf({
    KAFKA_TLS: 'true',
    KAFKA_TLS_CA_FILE: await file('ca.pem', cert),
    KAFKA_TLS_CERT_FILE: await file('cert.pem', cert),
    KAFKA_TLS_KEY_FILE: await file('key.pem', key.pem)
  })
  t.deepEqual(tls, { ca: cert, cert, key: key.pem })
})

test('files that are not there or no PEM are told, each with its variable', async (t) => {
  const file = await filing(t)
  const [missing, key] = [join('no', 'such.pem'), await file('key.pem', newKey().pem)]
  t.deepEqual(
    await linesOf({
      KAFKA_TLS: 'true',
      KAFKA_TLS_CA_FILE: missing,
      KAFKA_TLS_CERT_FILE: key,
      KAFKA_TLS_KEY_FILE: key
    }),
    [
      `KAFKA_TLS_CA_FILE: '${missing}' cannot be read (ENOENT); ` +
        'expected the path of a PEM file with a CERTIFICATE; correct it, or leave KAFKA_TLS_CA_FILE out',
      `KAFKA_TLS_CERT_FILE: '${key}' has no CERTIFICATE in it; ` +
        'expected the path of a PEM file with a CERTIFICATE; correct it, or leave KAFKA_TLS_CERT_FILE out'
    ]
  )
})

test('a broken certificate and the key of another one are told before anything is opened', async (t) => {
  const file = await filing(t)
  const broken = await file('ca.pem', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')
  const foreign = await file('key.pem', newKey().pem)
  const lines = await linesOf({
    KAFKA_TLS: 'true',
    KAFKA_TLS_CA_FILE: broken,
    KAFKA_TLS_CERT_FILE: await file('cert.pem', certificateOf(newKey())),
    KAFKA_TLS_KEY_FILE: foreign
  })
  t.is(lines.length, 2)
  t.true(lines[0]!.startsWith(`KAFKA_TLS_CA_FILE: '${broken}' cannot be used (`), lines[0])
  t.true(lines[1]!.startsWith(`KAFKA_TLS_KEY_FILE: '${foreign}' cannot be used (`), lines[1])
  t.regex(lines[1]!, /key values mismatch/)
})

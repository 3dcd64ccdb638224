import fc from 'fast-check'
import test from 'ava'
import { isParcomoloError, shownPath } from '../../src/base/index.ts'
import { readConfig, settingsInUse } from '../../src/config/index.ts'
import { kafkaOptions } from '../../src/main/kafka-options.ts'
import { newKey } from './certificate.ts'

/** All that the start and `parcomolo config` say of a value. */
const told = (name: string, value: string): string => {
  const shown = settingsInUse({ [name]: value }).find((setting) => setting.name === name)!.value
  try {
    readConfig({ [name]: value })
    return shown
  } catch (error) {
    if (!isParcomoloError(error, 'PARCOMOLO_CONFIG_INVALID')) throw error
    return `${shown}\n${error.message}`
  }
}

const password = 'Hunter2'

const forms: Readonly<Record<string, readonly string[]>> = {
  VIEW_DATABASE_URL: [
    ...[
      'postgres://u:PW',
      'postgres://u:PW/db',
      'postgres://u:PW%40h/db',
      'postgres://u%3APW/db',
      'postgres://u;PW/db'
    ],
    ...['host=h user=u password=PW dbname=d', 'postgres://u@h/db?passwd=PW', 'postgres://u@h/db?pwd=PW'],
    ...[
      'sqlite://u:PW@h/db',
      'sqlite:u:PW@h/db',
      'postgres://u@h/db?options=-c%20x%3DPW',
      'postgres://u@h/db?sslkey=PW'
    ],
    ...['postgres://u:PW@h/db?sslpasword=PW', 'postgres://u:1/PW@h/db', 'postgres://u@h/db/PW', 'postgres://u@h/db#PW'],
    ...[
      'postgres:u:PW@h',
      'jdbc:postgresql://h/db?user=u&password=PW',
      'postgres://u:x?PW@h/db',
      '"postgres://u:PW@h/d"'
    ],
    ...[
      'postgres://u:PW@h/db',
      'postgres://u:PW@h:port/db',
      'postgres://u:PW@h1,h2/db',
      ' postgres://u:PW@h/db',
      'postgres://u:x@PW/x@h',
      'postgres://PW/x@h/db',
      'postgres://u:x@PW/y@h/d'
    ]
  ],
  SCHEMA_REGISTRY_URL: [
    ...['http://u:P/PW@r', 'u:PW@r', 'http:/u:PW@r', 'http://u:PW%40r', 'http://r?apikey=PW', 'http://u:PW', 'u:PW'],
    ...['http://r#PW', 'http://PW@r', 'https://u:1/PW@r', 'http://u:PW@r', 'http:u:PW@r', '//u:PW@r', 'http://u:PW r'],
    ...['http://r/?x=1;apikey=PW', 'http://u:x@PW/x@r', 'http://PW/x@r', 'http://u:x@PW@r', 'http://u:1?PW@r']
  ],
  KAFKA_BROKERS: [
    'u:PW@h:9092',
    'h:9092,u:PW@h:9092',
    'SASL_SSL://u:PW@h:9092',
    'u:PW',
    'u:1,PW@h:9092',
    'h:9092;u:PW'
  ],
  PARCOMOLO_VIEW_URL: [
    'http://u:PW@v',
    'u:PW@v',
    'http:/u:PW@v',
    'http://u:PW',
    'http://v/?token=PW',
    'http://u:1/PW@v'
  ],
  KAFKA_TLS_KEY_FILE: [
    '-----BEGIN PRIVATE KEY-----\nPW\n-----END',
    '-----BEGIN PRIVATE KEY----- PW',
    'MIIPW/PW+PW==',
    'PW'
  ],
  KAFKA_TLS_CERT_FILE: ['-----BEGIN ENCRYPTED PRIVATE KEY-----\\nPW'],
  KAFKA_SASL_USERNAME: ['u:PW', 'org.apache.kafka.X required username="u" password="PW";'],
  SCHEMA_REGISTRY_USERNAME: ['u:PW', 'u PW'],
  KAFKA_SASL_PASSWORD: ['PW'],
  PARCOMOLO_HOST: ['u:PW@h', 'http://u:PW@h'],
  PARCOMOLO_DATA: ['postgres://u:PW@h/db'],
  KAFKA_CLIENT_ID: ['password=PW']
}

for (const [name, values] of Object.entries(forms)) {
  for (const value of values) {
    test(`${name} shows no password of '${value.replaceAll('\n', '|')}'`, (t) => {
      t.notRegex(told(name, value.replaceAll('PW', password)), /hunter2/i)
    })
  }
}

test('a registry whose address has a user or a query is refused', (t) => {
  for (const url of ['http://u:p@r', 'http://r?apikey=p', 'http://r#p'])
    t.throws(() => readConfig({ SCHEMA_REGISTRY_URL: url }), { code: 'PARCOMOLO_CONFIG_INVALID' }, url)
  t.regex(told('SCHEMA_REGISTRY_URL', 'http://r?apikey=p'), /'http:\/\/r\/\*\*\*'.*leave out what stands from '\?'/)
})

test('a database whose path is an address is refused', (t) => {
  t.throws(() => readConfig({ VIEW_DATABASE_URL: 'sqlite://u:p@h/db' }), { code: 'PARCOMOLO_CONFIG_INVALID' })
  t.notThrows(() => readConfig({ VIEW_DATABASE_URL: 'sqlite:///tmp/view.db' }))
})

test('what holds no secret is shown as it is', (t) => {
  t.is(told('SCHEMA_REGISTRY_URL', 'https://registry:8081/apis/v7').split('\n')[0], 'https://registry:8081/apis/v7')
  t.is(told('KAFKA_BROKERS', 'a:9092, b:9092').split('\n')[0], 'a:9092, b:9092')
  t.is(
    told('VIEW_DATABASE_URL', 'postgres://u@[::1]:5433/db?sslmode=require&schema=s'),
    'postgres://u@[::1]:5433/db?sslmode=require&schema=s'
  )
  t.is(told('VIEW_DATABASE_URL', 'mysql://h/db').split('\n')[0], 'mysql://h/***')
  t.is(told('KAFKA_SASL_USERNAME', '$ConnectionString').split('\n')[0], '$ConnectionString')
  for (const path of ['/run/key', 'key.pem', './key', '../secrets/tls.key', '~/key', '']) t.is(shownPath(path), path)
})

test('a key in the place of its path is not shown where it cannot be read', async (t) => {
  const { pem } = newKey()
  const environment = {
    ...{ KAFKA_BROKERS: 'a:9092', SCHEMA_REGISTRY_URL: 'http://r', KAFKA_TLS: 'true' },
    ...{ KAFKA_TLS_CERT_FILE: 'no/such.pem', KAFKA_TLS_KEY_FILE: pem }
  }
  const { message } = await t.throwsAsync<Error>(kafkaOptions(readConfig(environment)))
  t.false(message.includes(pem.split('\n')[1]!))
  t.regex(message, /KAFKA_TLS_KEY_FILE: '\*\*\*' cannot be read/)
})

/** Letters that are in none of the values around it. */
const secrets = fc.stringMatching(/^[J-L]{6}[J-L:/?#@%&=,; +.-]{0,12}[J-L]{6}$/)

test('wherever a password stands in an address that is right or nearly so, it is not shown', (t) => {
  const shapes = [
    ...['postgres://u:%@h/db', 'postgres://u:%@h', 'postgres:/u:%@h/db', 'u:%@h:9092', 'http://u:%@h', 'http://h?x=%'],
    ...['http:/u:%@h', 'postgres://u@h/db?password=%', 'host=h password=%', 'sqlite://u:%@h/d']
  ]
  const names = ['VIEW_DATABASE_URL', 'SCHEMA_REGISTRY_URL', 'KAFKA_BROKERS', 'PARCOMOLO_VIEW_URL']
  fc.assert(
    fc.property(secrets, fc.constantFrom(...shapes), fc.constantFrom(...names), (secret, shape, name) => {
      const said = told(
        name,
        shape.replace('%', () => secret)
      )
      t.notRegex(said, /[J-L]{6}/i, `${name} ${secret} ${shape}`)
    }),
    { numRuns: 500 }
  )
})

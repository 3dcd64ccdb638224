import { shownHosts, shownName, shownPath, shownUrl } from '../base/index.ts'
import {
  anyText,
  duration,
  type Kind,
  oneOf,
  optional,
  secret,
  type Setting,
  wholeNumber,
  yesOrNo
} from '../application/index.ts'

const portMax = 65_535

/** `host:port` with commas between them; undefined where one is not like that. */
const brokerList: Kind<readonly string[]> = {
  expected: "a comma list of host:port, such as 'kafka-1:9092,kafka-2:9092'",
  parse: (text) => {
    const brokers = text.split(',').map((broker) => broker.trim())
    const isAddress = (broker: string): boolean => {
      const port = Number(/^[\w.-]{1,253}:(\d{1,5})$/.exec(broker)?.[1])
      return port >= 1 && port <= portMax
    }
    return brokers.every(isAddress) ? brokers : undefined
  },
  shown: shownHosts
}

/** What Kafka takes in the name of a topic. */
const kafkaName: Kind<string> = {
  expected: "at most 100 letters, digits, '.', '_' and '-'",
  parse: (text) => (/^[\w.-]{0,100}$/.test(text) ? text : undefined)
}

const httpUrl: Kind<string> = {
  expected: "the address of a schema registry, such as 'http://registry:8081', without a user in it",
  parse: (text) => {
    const url = /^https?:\/\/[^@?#]*$/.test(text) ? URL.parse(text) : null
    return url === null ? undefined : text
  },
  meant: (text) => (/^https?:\/\/[^@]*[?#]/.test(text) ? "; leave out what stands from '?' or '#' on" : ''),
  shown: shownUrl
}

const pemFile: Kind<string> = { ...anyText('the path of a PEM file'), shown: shownPath }

/** Whoever mistakes it for the place of the password, too, gets nothing shown. */
const userName: Kind<string> = { ...anyText('a user name'), shown: shownName }

/** Whoever is silent for less is alive; for more, no group waits. */
const [sessionMin, sessionMax] = ['1s', '30m']

/** Where the log is when it is not embedded, and how to get in. */
export const kafkaSettings = {
  kafkaBrokers: {
    name: 'KAFKA_BROKERS',
    standard: '',
    meaning: 'Kafka brokers as host:port, with commas between them; unset: the embedded log',
    ...optional(brokerList)
  } satisfies Setting<readonly string[] | null>,
  kafkaClientId: {
    name: 'KAFKA_CLIENT_ID',
    standard: 'parcomolo',
    meaning: 'How the brokers name this process in their logs and metrics',
    ...kafkaName
  } satisfies Setting<string>,
  kafkaPrefix: {
    name: 'KAFKA_PREFIX',
    standard: '',
    meaning: 'Put before every topic, subject, group and transactional id, so that installations can share a cluster',
    ...kafkaName
  } satisfies Setting<string>,
  kafkaSaslMechanism: {
    name: 'KAFKA_SASL_MECHANISM',
    standard: '',
    meaning: 'How this process proves who it is to the brokers; unset: not at all, or by its certificate',
    ...optional(oneOf('plain', 'scram-sha-256', 'scram-sha-512'))
  } satisfies Setting<'plain' | 'scram-sha-256' | 'scram-sha-512' | null>,
  kafkaSaslUsername: {
    name: 'KAFKA_SASL_USERNAME',
    standard: '',
    meaning: 'User name for KAFKA_SASL_MECHANISM',
    ...userName
  } satisfies Setting<string>,
  kafkaSaslPassword: {
    name: 'KAFKA_SASL_PASSWORD',
    standard: '',
    meaning: 'Password of KAFKA_SASL_USERNAME; never shown',
    ...secret(anyText('a password'))
  } satisfies Setting<string>,
  kafkaTls: {
    name: 'KAFKA_TLS',
    standard: 'false',
    meaning: 'Whether the connections to the brokers are encrypted',
    ...yesOrNo
  } satisfies Setting<boolean>,
  kafkaTlsCaFile: {
    name: 'KAFKA_TLS_CA_FILE',
    standard: '',
    meaning: "PEM file of whom the brokers' certificates are from; unset: the authorities that Node knows",
    ...pemFile
  } satisfies Setting<string>,
  kafkaTlsCertFile: {
    name: 'KAFKA_TLS_CERT_FILE',
    standard: '',
    meaning: 'PEM file of the certificate by which this process proves who it is',
    ...pemFile
  } satisfies Setting<string>,
  kafkaTlsKeyFile: {
    name: 'KAFKA_TLS_KEY_FILE',
    standard: '',
    meaning: 'PEM file of the private key of KAFKA_TLS_CERT_FILE',
    ...pemFile
  } satisfies Setting<string>,
  kafkaCreateTopics: {
    name: 'KAFKA_CREATE_TOPICS',
    standard: 'true',
    meaning: "Whether topics that are missing are made; with 'false' they are only checked",
    ...yesOrNo
  } satisfies Setting<boolean>,
  kafkaReplicationFactor: {
    name: 'KAFKA_REPLICATION_FACTOR',
    standard: '',
    meaning: 'Copies of each topic that is made; unset: 3, or as many as there are brokers',
    ...optional(wholeNumber(1, 100))
  } satisfies Setting<number | null>,
  kafkaSessionTimeoutMs: {
    name: 'KAFKA_SESSION_TIMEOUT',
    standard: '6s',
    meaning: 'After this time without a sign of life the other processes take over what this one runs',
    ...duration(sessionMin, sessionMax)
  } satisfies Setting<number>,
  registryUrl: {
    name: 'SCHEMA_REGISTRY_URL',
    standard: '',
    meaning: 'Confluent-compatible schema registry; needed with Kafka, and of no use without',
    ...optional(httpUrl)
  } satisfies Setting<string | null>,
  registryUsername: {
    name: 'SCHEMA_REGISTRY_USERNAME',
    standard: '',
    meaning: 'User name for the schema registry (HTTP basic authentication)',
    ...userName
  } satisfies Setting<string>,
  registryPassword: {
    name: 'SCHEMA_REGISTRY_PASSWORD',
    standard: '',
    meaning: 'Password of SCHEMA_REGISTRY_USERNAME; never shown',
    ...secret(anyText('a password'))
  } satisfies Setting<string>
} as const

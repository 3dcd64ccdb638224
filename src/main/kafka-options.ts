import { X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'
import { isParcomoloError, shownPath } from '../base/index.ts'
import { readFileBytes } from '../contract/index.ts'
import type { KafkaOptions, KafkaTls } from '../log/kafka/index.ts'
import { type Config, configInvalid, settings } from '../config/index.ts'

/**
 * How to reach the Kafka cluster of this configuration. Reads the PEM files; rejects with PARCOMOLO_CONFIG_INVALID
 * where one is missing or is none.
 */
export const kafkaOptions = async (config: Config): Promise<KafkaOptions> => ({
  brokers: config.kafkaBrokers ?? [],
  clientId: config.kafkaClientId,
  prefix: config.kafkaPrefix,
  createsTopics: config.kafkaCreateTopics,
  sessionTimeoutMs: config.kafkaSessionTimeoutMs,
  ...(config.kafkaReplicationFactor === null ? {} : { replicationFactor: config.kafkaReplicationFactor }),
  ...(config.kafkaSaslMechanism === null ? {} : { sasl: saslOf(config, config.kafkaSaslMechanism) }),
  ...(config.kafkaTls ? { tls: await tlsOf(config) } : {})
})

const saslOf = (
  { kafkaSaslUsername: username, kafkaSaslPassword: password }: Config,
  mechanism: NonNullable<Config['kafkaSaslMechanism']>
): NonNullable<KafkaOptions['sasl']> => ({ mechanism, username, password })

const tlsOf = async (config: Config): Promise<KafkaTls> => {
  const files = [
    ['ca', 'kafkaTlsCaFile', 'CERTIFICATE'],
    ['cert', 'kafkaTlsCertFile', 'CERTIFICATE'],
    ['key', 'kafkaTlsKeyFile', 'PRIVATE KEY']
  ] as const
  const given = files.filter(([, key]) => config[key] !== '')
  const read = await Promise.all(
    given.map(async ([part, key, what]) => [part, await readPem(settings[key].name, config[key], what)] as const)
  )
  const lines = read.flatMap(([, { line }]) => line ?? [])
  if (lines.length > 0) throw configInvalid(lines)
  const tls = Object.fromEntries(read.map(([part, { text }]) => [part, text])) as KafkaTls
  checkTls(config, tls)
  return tls
}

type Pem = { readonly text?: string; readonly line?: string }

const readPem = async (name: string, path: string, what: string): Promise<Pem> => {
  const shown = shownPath(path)
  const expected = `expected the path of a PEM file with a ${what}; correct it, or leave ${name} out`
  try {
    const text = (await readFileBytes(path)).toString()
    if (new RegExp(`^-----BEGIN [A-Z ]*${what}-----`, 'm').test(text)) return { text }
    return { line: `${name}: '${shown}' has no ${what} in it; ${expected}` }
  } catch (error) {
    if (!isParcomoloError(error)) throw error
    return { line: `${name}: '${shown}' cannot be read (${String(error.details['reason'])}); ${expected}` }
  }
}

/** The first connection would fail too, but in words that name no file; and it takes a broken authority for none. */
const checkTls = ({ kafkaTlsCaFile, kafkaTlsCertFile, kafkaTlsKeyFile }: Config, { ca, cert, key }: KafkaTls): void => {
  const lines = [
    ...unusable(settings.kafkaTlsCaFile.name, kafkaTlsCaFile, () => ca && new X509Certificate(ca)),
    ...unusable(settings.kafkaTlsCertFile.name, kafkaTlsCertFile, () => cert && new X509Certificate(cert)),
    ...unusable(settings.kafkaTlsKeyFile.name, kafkaTlsKeyFile, () => key && createSecureContext({ cert, key }))
  ]
  if (lines.length > 0) throw configInvalid(lines)
}

const unusable = (name: string, path: string, use: () => unknown): string[] => {
  try {
    use()
    return []
  } catch (error) {
    const expected = "expected PEM without a password, and the key to be the certificate's"
    return [`${name}: '${shownPath(path)}' cannot be used (${(error as Error).message}); ${expected}; correct the file`]
  }
}

import { didYouMean } from '../base/index.ts'
import {
  anyText,
  byteCount,
  duration,
  oneOf,
  optional,
  secret,
  type Setting,
  wholeNumber
} from '../application/index.ts'
import { courierSettings } from './courier-settings.ts'
import { kafkaSettings } from './kafka-settings.ts'
import { operatorSettings } from './operator-settings.ts'
import {
  type ApplicationName,
  applications,
  applicationSettings,
  everyApplication,
  standardApplication
} from './applications.ts'
import { readRoles, rolesOf } from './roles.ts'
import { viewDatabase, type ViewDatabase } from './view-database.ts'

/** Of whichever application: that one has no such role is told when it is known which it is. */
const roles = [...new Set(everyApplication.flatMap(rolesOf))]

/** Every variable that this version takes. The order is that of `parcomolo config`. */
export const settings = {
  port: {
    name: 'PORT',
    standard: '8080',
    meaning: 'TCP port of the REST interface and of the probes; 0 takes any that is free',
    ...wholeNumber(0, 65_535)
  },
  metricsPort: {
    name: 'PARCOMOLO_METRICS_PORT',
    standard: '',
    meaning:
      'TCP port of /metrics and of the details of /readyz, for whoever runs it; 0 takes any that is free. ' +
      'Unset: they are on PORT',
    ...optional(wholeNumber(0, 65_535))
  } satisfies Setting<number | null>,
  host: {
    name: 'PARCOMOLO_HOST',
    standard: '127.0.0.1',
    meaning: 'Address to listen on; nobody is asked who they are, so other machines get in only with 0.0.0.0',
    expected: 'an IP address or a host name',
    parse: (text) => (/^[\w.:-]{1,253}$/.test(text) ? text : undefined)
  } satisfies Setting<string>,
  dataFolder: {
    name: 'PARCOMOLO_DATA',
    standard: '.parcomolo',
    meaning: 'Folder of the embedded log, its schemas and the read model; made where it is missing',
    ...anyText('the path of a folder')
  },
  sagasFolder: {
    name: 'PARCOMOLO_SAGAS',
    standard: 'sagas',
    meaning: 'Folder of the sagas, watched for changes, with the participants in its subfolder participants',
    ...anyText('the path of a folder')
  },
  roles: {
    name: 'PARCOMOLO_ROLES',
    standard: 'all',
    meaning: `What this process runs: all, or a comma list of ${roles.join(', ')}, which needs Kafka`,
    expected: `'all' or a comma list of ${roles.join(', ')}`,
    parse: (text) => readRoles(roles, text),
    meant: (text) => didYouMean(text.split(',').find((word) => readRoles(roles, word) === undefined) ?? '', roles)
  } satisfies Setting<'all' | readonly string[]>,
  app: {
    name: 'PARCOMOLO_APP',
    standard: standardApplication,
    meaning: 'Application that runs beside the engine; none: the engine alone, for participants that run elsewhere',
    ...oneOf(...(Object.keys(applications) as ApplicationName[]))
  },
  ...applicationSettings,
  partitions: {
    name: 'PARTITIONS',
    standard: '1',
    standardOnKafka: '12',
    meaning: 'Partitions of each journal and inbox; a log keeps the number that it was made with',
    ...wholeNumber(1, 1024)
  },
  memoryBytes: {
    name: 'PARCOMOLO_MEMORY',
    standard: '',
    meaning:
      'Memory that this process may have; an eighth of it holds what is read ahead and waits. ' +
      "Unset: its control group's limit, or a quarter of the machine",
    ...optional(byteCount('64Mi'))
  } satisfies Setting<number | null>,
  ...courierSettings,
  ...operatorSettings,
  ...kafkaSettings,
  viewDatabase: {
    name: 'VIEW_DATABASE_URL',
    standard: '',
    meaning:
      'PostgreSQL of the read model, which replicas share, or sqlite:PATH; unset: view.sqlite in the data folder',
    ...optional(viewDatabase)
  } satisfies Setting<ViewDatabase | null>,
  idSecret: {
    name: 'PARCOMOLO_ID_SECRET',
    standard: '',
    meaning:
      'What the ids of orders with an Idempotency-Key are made with, the same for all processes and for ever; never ' +
      'shown. Unset: the file id-secret in the data folder; on Kafka none, and whoever guesses a key knows the id',
    ...secret(
      optional({ expected: 'at least 16 characters', parse: (text: string) => (text.length < 16 ? undefined : text) })
    )
  } satisfies Setting<string | null>,
  stopDelay: {
    name: 'PARCOMOLO_STOP_DELAY',
    standard: '0s',
    meaning: 'How long a process that is to stop is not ready, and still takes what comes, until nobody sends more',
    ...duration('0s', '5m')
  },
  logLevel: {
    name: 'LOG_LEVEL',
    standard: 'info',
    meaning: 'Least severity that is reported on stderr',
    ...oneOf('error', 'warn', 'info', 'debug')
  }
} as const

/** The process's configuration, as it was when it started. */
export type Config = {
  readonly [Name in keyof typeof settings]: (typeof settings)[Name] extends Setting<infer T> ? T : never
}

/** Variables of versions to come: taking no notice of them would leave somebody in a false belief. */
export const laterSettings: readonly RegExp[] = [/^OTEL_.+$/, /^OIDC_ISSUER$/, /^SMTP_URL$/]

/**
 * Names that nobody else gives: one that is not known is mistyped. Of those that say how to get into Kafka, the ones
 * are left out that Kubernetes makes of a service's name.
 */
export const ownNames = /^(PARCOMOLO_|KAFKA_(SASL|SSL|TLS)_(?!.*(PORT|SERVICE)))/

/** One environment variable: what it is called, what it may be, and what it is for. */
export type Setting<T> = {
  readonly name: string
  /** As a person would write it; it is parsed like any other value. */
  readonly standard: string
  readonly meaning: string
  /** What a value must look like, as it stands in an error after "expected". */
  readonly expected: string
  /** The value; undefined where the text is none. */
  parse(text: string): T | undefined
}

/** Every variable that this version takes. The order is that of `parcomolo config`. */
export const settings = {
  port: {
    name: 'PORT',
    standard: '8080',
    meaning: 'TCP port of the REST interface; 0 takes any that is free',
    ...wholeNumber(0, 65_535)
  },
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
    meaning: 'Folder of the log, the schemas and the read model; made where it is missing',
    ...folder()
  },
  sagasFolder: {
    name: 'PARCOMOLO_SAGAS',
    standard: 'sagas',
    meaning: 'Folder of the sagas, watched for changes, with the participants in its subfolder participants',
    ...folder()
  },
  roles: {
    name: 'PARCOMOLO_ROLES',
    standard: 'all',
    meaning: 'What this process runs; the embedded log is open to one process only, so all of it',
    ...oneOf('all')
  },
  flow: {
    name: 'FLOW',
    standard: 'orchestration',
    meaning: 'Who decides what comes next: the orchestrator, or each service by the events of the others',
    ...oneOf('orchestration', 'choreography')
  },
  partitions: {
    name: 'PARTITIONS',
    standard: '1',
    meaning: 'Partitions of each journal and inbox; a data folder keeps the number that it was made with',
    ...wholeNumber(1, 1024)
  },
  viewDatabase: {
    name: 'VIEW_DATABASE_URL',
    standard: '',
    meaning: 'SQLite file of the read model, as sqlite:PATH; unset: view.sqlite in the data folder',
    expected: "'sqlite:' and the path of a file",
    parse: (text) => (text === '' ? '' : /^sqlite:(.+)$/.exec(text)?.[1])
  } satisfies Setting<string>,
  logLevel: {
    name: 'LOG_LEVEL',
    standard: 'info',
    meaning: 'Least severity that is reported on stderr',
    ...oneOf('error', 'warn', 'info', 'debug')
  }
} as const

/** Variables of versions to come: taking no notice of them would leave somebody in a false belief. */
export const laterSettings: readonly RegExp[] = [
  /^KAFKA_(BROKERS|CLIENT_ID|SASL_.+|TLS_.+|SSL_.+)$/,
  /^SCHEMA_REGISTRY_.+$/,
  /^OTEL_.+$/,
  /^OIDC_ISSUER$/,
  /^SMTP_URL$/
]

type Kind<T> = Pick<Setting<T>, 'expected' | 'parse'>

function wholeNumber(min: number, max: number): Kind<number> {
  return {
    expected: `a whole number from ${min} to ${max}`,
    parse: (text) => {
      const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
      return value >= min && value <= max ? value : undefined
    }
  }
}

function oneOf<const T extends string>(...values: readonly T[]): Kind<T> {
  return {
    expected: values.map((value) => `'${value}'`).join(' or '),
    parse: (text) => values.find((value) => value === text)
  }
}

function folder(): Kind<string> {
  return { expected: 'the path of a folder', parse: (text) => text }
}

import { stringify } from 'yaml'
import type { Json, ParticipantResource, SagaResource } from './crd/index.ts'

/** The order in which people write keys; the API server gives them in that of the alphabet. */
const order = [
  ...['apiVersion', 'kind', 'metadata', 'spec', 'name', 'start', 'cancel', 'deadline', 'steps', 'parallel'],
  ...[
    'on',
    'key',
    'command',
    'emit',
    'pivot',
    'when',
    'with',
    'timeout',
    'within',
    'retry',
    'until',
    'onUnknown',
    'onRejection'
  ],
  ...[
    'attempts',
    'backoff',
    'factor',
    'cap',
    'jitter',
    'compensate',
    'complete',
    'abort',
    'inbox',
    'events',
    'contract'
  ]
]

const rankOf = (key: unknown): number => {
  const rank = order.indexOf(String(key))
  return rank === -1 ? order.length : rank
}

/**
 * The text of a resource as a file would hold it: what a person has written of it, nothing of the API server's. Equal
 * specs give equal texts.
 */
export const yamlOf = ({ apiVersion, kind, metadata, spec }: SagaResource | ParticipantResource): string =>
  stringify(
    { apiVersion, kind, metadata: { name: metadata.name }, spec: kind === 'Saga' ? withTriggers(spec) : spec },
    {
      sortMapEntries: (a, b) => rankOf(a.key) - rankOf(b.key) || (String(a.key) < String(b.key) ? -1 : 1),
      lineWidth: 0,
      blockQuote: 'literal',
      aliasDuplicateObjects: false
    }
  )

/** Where a resource comes from, for the places that errors name, and so that the operator knows its own. */
export const sourceOf = (plural: string, namespace: string, name: string): string =>
  `${plural}.parcomolo.io/${namespace}/${name}`

/** kubectl and Helm read YAML 1.1, in which the key `on` is the value true. */
const withTriggers = (spec: Json): Json => {
  if (!isMap(spec)) return spec
  const mended = Object.entries(spec).map(([key, value]) =>
    key === 'start' || key === 'cancel' ? [key, withOn(value)] : [key, value]
  )
  return Object.fromEntries(mended) as Json
}

const withOn = (trigger: Json): Json => {
  if (!isMap(trigger) || !('true' in trigger) || 'on' in trigger) return trigger
  const { true: on, ...rest } = trigger
  return { on: on!, ...rest }
}

const isMap = (value: Json): value is { readonly [name: string]: Json } =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

/** A role as the chart runs it when nothing else is said. */
export type RoleValues = {
  /** Of the environment, without what says where it runs. */
  readonly variables: Readonly<Record<string, string>>
  readonly memoryBytes: number
}

type Role = {
  readonly nodeOptions: string
  readonly env: Readonly<Record<string, unknown>>
  readonly resources: { readonly limits: { readonly memory: string } }
}

type Values = Readonly<Record<string, Partial<Role>>> & {
  readonly defaults: Role
  readonly partitions: number
  readonly kafka: { readonly sessionTimeout: string }
}

const read = (path: string): string => readFileSync(fileURLToPath(new URL(path, import.meta.url)), 'utf8')

const values = parse(read('../../charts/parcomolo/values.yaml')) as Values

export const partitions = values.partitions

export const roleValues = (name: string): RoleValues => {
  const { nodeOptions, env, resources } = { ...values.defaults, ...values[name] }
  const texts = Object.entries(env).filter((entry): entry is [string, string] => typeof entry[1] !== 'object')
  return {
    variables: {
      ...imageVariables(),
      KAFKA_SESSION_TIMEOUT: values.kafka.sessionTimeout,
      NODE_OPTIONS: nodeOptions,
      ...Object.fromEntries(texts.map(([variable, value]) => [variable, String(value)]))
    },
    memoryBytes: bytesOf(resources.limits.memory)
  }
}

/** What the image tells its allocator, on which it depends how much stays resident. */
const imageVariables = (): Record<string, string> =>
  Object.fromEntries(
    [...read('../../Dockerfile').matchAll(/\b(MALLOC_\w+)=(\S+)/g)].map(([, variable, value]) => [variable!, value!])
  )

/** A quantity of Kubernetes, such as 256Mi. */
const bytesOf = (quantity: string): number => {
  const [, number, unit] = /^(\d+)(Ki|Mi|Gi|k|M|G)?$/.exec(quantity) ?? []
  if (number === undefined) throw new Error(`the chart's limit '${quantity}' is no whole number of bytes, Mi or Gi`)
  return Number(number) * (unit === undefined ? 1 : units[unit]!)
}

const units: Readonly<Record<string, number>> = {
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  k: 1e3,
  M: 1e6,
  G: 1e9
}

import { brokers, type Counters } from '../counters.ts'
import { connectByHttp } from '../http.ts'
import { type Options, rest, startProcess, usageOf, variablesOf } from '../parcomolo.ts'
import { usageOfProcesses } from '../processes.ts'
import type { Target } from '../target.ts'
import { openInstallation } from './installation.ts'
import { openRecords } from './records.ts'

/** How the roles are shared out: all to one process, or to each service its own. */
export const forms = {
  kafka: [['order', 'inventory', 'payment', 'shipping', 'orchestrator', 'operator', 'view']],
  services: [['order'], ['inventory'], ['payment'], ['shipping'], ['orchestrator'], ['operator', 'view']]
} as const

export type KafkaOptions = Options & {
  readonly form: keyof typeof forms
  readonly driver: 'rest' | 'records'
  /** Without it nothing follows the journals but who takes part in the sagas, and there is no REST. */
  readonly hasView: boolean
  /** Of brokers on this machine, so that their CPU is seen. */
  readonly brokerPids: readonly number[]
}

/** The product on the Kafka of the environment, under a prefix of its own, of which nothing is left there. */
export const startOnKafka = async (resources: AsyncDisposableStack, options: KafkaOptions): Promise<Target> => {
  const startedAt = performance.now()
  const installation = await openInstallation(resources, variablesOf(options))
  const processes = await Promise.all(
    rolesOf(options).map(async (roles) => {
      const url = await startProcess(resources, { ...installation.variables, PARCOMOLO_ROLES: roles.join() })
      return { name: options.form === 'kafka' ? 'all' : roles.join(' '), url, hasView: roles.includes('view') }
    })
  )
  const readyMs = performance.now() - startedAt
  const { url } = processes.find(({ hasView }) => hasView) ?? processes[0]!
  const records = options.driver === 'records' ? await openRecords(resources, installation.config) : undefined
  return {
    name: options.form,
    readyMs,
    connect: async (clients) => (await records?.connect()) ?? connectByHttp(url, clients, rest),
    counters: () => readCounters(processes, options.brokerPids)
  }
}

const rolesOf = ({ form, flow, hasView }: KafkaOptions): string[][] => {
  const idle = [...(flow === 'choreography' ? ['orchestrator', 'operator'] : []), ...(hasView ? [] : ['view'])]
  return forms[form].map((roles) => roles.filter((role) => !idle.includes(role))).filter((roles) => roles.length > 0)
}

type Process = { readonly name: string; readonly url: string }

const readCounters = async (processes: readonly Process[], brokerPids: readonly number[]): Promise<Counters> => {
  const usages = await Promise.all(processes.map(async ({ name, url }) => [name, await usageOf(url)] as const))
  return new Map(brokerPids.length === 0 ? usages : [...usages, [brokers, await usageOfProcesses(brokerPids)]])
}

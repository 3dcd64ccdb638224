import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { Agent, request } from 'undici'
import { parse } from 'yaml'
import { type Answer, type ApiServer, startApiServer } from '../../helpers/api-server.ts'
import type { Map } from '../crd/corpus.ts'

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'

/** The CustomResourceDefinition as the chart installs it. */
export const definitionOf = (plural: 'sagas' | 'participants'): Map =>
  parse(readFileSync(`charts/parcomolo/crds/${plural}.parcomolo.io.yaml`, 'utf8')) as Map

/** An API server that knows the chart's resources. */
export type ResourceServer = ApiServer & {
  /** Refuses what `kubectl apply` refuses, unknown fields too, and keeps nothing. */
  dryRun(plural: string, resource: Map): Promise<Answer>
  create(plural: string, resource: Map): Promise<Answer>
  /** What `kubectl explain` reads, which the API server makes ready a moment after the definitions. */
  explained(): Promise<Record<string, Map>>
  /** What `kubectl get` shows: the columns' names, and the cells of each row. */
  table(plural: string): Promise<{ columns: string[]; rows: unknown[][] }>
}

export const pathOf = (plural: string): string => `/apis/parcomolo.io/v1alpha1/namespaces/default/${plural}`

export const startResourceServer = async (): Promise<ResourceServer> => {
  const api = await startApiServer()
  for (const plural of ['sagas', 'participants'] as const) {
    const { status, body } = await api.request('POST', definitions, { body: definitionOf(plural) })
    if (status !== 201) throw new Error(`the definition of ${plural} is refused: ${JSON.stringify(body)}`)
    while ((await api.request('GET', pathOf(plural))).status !== 200) await delay(20)
  }
  const post = (plural: string, query: string, body: Map): Promise<Answer> =>
    api.request('POST', `${pathOf(plural)}?fieldValidation=Strict${query}`, { body })
  return {
    ...api,
    dryRun: (plural, resource) => post(plural, '&dryRun=All', resource),
    create: (plural, resource) => post(plural, '', resource),
    explained: () => explainedBy(api),
    table: (plural) => tableOf(api, plural)
  }
}

const explainedBy = async (api: ApiServer): Promise<Record<string, Map>> => {
  for (;;) {
    const { body } = await api.request('GET', '/openapi/v3/apis/parcomolo.io/v1alpha1')
    const { schemas = {} } = (body['components'] ?? {}) as { schemas?: Record<string, Map> }
    if (['Saga', 'Participant'].every((kind) => schemas[`io.parcomolo.v1alpha1.${kind}`])) return schemas
    await delay(20)
  }
}

const tableOf = async (api: ApiServer, plural: string): ReturnType<ResourceServer['table']> => {
  const dispatcher = new Agent({ connect: { ca: api.ca } })
  const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io'
  const headers = { authorization: `Bearer ${api.token}`, accept }
  const answer = await request(api.url + pathOf(plural), { dispatcher, headers })
  const { columnDefinitions, rows } = (await answer.body.json()) as {
    columnDefinitions: { name: string }[]
    rows: { cells: unknown[] }[]
  }
  await dispatcher.destroy()
  return { columns: columnDefinitions.map(({ name }) => name), rows: rows.map(({ cells }) => cells) }
}

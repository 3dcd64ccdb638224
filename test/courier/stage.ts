import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'
import { readContract, registerContracts } from '../../src/contract/index.ts'
import { courierProtocol, courierSubject } from '../../src/courier/index.ts'
import type { Log } from '../../src/log/index.ts'
import { openLog, openRegistry } from '../../src/main/open-log.ts'
import type { Storage } from '../../src/main/stage.ts'
import type { Registry } from '../../src/registry/index.ts'
import { readAll } from '../log/records.ts'
import { type Running, start } from '../../src/main/start.ts'
import type { Config } from '../../src/main/config.ts'
import { configOf, type Json, newFolder } from '../main/process-stage.ts'

/** A participant over HTTP whose sagas the tests run: `extra` is put into `spec.http`. */
export const billingAt = (url: string, extra = ''): string => `apiVersion: parcomolo.io/v1alpha1
kind: Participant
metadata: { name: billing }
spec:
  inbox: billing-commands
  events: billing-events
  http: { url: '${url}'${extra} }
  contract: |
    @namespace("acme.billing")
    protocol Billing {
      record Charge { @key string customerId; string card; long cents; bytes note; string? hint; }
      record Charged { string customerId; long receipt; }
      error CardDeclined { string reason; }
      Charged charge(Charge command) throws CardDeclined;
      record Refund { @key string customerId; }
      record Refunded { string customerId; }
      Refunded refund(Refund command);
      record Reserve { @key string customerId; }
      record Reserved { string customerId; }
      error SoldOut { string what; }
      Reserved reserve(Reserve command) throws SoldOut;
      record Subscribed { @key string customerId; string card; bytes note; string? hint = null; }
      void subscribed(Subscribed event) oneway;
    }
`

export const subscribe = (attempt: string, more = ''): string => `apiVersion: parcomolo.io/v1alpha1
kind: Saga
metadata: { name: subscribe }
spec:
  start: { on: Subscribed, key: event.customerId }
  steps:
    - name: charge
      command: Charge
      ${attempt}
      with: { customerId: start.customerId, card: start.card, cents: "500", note: start.note, hint: start.hint }
      compensate: { command: Refund, with: { customerId: start.customerId } }
${more}`

export const reserving = `    - name: reserve
      command: Reserve
      with: { customerId: start.customerId }
      compensate: none
`

/** Looks until it is so; ava's own timeout ends it. */
export const until = async (isSo: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await isSo())) await new Promise((resolve) => void setTimeout(resolve, 20))
}

export type Stage = {
  readonly config: Config
  readonly folder: string
  running: Running
  /** Posts an event of the participant; gives the whole answer. */
  post(type: string, value: object, headers?: Record<string, string>): Promise<{ status: number; body: Json }>
  subscribe(customerId: string, card?: string): Promise<void>
  saga(key: string): Promise<Json>
  /** Asks until the instance has this status; ava's own timeout ends it. */
  ended(key: string, status?: string): Promise<Json>
  restart(): Promise<void>
  /** All of the participant's events topic, decoded. */
  journal(): Promise<{ body: { type: string; value: Record<string, unknown> }[] }>
  /** Writes to the participant's events topic, as only the courier may. */
  intrude(): Promise<void>
  /** How many instances there are. */
  sagas(): Promise<number>
}

export const stageOf = async (
  t: ExecutionContext,
  participant: string,
  saga: string,
  changes: Partial<Config> = {}
): Promise<Stage> => {
  const folder = await newFolder(t)
  await mkdir(join(folder, 'participants'))
  await writeFile(join(folder, 'participants/billing.yaml'), participant)
  await writeFile(join(folder, 'subscribe.yaml'), saga)
  const config = configOf(await newFolder(t), { app: 'none', sagasFolder: folder, ...changes })
  const ask = async (path: string, init?: RequestInit): Promise<{ status: number; body: Json }> => {
    const response = await fetch(`${stage.running.url}${path}`, init)
    return { status: response.status, body: (await response.json()) as Json }
  }
  const opened: { log?: Log; registry?: Registry } = {}
  const storage: Storage = {
    openLog: async (...given) => (opened.log = await openLog(...given)),
    openRegistry: async (...given) => (opened.registry = await openRegistry(...given))
  }
  const stage: Stage = {
    ...{ config, folder, running: await start(config, { storage }) },
    post: (type, value, headers = {}) =>
      ask('/participants/billing/events', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'ce-id': crypto.randomUUID(), 'ce-type': type, ...headers },
        body: JSON.stringify(value)
      }),
    subscribe: async (customerId, card = 'tok') => {
      const { status, body } = await stage.post('Subscribed', { customerId, card, note: 'aGk=' })
      t.is(status, 202, JSON.stringify(body))
    },
    saga: async (key) => (await ask(`/sagas/subscribe/${key}`)).body,
    ended: async (key, status = 'completed') => {
      for (;;) {
        const found = await stage.saga(key)
        if (found['status'] === status) return found
        await new Promise((resolve) => void setTimeout(resolve, 20))
      }
    },
    journal: async () => {
      const contract = readContract({ path: 'billing.yaml', text: participant })
      const own = [{ topic: courierSubject, records: [...courierProtocol.records.values()] }]
      const codec = await registerContracts(opened.registry!, [contract], own)
      const records = await readAll(opened.log!, { topic: 'billing-events', partition: 0 })
      const known = records.filter(({ value }) => value !== null && codec.knows(value))
      return { body: known.map(({ value }) => codec.decode(value!)) }
    },
    intrude: () => {
      const record = { key: 'x', value: new Uint8Array([9, 9, 9]), timestamp: Date.now(), headers: {} }
      return opened.log!.send([{ topic: 'billing-events', partition: 0, ...record }])
    },
    sagas: async () => (await opened.log!.end({ topic: 'saga-events', partition: 0 })) / 2,
    restart: async () => {
      await stage.running.stop()
      stage.running = await start(config, { storage })
    }
  }
  t.teardown(() => stage.running.stop())
  return stage
}

/**
 * The one file that touches kafkajs: its connections (sockets, TLS, SASL, request time-outs), its encodings of the
 * requests that are not hot, and its administration client. Parts that its public interface hides are reached by their
 * path, which the pinned version keeps; nothing of them is visible outside this room.
 */
import { createRequire } from 'node:module'
import { connect as connectPlain } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { type Admin, Kafka, logLevel } from 'kafkajs'
import type { KafkaOptions } from './options.ts'

export type { Admin }

/** A request as kafkajs' connections send it, and how its answer is read. */
export type WireRequest<T> = {
  readonly request: {
    readonly apiKey: number
    readonly apiVersion: number
    readonly apiName: string
    readonly encode: () => Promise<{ readonly buf: Buffer; readonly buffer: Buffer }>
  }
  readonly response: { readonly decode: (payload: Buffer) => Promise<T>; readonly parse: (decoded: T) => Promise<T> }
  /** Only where it may be longer than the connection's own. */
  readonly requestTimeout?: number
  readonly logResponseError: false
}

/** What is used of kafkajs' Broker: two sockets to one node, the second one for Fetch alone. */
export type Link = {
  readonly connectionPool: {
    send<T>(request: WireRequest<T>): Promise<T>
    getConnection(index?: number): Promise<unknown>
  }
  connect(): Promise<void>
  disconnect(): Promise<void>
  findGroupCoordinator(request: { groupId: string; coordinatorType: 0 | 1 }): Promise<{ coordinator: Node }>
  initProducerId(request: {
    transactionalId?: string
    transactionTimeout: number
  }): Promise<{ producerId: string; producerEpoch: number }>
  listOffsets(request: {
    replicaId: -1
    /** 1: what is committed. */
    isolationLevel: 0 | 1
    topics: { topic: string; partitions: { partition: number; timestamp: number }[] }[]
  }): Promise<{ responses: { topic: string; partitions: { partition: number; offset: string }[] }[] }>
  joinGroup(request: {
    groupId: string
    sessionTimeout: number
    rebalanceTimeout: number
    memberId: string
    groupProtocols: { name: string; metadata: Buffer }[]
  }): Promise<{
    generationId: number
    leaderId: string
    memberId: string
    members: { memberId: string; memberMetadata: Buffer }[]
  }>
  syncGroup(request: {
    groupId: string
    generationId: number
    memberId: string
    groupAssignment: { memberId: string; memberAssignment: Buffer }[]
  }): Promise<{ memberAssignment: Buffer }>
  heartbeat(request: { groupId: string; groupGenerationId: number; memberId: string }): Promise<unknown>
  leaveGroup(request: { groupId: string; memberId: string }): Promise<unknown>
  offsetCommit(request: {
    groupId: string
    groupGenerationId: number
    memberId: string
    topics: { topic: string; partitions: { partition: number; offset: string }[] }[]
  }): Promise<unknown>
}

/** A broker as the cluster names it. */
export type Node = { readonly nodeId: number; readonly host: string; readonly port: number }

/** A topic as a Metadata answer has it; error codes are Kafka's, 0 is none. */
export type TopicMetadata = {
  readonly topicErrorCode: number
  readonly topic: string
  readonly partitionMetadata: readonly {
    readonly partitionErrorCode: number
    readonly partitionId: number
    readonly leader: number
  }[]
}

export type Metadata = { readonly brokers: readonly Node[]; readonly topicMetadata: readonly TopicMetadata[] }

type AnyConstructor<T> = new (options: Record<string, unknown>) => T

const require = createRequire(import.meta.url)
const Broker = require('kafkajs/src/broker') as AnyConstructor<Link>
const ConnectionPool = require('kafkajs/src/network/connectionPool') as AnyConstructor<Link['connectionPool']>
const metadataRequest = require('kafkajs/src/protocol/requests/metadata/v6/request') as (request: {
  topics: readonly string[]
  allowAutoTopicCreation: false
}) => WireRequest<Metadata>['request']
const metadataResponse = require('kafkajs/src/protocol/requests/metadata/v6/response') as {
  decode: WireRequest<Metadata>['response']['decode']
}
export const assignerProtocol = require('kafkajs/src/consumer/assignerProtocol') as {
  MemberMetadata: {
    encode(metadata: { version: number; topics: string[]; userData: Buffer }): Buffer
    decode(bytes: Buffer): { topics: string[]; userData: Buffer }
  }
  MemberAssignment: {
    encode(assignment: { version: number; assignment: Record<string, number[]> }): Buffer
    decode(bytes: Buffer): { assignment: Record<string, number[]> } | null
  }
}
const { errorCodes } = require('kafkajs/src/protocol/error') as {
  errorCodes: readonly { readonly code: number; readonly type: string }[]
}
/** Kafka's names of its error codes, as far as kafkajs knows them. */
export const errorNames: ReadonlyMap<number, string> = new Map(errorCodes.map(({ code, type }) => [code, type]))
type Receiving = { chunks: Buffer[]; bytesBuffered: number }
const Connection = require('kafkajs/src/network/connection') as {
  prototype: Receiving & { processData: (this: Receiving, bytes: Buffer) => void }
}
const RequestQueue = require('kafkajs/src/network/requestQueue') as {
  prototype: { pending: unknown[]; scheduleCheckPendingRequests: (this: { pending: unknown[] }) => void }
}

/**
 * kafkajs 2.2.4 sets a timer for a time in the past after each answer, again and again (issues 1704, 1751, 1768): on
 * Node 24 a loop of 1 ms for each connection, 6 to 9 % of a core at rest. With nothing pending there is nothing to
 * look after.
 */
const cureTimerLoop = (): void => {
  const schedule = RequestQueue.prototype.scheduleCheckPendingRequests
  RequestQueue.prototype.scheduleCheckPendingRequests = function scheduleWherePending() {
    if (this.pending.length > 0) schedule.call(this)
  }
}
cureTimerLoop()

/** Between two answers kafkajs keeps an empty view of the last one, and with it all of that. */
const cureKeptAnswer = (): void => {
  const process = Connection.prototype.processData
  Connection.prototype.processData = function processAndLetGo(bytes) {
    process.call(this, bytes)
    if (this.bytesBuffered === 0) this.chunks = []
  }
}
cureKeptAnswer()

export type Connector = {
  /** A connection to a node, not yet open. */
  link(node: Pick<Node, 'host' | 'port'>): Link
  admin(): Admin
}

export const connector = (options: Required<Pick<KafkaOptions, 'requestTimeoutMs'>> & KafkaOptions): Connector => {
  const { tls, sasl, requestTimeoutMs } = options
  const common = {
    clientId: options.clientId,
    ...(sasl === undefined ? {} : { sasl }),
    ...(tls === undefined ? {} : { ssl: { ...tls } }),
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    enforceRequestTimeout: true,
    socketFactory: openSocket
  }
  const kafka = new Kafka({
    ...common,
    brokers: [...options.brokers],
    logLevel: logLevel.NOTHING,
    retry: { initialRetryTime: 100, maxRetryTime: 1_000, retries: 8 }
  } as ConstructorParameters<typeof Kafka>[0])
  const logger = kafka.logger()
  return {
    link: ({ host, port }) => {
      const connectionPool = new ConnectionPool({ ...common, host, port, logger })
      openOnce(connectionPool)
      return new Broker({ connectionPool, logger, allowAutoTopicCreation: false, authenticationTimeout: 10_000 })
    },
    admin: () => kafka.admin()
  }
}

const connectionTimeoutMs = 3_000

/** Where several requests meet a connection that is not open, kafkajs opens one for each and loses all but the last. */
const openOnce = (pool: Link['connectionPool']): void => {
  const open = pool.getConnection.bind(pool)
  const opening = new Map<number, Promise<unknown>>()
  pool.getConnection = (index = 0) => {
    const known = opening.get(index)
    if (known !== undefined) return known
    const connecting = open(index).finally(() => opening.delete(index))
    opening.set(index, connecting)
    return connecting
  }
}

/** Small requests leave at once, whatever is still unacknowledged. */
const openSocket = (at: { host: string; port: number; ssl?: object; onConnect: () => void }) => {
  const { host, port, ssl, onConnect } = at
  const isName = /[^\d.:]/.test(host)
  const socket =
    ssl === undefined || ssl === null
      ? connectPlain({ host, port, noDelay: true }, onConnect)
      : connectTls({ host, port, ...(isName ? { servername: host } : {}), ...ssl }, onConnect)
  socket.setNoDelay(true)
  socket.setKeepAlive(true, 60_000)
  return socket
}

const retired = new WeakSet<Link>()

/**
 * Ends a connection for good: kafkajs would open it again for whoever still has it, and nobody would close that. Once:
 * of many requests that fail on it each one calls, and each time kafkajs would wait anew for those under way.
 */
export const retire = (link: Link): void => {
  if (retired.has(link)) return
  retired.add(link)
  link.connectionPool.getConnection = async () => {
    throw new RetiredLink()
  }
  link.disconnect().catch(() => undefined)
}

class RetiredLink extends Error {
  override readonly name = 'KafkaJSConnectionError'

  constructor() {
    super('the connection was given up after an error')
  }
}

/** Leaders and errors partition by partition, where kafkajs would throw for the first that has one. */
export const fetchMetadata = (link: Link, topics: readonly string[]): Promise<Metadata> =>
  link.connectionPool.send<Metadata>({
    request: metadataRequest({ topics, allowAutoTopicCreation: false }),
    response: { decode: metadataResponse.decode, parse: async (decoded) => decoded },
    logResponseError: false
  })

/** A request with its body already encoded, at versions that kafkajs need not know. */
export const wireRequest = <T>(
  api: { readonly key: number; readonly version: number; readonly name: string },
  body: Buffer,
  decode: (payload: Buffer) => T
): WireRequest<T> => ({
  request: {
    apiKey: api.key,
    apiVersion: api.version,
    apiName: api.name,
    // kafkajs takes anything for an encoder that has its bytes under these two names.
    encode: async () => ({ buf: body, buffer: body })
  },
  response: { decode: async (payload) => decode(payload), parse: async (decoded) => decoded },
  logResponseError: false
})

/** What a broker, or the way to it, has answered: kafkajs' names, `code` a number for an error of the protocol. */
export type KafkaJsError = Error & {
  readonly name: string
  readonly type?: string
  readonly code?: number | string
  readonly retriable?: boolean
  readonly memberId?: string
}

export const isKafkaJsError = (error: unknown): error is KafkaJsError =>
  error instanceof Error && error.name.startsWith('KafkaJS')

import { type Connector, connector, type Link } from '../../src/log/kafka/kafkajs.ts'

export type Losses = {
  /** Chances of a request that never arrives, and of an answer that never does, though the broker has done it. */
  readonly request: number
  readonly answer: number
  /** 0 to below 1. */
  readonly random: () => number
}

/** How often something was lost, by the name of the request. */
export type Lost = Map<string, number>

/** Connections over which requests and answers get lost; what is lost breaks its connection, as a real loss does. */
export const lossyConnector =
  (losses: Losses, lost: Lost) =>
  (options: Parameters<typeof connector>[0]): Connector => {
    const real = connector(options)
    return { admin: () => real.admin(), link: (node) => lossy(real.link(node), losses, lost) }
  }

type Send = Link['connectionPool']['send']

const lossy = (link: Link, losses: Losses, lost: Lost): Link => {
  const { connectionPool } = link
  const send = connectionPool.send.bind(connectionPool) as Send
  connectionPool.send = async (request) => {
    const { apiName } = request.request
    if (losses.random() < losses.request) throw broken(lost, apiName)
    const answer = await send(request)
    if (isHarmless(apiName) || losses.random() >= losses.answer) return answer
    throw broken(lost, apiName)
  }
  return link
}

/** The handshake is kafkajs' own affair. */
const isHarmless = (apiName: string): boolean => apiName === 'ApiVersions'

const broken = (lost: Lost, apiName: string): Error => {
  lost.set(apiName, (lost.get(apiName) ?? 0) + 1)
  const error = new Error(`the network has lost a message of ${apiName}`)
  error.name = 'KafkaJSConnectionError'
  return error
}

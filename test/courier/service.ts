import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ExecutionContext } from 'ava'

/** A command as a service gets it. */
export type Asked = {
  readonly id: string
  readonly type: string
  readonly subject: string
  readonly attempt: string
  readonly headers: IncomingMessage['headers']
  readonly body: Record<string, unknown>
}

export type Reply = {
  readonly status?: number
  readonly type?: string
  readonly headers?: Record<string, string>
  readonly body?: unknown
  /** As it is, in the place of a body. */
  readonly text?: string
  /** The connection is closed without an answer. */
  readonly broken?: true
}

export type Service = {
  readonly url: string
  readonly asked: Asked[]
  /** Calls at a time, at most so far. */
  readonly most: () => number
  readonly close: () => Promise<void>
}

/** A service over HTTP, answering as the test says. */
export const serve = async (
  t: ExecutionContext,
  answer: (asked: Asked, count: number) => Reply | Promise<Reply>,
  port = 0
): Promise<Service> => {
  const asked: Asked[] = []
  let [underWay, most] = [0, 0]
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    most = Math.max(most, ++underWay)
    const command = await commandOf(request)
    asked.push(command)
    const count = asked.filter(({ id }) => id === command.id).length
    const { status = 200, type, headers = {}, body = {}, text, broken } = await answer(command, count)
    underWay--
    if (broken === true) return void response.destroy()
    response.writeHead(status, { ...headers, ...(type === undefined ? {} : { 'ce-type': type }) })
    response.end(text ?? JSON.stringify(body))
  }
  const server = createServer((request, response) => void handle(request, response))
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const close = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  t.teardown(close)
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/commands`, asked, most: () => most, close }
}

const commandOf = async (request: IncomingMessage): Promise<Asked> => {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  const { headers } = request
  const of = (name: string): string => decodeURIComponent(String(headers[name]))
  return {
    ...{ id: of('ce-id'), type: of('ce-type'), subject: of('ce-subject'), attempt: of('ce-attempt'), headers },
    body: JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>
  }
}

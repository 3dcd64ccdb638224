import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type AddressInfo } from 'node:net'

/** What a test has the double do with a request instead of answering it. */
export type Fault =
  | { readonly status: number; readonly body: unknown; readonly type?: string }
  /** Says nothing; answers half and closes; closes without an answer. */
  | 'silence'
  | 'half'
  | 'reset'

export type Asked = { readonly method: string; readonly path: string; readonly authorization: string | undefined }

export type ConfluentDouble = {
  readonly url: string
  /** Every request, oldest first, as `GET /subjects/s/versions/latest`, without base path and query. */
  readonly asked: string[]
  /** The level of each subject that has one. */
  readonly levels: Map<string, string>
  /** The level of all subjects that have none. */
  globalLevel: string
  /** The user and password that have to come with each request, `user:password`. */
  password: string | undefined
  /** Decides for each request whether something goes wrong with it. */
  fault: (asked: Asked) => Fault | undefined | Promise<Fault | undefined>
  /** As if somebody had deleted the version. */
  readonly forget: (subject: string, version: number) => void
  readonly close: () => Promise<void>
}

type Answer = { readonly status: number; readonly body: unknown }
type Stored = { readonly id: number; readonly version: number; readonly text: string; isDeleted: boolean }

/**
 * A registry that answers as Confluent's API reference says, where that differs from Apicurio: a subject without a
 * level of its own has none (404, 40408), and every no is JSON with `error_code` and `message`. It judges nothing: any
 * schema is compatible.
 */
export const startConfluentDouble = async (basePath = ''): Promise<ConfluentDouble> => {
  const { answer, levels, forget } = store()
  const server = createServer((request, response) => void serve(request, response))
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url!.slice(basePath.length).split('?')[0]!
    const asked = { method: request.method!, path, authorization: request.headers.authorization }
    double.asked.push(`${asked.method} ${decodeURIComponent(path)}`)
    const chunks: Buffer[] = await request.toArray()
    const wrong = (await double.fault(asked)) ?? unauthorized(double.password, asked)
    if (wrong === undefined && request.url!.startsWith(`${basePath}/`))
      send(response, answer(asked, Buffer.concat(chunks).toString(), inherited(request.url!)))
    else fail(response, wrong ?? { status: 404, body: '<h1>not here</h1>', type: 'text/html' })
  }
  const inherited = (url: string): string | undefined =>
    url.endsWith('?defaultToGlobal=true') ? double.globalLevel : undefined
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const double: ConfluentDouble = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${basePath}`,
    ...{ asked: [], levels, globalLevel: 'BACKWARD', password: undefined, fault: () => undefined, forget },
    close: async () => {
      server.closeAllConnections()
      await new Promise((closed) => server.close(closed))
    }
  }
  return double
}

const unauthorized = (password: string | undefined, { authorization }: Asked): Fault | undefined =>
  password === undefined || authorization === `Basic ${Buffer.from(password).toString('base64')}`
    ? undefined
    : { status: 401, body: { error_code: 401, message: 'Unauthorized' } }

const send = (response: ServerResponse, { status, body }: Answer, type = 'application/vnd.schemaregistry.v1+json') =>
  response.writeHead(status, { 'content-type': type }).end(typeof body === 'string' ? body : JSON.stringify(body))

const fail = (response: ServerResponse, fault: Fault): void => {
  if (typeof fault === 'object') send(response, fault, fault.type)
  else if (fault === 'reset') response.destroy()
  else if (fault === 'half') {
    response.writeHead(200, { 'content-length': '1000' })
    response.write('{"id":', () => response.destroy())
  }
}

const no = (code: number, message: string): Answer => ({
  status: Math.trunc(code / 100),
  body: { error_code: code, message }
})

const store = () => {
  const subjects = new Map<string, Stored[]>()
  const ids = new Map<string, number>()
  const levels = new Map<string, string>()
  const standing = (subject: string): Stored[] => (subjects.get(subject) ?? []).filter(({ isDeleted }) => !isDeleted)
  const shown = (subject: string, { id, version, text }: Stored): Answer => ({
    status: 200,
    body: { subject, id, version, schema: text }
  })
  const add = (subject: string, text: string): Answer => {
    const all = subjects.get(subject) ?? []
    const known = standing(subject).find((stored) => stored.text === text)
    const id = known?.id ?? ids.get(text) ?? ids.size + 100_001
    ids.set(text, id)
    if (known === undefined) subjects.set(subject, [...all, { id, version: all.length + 1, text, isDeleted: false }])
    return { status: 200, body: { id } }
  }
  const found = (subject: string, stored: Stored | undefined, code: number): Answer => {
    if (stored !== undefined) return shown(subject, stored)
    return standing(subject).length === 0 ? no(40401, `Subject '${subject}' not found.`) : no(code, 'Not found.')
  }
  const withId = (id: number): Answer => {
    const text = [...ids].find(([, given]) => given === id)?.[0]
    return text === undefined ? no(40403, `Schema ${id} not found`) : { status: 200, body: { schema: text } }
  }
  const level = (subject: string, inherited: string | undefined): Answer => {
    const message = `Subject '${subject}' does not have subject-level compatibility configured`
    const compatibilityLevel = levels.get(subject) ?? inherited
    return compatibilityLevel === undefined ? no(40408, message) : { status: 200, body: { compatibilityLevel } }
  }
  const version = (subject: string, number: string): Answer => {
    const all = standing(subject)
    return found(subject, number === 'latest' ? all.at(-1) : all.find((it) => it.version === Number(number)), 40402)
  }
  const lookUp = (subject: string, text: string): Answer => {
    const stored = standing(subject).find((it) => it.text === text)
    return found(subject, stored, 40403)
  }
  const setLevel = (subject: string, compatibility: string): Answer => {
    levels.set(subject, compatibility)
    return { status: 200, body: { compatibility } }
  }
  type Handle = (names: string[], body: Record<string, string>, inherited: string | undefined) => Answer
  const routes: [RegExp, Handle][] = [
    [/^GET \/subjects$/, () => ({ status: 200, body: [...subjects.keys()] })],
    [/^GET \/schemas\/ids\/([^/]+)$/, ([id]) => withId(Number(id))],
    [/^GET \/subjects\/([^/]+)\/versions\/([^/]+)$/, ([subject, number]) => version(subject!, number!)],
    [/^POST \/subjects\/([^/]+)$/, ([subject], { schema }) => lookUp(subject!, schema!)],
    [/^POST \/subjects\/([^/]+)\/versions$/, ([subject], { schema }) => add(subject!, schema!)],
    [/^POST \/compatibility\/subjects\/.*$/, () => ({ status: 200, body: { is_compatible: true } })],
    [/^GET \/config\/$/, (_, __, inherited) => level('', inherited)],
    [/^GET \/config\/([^/]+)$/, ([subject], _, inherited) => level(subject!, inherited)],
    [/^PUT \/config\/([^/]+)$/, ([subject], { compatibility }) => setLevel(subject!, compatibility!)]
  ]
  const answer = ({ method, path }: Asked, body: string, inherited: string | undefined): Answer => {
    for (const [pattern, handle] of routes) {
      const match = pattern.exec(`${method} ${path}`)
      if (match !== null) return handle(match.slice(1).map(decodeURIComponent), JSON.parse(body || '{}'), inherited)
    }
    return no(40400, 'HTTP 404 Not Found')
  }
  const forget = (subject: string, version: number): void => {
    for (const stored of subjects.get(subject) ?? []) if (stored.version === version) stored.isDeleted = true
  }
  return { answer, levels, forget }
}

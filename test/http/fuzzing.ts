import { seededRandom } from '../../src/base/index.ts'

/** Requests made of the OpenAPI document: right ones, and such as are wrong in all the ways that its schemas know. */

type Schema = {
  readonly type?: string | readonly string[]
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly maxItems?: number
}
type Parameter = { readonly name: string; readonly in: string; readonly required?: boolean; readonly schema: Schema }
type Body = { readonly schema: Schema; readonly example?: unknown }
type Operation = {
  readonly parameters?: readonly Parameter[]
  readonly requestBody?: { readonly content: Readonly<Record<string, Body>> }
  readonly responses: Readonly<Record<string, unknown>>
}
export type Document = { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> }

export type FuzzRequest = {
  readonly method: string
  readonly path: string
  /** As they are sent, also twice or with bytes that no client would send. */
  readonly headers: readonly string[]
  readonly body: Buffer | undefined
  /** What the document lets it be answered with; undefined for what the document does not have. */
  readonly statuses: ReadonlySet<number> | undefined
}

/** Ids and names that are really there, by the name of the parameter or member. */
export type Known = Readonly<Record<string, readonly string[]>>

export class Fuzzer {
  readonly #random: () => number
  readonly #operations: readonly { readonly method: string; readonly path: string; readonly operation: Operation }[]
  readonly #known: Known

  constructor(document: Document, seed: string, known: Known) {
    this.#random = seededRandom(seed)
    this.#known = known
    this.#operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ method: method.toUpperCase(), path, operation }))
    )
  }

  next(): FuzzRequest {
    const { method, path, operation } = this.#oneOf(this.#operations)
    const parameters = operation.parameters ?? []
    const of = (place: string): readonly Parameter[] => parameters.filter((parameter) => parameter.in === place)
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => {
      const schema = of('path').find((parameter) => parameter.name === name)?.schema ?? {}
      return encoded(this.#text(name, schema), this.#chance(0.9))
    })
    const query = of('query').filter(() => this.#chance(0.4))
    const strange = this.#chance(0.05) ? [encoded(this.#evilText(), true)] : []
    const pairs = [...query.map(({ name, schema }) => `${name}=${encoded(this.#text(name, schema), true)}`), ...strange]
    const body = operation.requestBody === undefined ? undefined : this.#body(operation.requestBody.content)
    const isStray = this.#chance(0.04)
    return {
      method: isStray ? this.#oneOf(['PUT', 'POST', 'GET', 'DELETE', 'PATCH', 'QUERY', 'OPTIONS']) : method,
      path: this.#path(pairs.length === 0 ? filled : `${filled}?${pairs.join('&')}`),
      headers: this.#headers(of('header'), body !== undefined),
      body,
      statuses: isStray ? undefined : new Set(Object.keys(operation.responses).map(Number))
    }
  }

  #path(path: string): string {
    if (this.#chance(0.98)) return path
    return this.#oneOf([
      `${path}/`,
      `/${path}`,
      path.slice(0, -1),
      `${path}%`,
      `${path}%00`,
      '/docs/static/%2e%2e/x',
      '*'
    ])
  }

  #headers(parameters: readonly Parameter[], hasBody: boolean): string[] {
    const lines = ['Host: localhost', 'Connection: close']
    if (hasBody) lines.push(`Content-Type: ${this.#chance(0.95) ? 'application/json' : this.#oneOf(contentTypes)}`)
    for (const { name, schema } of parameters)
      if (this.#chance(0.3)) lines.push(`${name}: ${printable(this.#text(name, schema))}`)
    if (this.#chance(0.06)) lines.push(this.#oneOf(strangeHeaders))
    return lines
  }

  #body(content: Readonly<Record<string, Body>>): Buffer {
    const { schema, example } = content['application/json']!
    const isRight = example !== undefined && this.#chance(0.6)
    const changed = (): unknown => (this.#chance(0.2) ? example : this.#changed(structuredClone(example)))
    const value = isRight ? changed() : this.#value('', schema, 0)
    const text = Buffer.from(this.#chance(0.97) ? JSON.stringify(value) : this.#oneOf(strangeBodies))
    if (this.#chance(0.02)) text[Math.floor(this.#random() * text.length)] = 0xff
    return this.#chance(0.02) ? text.subarray(0, text.length / 2) : text
  }

  /** One place of it, at any depth, is put out of order. */
  #changed(value: unknown): unknown {
    if (typeof value !== 'object' || value === null || this.#chance(0.2)) return this.#evil()
    const members = value as Record<string, unknown>
    const name = this.#oneOf(Object.keys(members))
    const draw = this.#random()
    if (draw < 0.1) delete members[name]
    else if (draw < 0.2) members[this.#evilText()] = this.#evil()
    else members[name] = this.#changed(members[name])
    return members
  }

  #value(name: string, schema: Schema, depth: number): unknown {
    if (this.#chance(0.04)) return this.#evil()
    const type = this.#oneOf([schema.type ?? 'string'].flat())
    if (type === 'object') return this.#object(schema, depth)
    return type === 'array' ? this.#list(name, schema, depth) : this.#scalar(name, type, schema)
  }

  #list(name: string, { maxItems = 4, items = {} }: Schema, depth: number): unknown[] {
    const length = this.#oneOf([0, 1, 2, 3, maxItems, maxItems + 1])
    return Array.from({ length }, () => this.#value(name, items, depth + 1))
  }

  #scalar(name: string, type: string, schema: Schema): unknown {
    if (type === 'integer' || type === 'number') return this.#number(schema)
    if (type === 'boolean') return this.#chance(0.5)
    return type === 'null' ? null : this.#text(name, schema)
  }

  #object({ properties = {} }: Schema, depth: number): object {
    const entries = Object.entries(properties).filter(() => this.#chance(0.97))
    return Object.fromEntries(entries.map(([name, schema]) => [name, this.#value(name, schema, depth + 1)]))
  }

  #number({ minimum = 0, maximum = 1e6 }: Schema): number {
    const between = minimum + Math.floor(this.#random() * (maximum - minimum))
    return this.#oneOf([between, between, between, minimum, maximum, minimum - 1, maximum + 1, between + 0.5, -0])
  }

  /** For a parameter or a member: of those that are there, by its schema, or anything. */
  #text(name: string, schema: Schema): string {
    const known = this.#known[name]
    if (known !== undefined && this.#chance(0.7)) return this.#oneOf(known)
    if (schema.enum !== undefined && this.#chance(0.8)) return String(this.#oneOf(schema.enum))
    if (schema.type === 'integer' && this.#chance(0.8)) return String(this.#number(schema))
    const { maxLength = 40 } = schema
    if (this.#chance(0.4)) return this.#evilText()
    const length = this.#oneOf([1, 8, 8, maxLength - 1, maxLength, maxLength + 1])
    return Array.from({ length }, () => this.#oneOf(letters)).join('')
  }

  #evil(): unknown {
    return this.#chance(0.5) ? this.#evilText() : structuredClone(this.#oneOf(evilValues))
  }

  #evilText(): string {
    return this.#oneOf(evilTexts)
  }

  #oneOf<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!
  }

  #chance(share: number): boolean {
    return this.#random() < share
  }
}

const letters = 'abcdefghijklmnopqrstuvwxyzABCXYZ0123456789._-'.split('')

/** As a part of a path or query; half a surrogate pair as nobody should send it. */
const encoded = (text: string, isEncoded: boolean): string =>
  isEncoded ? encodeURIComponent(text.toWellFormed()) : text.replaceAll(/[^!-~]|[?#]/g, '')

const printable = (text: string): string => text.replaceAll(/[^ -~]/g, '?').slice(0, 4_000)

const contentTypes = [
  '',
  'text/plain',
  'application/json; charset=utf-16',
  'text/plain; application/json',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'x'.repeat(500)
]

const strangeHeaders = [
  'Host: elsewhere',
  'Content-Encoding: gzip',
  'Expect: tea',
  'Accept: ,;q=x,*/*;q=0',
  `Accept: ${'a/b,'.repeat(2_000)}`,
  'X-Http-Method-Override: DELETE',
  `Cookie: ${'x'.repeat(8_000)}`,
  `X: ${'x'.repeat(20_000)}`,
  'Upgrade: websocket',
  'Range: bytes=0-1,5-9',
  'If-None-Match: *',
  'Idempotency-Key: same',
  `Parcomolo-Position: ${'order-events/0@0,'.repeat(200)}order-events/0@0`,
  'Parcomolo-Position: order-events/0@999999999999999'
]

const strangeBodies = [
  '',
  'null',
  '[]',
  '"text"',
  '{"__proto__":{"a":1}}',
  '{"constructor":{"prototype":{"a":1}}}',
  '\ufeff{}',
  '{"a":1,"a":2}',
  `{"lines":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
  `{"lines":[${'0,'.repeat(20_000)}0]}`,
  `{${Array.from({ length: 100 }, (_, i) => `"${'x'.repeat(500)}${i}":1`).join(',')}}`,
  `{"lines":[${Array.from({ length: 100 }, (_, i) => `{"sku":"${`nope${i}`.padEnd(64, 'x')}","quantity":1}`).join(',')}],` +
    '"customerId":"c","paymentToken":"t","shippingAddress":{"name":"a","street":"b","city":"c","postalCode":"d","country":"e"}}',
  `"${'x'.repeat(66_000)}"`,
  '{"n":1e999999}',
  '{"n":-0.0000000000000000000000000000000000001}'
]

const evilTexts = [
  '',
  ' ',
  '.',
  '..',
  '../../etc/passwd',
  'constructor',
  '__proto__',
  'toString',
  '\u0000',
  '\ud83d',
  '\u{1f600}',
  '\u202e',
  '\r\nX: y',
  '<script>alert(1)</script>',
  "'; DROP TABLE orders; --",
  '${7*7}',
  '%',
  'NaN',
  '-1',
  '1e309',
  '0x10',
  '10s',
  'x'.repeat(300),
  'x'.repeat(5_000),
  'sku-000'.padEnd(64, 'x')
]

const evilValues: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -1,
  1.5,
  2 ** 53,
  -(2 ** 63),
  1e308,
  [],
  {},
  [[[[[[[[]]]]]]]],
  { a: { a: { a: {} } } },
  Array.from({ length: 200 }, () => null),
  Array.from({ length: 101 }, () => ({ sku: 'book', quantity: 1 }))
]

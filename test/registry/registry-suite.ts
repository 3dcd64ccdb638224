import test from 'ava'
import type { AvroSchema, Registry } from '../../src/registry/index.ts'

/**
 * What an adapter's own tests give: a registry, the same one opened anew, and what a subject is to be called there, so
 * that nothing is registered under it yet.
 */
export type RegistryFactory = () => Promise<{
  readonly registry: Registry
  readonly reopen: () => Promise<Registry>
  readonly name: (subject: string) => string
}>

type Field = { readonly name: string; readonly type: unknown; readonly default?: unknown }

export const recordSchema = (name: string, ...fields: readonly Field[]): AvroSchema => ({
  type: 'record',
  name,
  namespace: 'shop',
  fields
})

const id: Field = { name: 'id', type: 'string' }
const note: Field = { name: 'note', type: 'string', default: '' }

/** The contract of the registry's port: every adapter passes it. */
export const testRegistry = (adapter: string, open: RegistryFactory): void => {
  const title: Title = (text) => `${adapter}: ${text}`
  testIds(title, open)
  testVersions(title, open)
  testRefusals(title, open)
  testEnums(title, open)
}

type Title = (text: string) => string

const testIds = (title: Title, open: RegistryFactory): void => {
  test(title('a schema is found by the id that its registration gave'), async (t) => {
    const { registry, name } = await open()
    const schema = recordSchema('Item', id)
    const given = await registry.register(name('stock-shop.Item'), schema)
    t.true(Number.isInteger(given) && given > 0 && given < 2 ** 32)
    t.deepEqual(await registry.schema(given), schema)
    await registry.close()
  })

  test(title('the same schema gives the same id, again and under another subject'), async (t) => {
    const { registry, name } = await open()
    const first = await registry.register(name('a-shop.Item'), recordSchema('Item', id))
    t.is(await registry.register(name('a-shop.Item'), recordSchema('Item', id)), first)
    t.is(await registry.register(name('b-shop.Item'), recordSchema('Item', id)), first)
    t.not(await registry.register(name('b-shop.Other'), recordSchema('Other', id)), first)
    t.is((await registry.versions(name('a-shop.Item'))).length, 1)
    await registry.close()
  })

  test(title('registrations at the same time give one id a schema'), async (t) => {
    const { registry, name } = await open()
    const items = Array.from({ length: 30 }, (_, i) => `Item${i % 10}`)
    const ids = await Promise.all(items.map((item, i) => registry.register(name(`s${i}`), recordSchema(item, id))))
    t.is(new Set(ids).size, 10)
    for (const [i, item] of items.entries()) t.is((await registry.schema(ids[i]!))['name'], item)
    await registry.close()
  })

  test(title('an unknown id is refused'), async (t) => {
    const { registry, name } = await open()
    await registry.register(name('s'), recordSchema('Item', id))
    for (const unknown of [0, -1, 2 ** 31 - 1, 1.5]) {
      const error = await t.throwsAsync(registry.schema(unknown))
      t.like(error, { code: 'PARCOMOLO_REGISTRY_UNKNOWN_ID' })
      t.true(error!.message.includes(`'${unknown}'`))
    }
    await registry.close()
  })

  test(title('what is no Avro is refused'), async (t) => {
    const { registry, name } = await open()
    const wrong = recordSchema('Item', { name: 'n', type: 'Nowhere' })
    await t.throwsAsync(registry.check(name('s'), wrong), { code: 'PARCOMOLO_REGISTRY_INVALID_SCHEMA' })
    await t.throwsAsync(registry.register(name('s'), wrong), { code: 'PARCOMOLO_REGISTRY_INVALID_SCHEMA' })
    t.deepEqual(await registry.versions(name('s')), [])
    await registry.close()
  })
}

const testVersions = (title: Title, open: RegistryFactory): void => {
  test(title('a subject has its versions, oldest first, and an unknown one has none'), async (t) => {
    const { registry, name } = await open()
    const [first, second] = [recordSchema('Item', id), recordSchema('Item', id, note)]
    const ids = [await registry.register(name('s'), first), await registry.register(name('s'), second)]
    t.not(ids[0], ids[1])
    t.deepEqual(await registry.versions(name('s')), [
      { id: ids[0]!, schema: first },
      { id: ids[1]!, schema: second }
    ])
    t.deepEqual(await registry.versions(name('t')), [])
    await registry.close()
  })

  test(title('a version that reads the latest is taken: fields gone, with default, widened'), async (t) => {
    const { registry, name } = await open()
    await registry.register(name('s'), recordSchema('Item', id, { name: 'n', type: 'int' }))
    await registry.register(name('s'), recordSchema('Item', id, { name: 'n', type: 'long' }))
    await registry.register(name('s'), recordSchema('Item', id, { name: 'n', type: ['null', 'long'] }))
    await registry.register(name('s'), recordSchema('Item', id))
    await registry.register(name('s'), recordSchema('Item', id, note))
    t.is((await registry.versions(name('s'))).length, 5)
    await registry.close()
  })

  test(title('all is there after it was opened anew, and numbering goes on'), async (t) => {
    const { registry, reopen, name } = await open()
    const first = await registry.register(name('s'), recordSchema('Item', id))
    const second = await registry.register(name('s'), recordSchema('Item', id, note))
    await registry.close()
    const again = await reopen()
    t.deepEqual(await again.schema(first), recordSchema('Item', id))
    t.is(await again.register(name('s'), recordSchema('Item', id, note)), second)
    t.false([first, second].includes(await again.register(name('t'), recordSchema('Other', id))))
    await t.throwsAsync(again.register(name('s'), recordSchema('Item', { name: 'id', type: 'int' })), {
      code: 'PARCOMOLO_REGISTRY_INCOMPATIBLE'
    })
    await again.close()
  })
}

const testRefusals = (title: Title, open: RegistryFactory): void => {
  test(title('a check of what would be taken writes nothing, and takes what is there'), async (t) => {
    const { registry, name } = await open()
    await registry.check(name('s'), recordSchema('Item', id))
    t.deepEqual(await registry.versions(name('s')), [])
    await registry.register(name('s'), recordSchema('Item', id, { name: 'n', type: 'string' }))
    await registry.register(name('s'), recordSchema('Item', id))
    const number = recordSchema('Item', id, { name: 'n', type: 'int', default: 0 })
    await registry.check(name('s'), number)
    t.is((await registry.versions(name('s'))).length, 2)
    await registry.register(name('s'), number)
    await registry.check(name('s'), recordSchema('Item', id, { name: 'n', type: 'string' }))
    t.is((await registry.versions(name('s'))).length, 3)
    await registry.close()
  })

  test(title('only the latest version counts'), async (t) => {
    const { registry, name } = await open()
    const text = recordSchema('Item', id, { name: 'n', type: 'string' })
    const number = recordSchema('Item', id, { name: 'n', type: 'int', default: 0 })
    for (const schema of [text, recordSchema('Item', id), number]) await registry.register(name('s'), schema)
    await registry.register(name('t'), recordSchema('Item', id))
    t.deepEqual(
      (await registry.versions(name('s'))).map(({ schema }) => schema),
      [text, recordSchema('Item', id), number]
    )
    const later = recordSchema('Item', id, { name: 'n', type: 'string', default: '' })
    await registry.register(name('t'), later)
    await t.throwsAsync(registry.register(name('t'), number), { code: 'PARCOMOLO_REGISTRY_INCOMPATIBLE' })
    await registry.close()
  })

  const refused = (what: string, from: AvroSchema, to: AvroSchema): void =>
    test(title(`${what} is refused with subject and reason, and nothing is written`), async (t) => {
      const { registry, name } = await open()
      const subject = name('stock-shop.Item')
      await registry.register(subject, from)
      for (const attempt of ['check', 'register'] as const) {
        const error = await t.throwsAsync(registry[attempt](subject, to))
        t.like(error, { code: 'PARCOMOLO_REGISTRY_INCOMPATIBLE', details: { subject } })
        t.true(error!.message.startsWith(`subject '${subject}' refuses the schema: `))
        t.regex(error!.message, / schema: .+; expected/)
      }
      t.is((await registry.versions(subject)).length, 1)
      await registry.close()
    })

  refused(
    'a field added without a default',
    recordSchema('Item', id),
    recordSchema('Item', id, { name: 'n', type: 'int' })
  )

  refused(
    'a field of another type',
    recordSchema('Item', { name: 'n', type: 'string' }),
    recordSchema('Item', { name: 'n', type: 'int' })
  )

  refused(
    'a narrowed number inside a record',
    recordSchema('Item', { name: 'in', type: recordSchema('In', { name: 'n', type: 'long' }) }),
    recordSchema('Item', { name: 'in', type: recordSchema('In', { name: 'n', type: 'int' }) })
  )
}

/** What is wrong with an enum is named, however deep it stands. */
const testEnums = (title: Title, open: RegistryFactory): void => {
  const withKind = (kinds: readonly string[], wrap: (kind: object) => unknown): AvroSchema =>
    recordSchema('Item', { name: 'k', type: wrap({ type: 'enum', name: 'Kind', symbols: kinds }) })
  const wraps: [string, (kind: object) => unknown][] = [
    ['of a field', (kind) => kind],
    ['in a union', (kind) => ['null', kind]],
    ['in an array', (kind) => ({ type: 'array', items: kind })],
    ['in a record of a map', (kind) => ({ type: 'map', values: recordSchema('In', { name: 'x', type: kind }) })]
  ]
  for (const [where, wrap] of wraps) {
    test(title(`a symbol that an enum ${where} has lost is named`), async (t) => {
      const { registry, name } = await open()
      await registry.register(name('s'), withKind(['A', 'B', 'C'], wrap))
      const message = /field 'k(\.x)?' changed: enum '.*Kind' has lost symbols 'B', 'C', which may have been written/
      await t.throwsAsync(registry.check(name('s'), withKind(['A'], wrap)), { message })
      await t.notThrowsAsync(registry.check(name('s'), withKind(['C', 'A', 'B', 'D'], wrap)))
      await registry.close()
    })
  }
}

import test from 'ava'
import type { ViewStore } from '../../src/view/index.ts'
import { databaseUrl, newSchema, openPostgres, whyNoDatabase } from './database.ts'
import { testReplicas } from './replicas.ts'
import { testViewStore } from './store-contract.ts'

if (databaseUrl === undefined) test.skip(`the view's store in PostgreSQL: ${whyNoDatabase}`, () => undefined)
else testPostgres(databaseUrl)

function testPostgres(url: string): void {
  testViewStore(test.serial, async (layout) => {
    const schema = await newSchema(url)
    return closingWith(await openPostgres(schema.url, { layout }), schema.drop)
  })
  const openShared = async () => {
    const schema = await newSchema(url)
    return { open: () => openPostgres(schema.url), close: schema.drop }
  }
  testReplicas(test.serial, openShared, ['1', '2', '3'])
}

const closingWith = (store: ViewStore, then: () => Promise<void>): ViewStore =>
  new Proxy(store, {
    get: (target, name) => {
      const member: unknown = Reflect.get(target, name)
      const call = typeof member === 'function' ? (member.bind(target) as () => Promise<void>) : undefined
      return name === 'close' ? async () => (await call!(), await then()) : (call ?? member)
    }
  })

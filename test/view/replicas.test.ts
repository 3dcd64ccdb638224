import test from 'ava'
import { openSqliteViewStore } from '../../src/view/sqlite/index.ts'
import { testReplicas } from './replicas.ts'
import { oneAtATime } from './shared-store.ts'
import { shopLayout } from '../helpers/shop-parts.ts'

// In one process a SQLite store can stand for the one that several share; store.postgres.test.ts has the real one.
testReplicas(test, async () => {
  const store = await openSqliteViewStore(':memory:', shopLayout)
  const shared = oneAtATime(store)
  return { open: async () => shared, close: () => store.close() }
}, ['1', '2', '3', '4', '5', '6'])

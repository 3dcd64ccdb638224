import test from 'ava'
import { buildProduct } from '../backlog/product.ts'
import { told } from '../backlog/report.ts'
import { missedCounts } from '../backlog/result.ts'
import { roleAway } from '../backlog/role-away.ts'

const isHere = process.env['KAFKA_BROKERS'] !== undefined && process.env['SCHEMA_REGISTRY_URL'] !== undefined

/** Counts hold on any machine; how long it took is only logged. `npm run backlog` is the long form. */
const plan = { orders: 20_000, warmupSeconds: 1, usualSeconds: 4, awaySeconds: 8, patienceSeconds: 60 }

if (!isHere) test.skip('backlogs: KAFKA_BROKERS and SCHEMA_REGISTRY_URL name none', () => undefined)
else testBacklogs()

function testBacklogs(): void {
  test.before(buildProduct)

  for (const role of ['orchestrator', 'inventory'] as const) {
    test.serial(
      `behind ${plan.orders} orders, ${role} comes back within its memory, and nothing is sent in vain`,
      async (t) => {
        t.timeout(300_000)
        await using resources = new AsyncDisposableStack()
        const result = await roleAway(resources, { ...plan, role })
        t.log(told(result))
        t.deepEqual(missedCounts(result), [])
      }
    )
  }
}

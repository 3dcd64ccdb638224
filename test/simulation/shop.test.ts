/**
 * The whole shop on one seed at a time. `SEEDS=500 npx ava test/simulation/shop.test.ts` runs more of them;
 * `SEED='a quiet cluster 7' npx ava test/simulation/shop.test.ts` runs one, and tells everything that happened in it.
 */
import test, { type ExecutionContext } from 'ava'
import { told } from '../helpers/auditor.ts'
import { plantedBugs } from './planted-bugs.ts'
import { scenarios } from './scenarios.ts'
import { readShopParts } from './shop-node.ts'
import { type Outcome, type Scenario, simulate } from './simulate.ts'

const parts = await readShopParts()
const onlySeed = process.env['SEED']
const seedCount = process.env['SEEDS']

const run = async (
  t: ExecutionContext,
  name: string,
  seed: string,
  scenario: Omit<Scenario, 'seed'>
): Promise<Outcome> => {
  const outcome = await simulate({ ...scenario, seed }, parts)
  if (seed === onlySeed) t.log(`\n${outcome.trace.join('\n')}`)
  t.is(
    told(outcome.violations),
    '',
    `${name}; to see what happened: SEED='${seed}' npx ava test/simulation/shop.test.ts`
  )
  return outcome
}

for (const [name, [usual, scenario, expected]] of Object.entries(scenarios)) {
  test(`nothing is lost, nothing is done twice, and everything ends in ${name}`, async (t) => {
    t.timeout(600_000)
    const seeds = Array.from({ length: Number(seedCount ?? usual) }, (_, i) => `${name} ${i}`)
    const wanted = onlySeed === undefined ? seeds : [onlySeed].filter((seed) => seed.replace(/ \d+$/, '') === name)
    const sums = new Map<string, number>()
    for (const seed of wanted) {
      const { counts } = await run(t, name, seed, scenario)
      for (const [what, count] of Object.entries(counts)) sums.set(what, (sums.get(what) ?? 0) + count)
    }
    t.is(sums.get('acknowledged') ?? 0, wanted.length * scenario.orders)
    if (onlySeed === undefined) for (const what of expected) t.true(sums.get(what)! > 0, `'${what}' has never happened`)
  })
}

if (onlySeed === undefined) {
  test('the same seed gives the same run of the whole shop', async (t) => {
    const scenario = { ...scenarios['a cluster in which everything fails']![1], seed: 'twice' }
    const [first, second] = [await simulate(scenario, parts), await simulate(scenario, parts)]
    t.true(first.trace.length > 500)
    t.deepEqual(second.trace, first.trace)
  })

  for (const [bug, scenario] of Object.entries(plantedBugs)) {
    test(`a run finds ${bug}`, async (t) => {
      for (let i = 0; i < 20; i++) {
        const { violations } = await simulate({ ...scenario, seed: `${bug} ${i}` }, parts)
        const found = told(violations)
          .split('\n')
          .find((line) => line !== '' && (scenario.finds === undefined || scenario.finds.test(line)))
        if (found === undefined) continue
        t.log(`on seed ${i}: ${found}`)
        return t.pass()
      }
      return t.fail('none of 20 seeds has found it')
    })
  }
}

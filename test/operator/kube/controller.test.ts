import test from 'ava'
import { Controller, type Result } from '../../../src/operator/kube/controller.ts'
import { ParcomoloError } from '../../../src/base/index.ts'
import { VirtualTime } from '../../helpers/virtual-time.ts'

const setUp = (
  title: string,
  reconcile: (key: string, signal: AbortSignal) => Promise<Result>,
  keys: () => string[] = () => []
) => {
  const time = new VirtualTime(title)
  const errors: string[] = []
  const controller = new Controller({
    name: 'test',
    reconcile,
    keys,
    clock: { now: () => time.now(), at: (at, call) => time.after(at - time.now(), call) },
    random: () => 0.5,
    onError: (error, key) => void errors.push(`${key}: ${String(error)}`),
    workers: 2
  })
  return { time, controller, errors }
}

test('all keys are reconciled at the start, and each that is enqueued', async (t) => {
  const seen: string[] = []
  const reconcile = async (key: string): Promise<Result> => (seen.push(key), {})
  const { time, controller } = setUp(t.title, reconcile, () => ['a', 'b'])
  controller.enqueue('c')
  controller.start()
  await time.pass(0)
  t.deepEqual(seen, ['c', 'a', 'b'])
  controller.enqueue('a')
  await time.pass(0)
  t.deepEqual(seen, ['c', 'a', 'b', 'a'])
  await controller.stop()
})

test('a key that has changed while it was reconciled is reconciled once more, never twice at once', async (t) => {
  const work: PromiseWithResolvers<Result>[] = []
  const { time, controller } = setUp(t.title, () => {
    work.push(Promise.withResolvers<Result>())
    return work.at(-1)!.promise
  })
  controller.start()
  controller.enqueue('a')
  await time.pass(0)
  for (let i = 0; i < 3; i++) controller.enqueue('a')
  await time.pass(0)
  t.is(work.length, 1)
  work[0]!.resolve({})
  await time.pass(0)
  t.is(work.length, 2)
  work[1]!.resolve({})
  await time.pass(60_000)
  t.is(work.length, 2)
  await controller.stop()
})

test('what fails is reported and comes again, later each time; success makes it fast again', async (t) => {
  const at: number[] = []
  let failing = 4
  const { time, controller, errors } = setUp(t.title, async () => {
    at.push(time.now())
    if (failing-- > 0) throw new TypeError('broken')
    return {}
  })
  const start = time.now()
  controller.start()
  controller.enqueue('a')
  await time.pass(60_000)
  t.deepEqual(
    at.map((ms) => ms - start),
    [0, 200, 600, 1_400, 3_000]
  )
  t.deepEqual(
    errors,
    Array.from({ length: 4 }, () => 'a: TypeError: broken')
  )
  failing = 1
  controller.enqueue('a')
  await time.pass(1_000)
  t.deepEqual(
    at.slice(5).map((ms) => ms - start),
    [60_000, 60_200]
  )
  await controller.stop()
})

test('what somebody else has changed or deleted is looked at again, and nobody hears of it', async (t) => {
  for (const status of [409, 404]) {
    let attempts = 0
    const faster = new ParcomoloError('PARCOMOLO_OPERATOR_API_REFUSED', 'changed', { details: { status } })
    const { time, controller, errors } = setUp(t.title, async () => {
      if (attempts++ === 0) throw faster
      return {}
    })
    controller.start()
    controller.enqueue('a')
    await time.pass(1_000)
    t.is(attempts, 2)
    t.deepEqual(errors, [])
    await controller.stop()
  }
})

test('a terminal error is reported and does not come again until something changes', async (t) => {
  let attempts = 0
  const { time, controller, errors } = setUp(t.title, async () => (attempts++, { terminal: new TypeError('for good') }))
  controller.start()
  controller.enqueue('a')
  await time.pass(60_000)
  t.is(attempts, 1)
  t.deepEqual(errors, ['a: TypeError: for good'])
  t.is(controller.stats.results.terminal, 1)
  await controller.stop()
})

test('a key that asks for it comes again after its time', async (t) => {
  let attempts = 0
  const { time, controller } = setUp(t.title, async () => (attempts++, { requeueAfterMs: 1_000 }))
  controller.start()
  controller.enqueue('a')
  await time.pass(10_500)
  t.is(attempts, 11)
  await controller.stop()
})

test('every key comes again within eleven minutes, not all at once', async (t) => {
  const at: number[] = []
  let draws = 0
  const time = new VirtualTime(t.title)
  const controller = new Controller({
    name: 'test',
    reconcile: async () => (at.push(time.now()), {}),
    keys: () => ['a', 'b', 'c'],
    clock: { now: () => time.now(), at: (ms, call) => time.after(ms - time.now(), call) },
    random: () => (draws++ % 3) / 3,
    onError: (error) => void t.fail(String(error)),
    workers: 4
  })
  const start = time.now()
  controller.start()
  await time.pass(660_000)
  t.deepEqual(
    at.slice(3).map((ms) => ms - start),
    [600_000, 620_000, 640_000]
  )
  await controller.stop()
})

test('to stop ends what is under way, waits for it, and begins nothing more', async (t) => {
  const seen: string[] = []
  const { time, controller, errors } = setUp(t.title, async (key, signal) => {
    seen.push(key)
    await new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('ended')))
    })
    return {}
  })
  controller.start()
  for (const key of ['a', 'b', 'c']) controller.enqueue(key)
  await time.pass(0)
  await controller.stop()
  controller.enqueue('d')
  await time.pass(60_000)
  t.deepEqual(seen, ['a', 'b'])
  t.deepEqual(errors, [])
})

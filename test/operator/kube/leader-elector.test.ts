import test from 'ava'
import { LeaderElector } from '../../../src/operator/kube/leader-elector.ts'
import { SimulatedProcess } from '../../helpers/simulated-process.ts'
import { VirtualTime } from '../../helpers/virtual-time.ts'
import { LeaseServer } from './lease-server.ts'

type Candidate = { process: SimulatedProcess; elector: LeaderElector; errors: unknown[]; isLost: boolean }

const setUp = (seed: string) => {
  const time = new VirtualTime(seed)
  const server = new LeaseServer(time)
  const candidate = (name: string): Candidate => {
    const process = new SimulatedProcess(name, time)
    const errors: unknown[] = []
    const elector = new LeaderElector({
      leases: server.storeOf(process),
      identity: name,
      clock: process.clock,
      random: time.random,
      onError: (error) => void errors.push(error)
    })
    const found = { process, elector, errors, isLost: false }
    void elector.lost.then(() => (found.isLost = true))
    elector.start()
    return found
  }
  return { time, server, candidate }
}

const leads = ({ process, elector }: Candidate): boolean => process.isAlive && !process.isPaused && elector.isLeader

test('the first one leads, goes on leading, and the others wait', async (t) => {
  const { time, server, candidate } = setUp(t.title)
  const a = candidate('a')
  t.true(await time.run(() => leads(a), Infinity, 100))
  const [b, c] = [candidate('b'), candidate('c')]
  await time.pass(3_600_000)
  t.deepEqual([a, b, c].map(leads), [true, false, false])
  t.like(server.lease!.spec, { holderIdentity: 'a', leaseTransitions: 0, leaseDurationSeconds: 15 })
  t.regex(server.lease!.spec.renewTime!, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
  t.deepEqual([...a.errors, ...b.errors, ...c.errors], [])
})

test('of many who begin together, one leads', async (t) => {
  const { time, candidate } = setUp(t.title)
  const all = ['a', 'b', 'c', 'd', 'e'].map(candidate)
  await time.pass(10_000)
  t.is(all.filter(leads).length, 1)
})

test('when the leader dies another one leads after the lease has expired, and not before', async (t) => {
  const { time, candidate } = setUp(t.title)
  const a = candidate('a')
  await time.run(() => leads(a), Infinity, 100)
  const b = candidate('b')
  await time.pass(60_000)
  const diedAt = time.now()
  a.process.crash()
  await time.run(() => leads(b), diedAt + 60_000)
  const afterMs = time.now() - diedAt
  t.true(afterMs > 12_000 && afterMs < 19_000, `${afterMs} ms`)
})

test('a leader that stops gives the lease away, and the next one leads at its next look', async (t) => {
  const { time, server, candidate } = setUp(t.title)
  const a = candidate('a')
  await time.run(() => leads(a), Infinity, 100)
  const b = candidate('b')
  await time.pass(60_000)
  const stopped = a.elector.stop()
  const stoppedAt = time.now()
  t.true(await time.run(() => leads(b), stoppedAt + 5_000))
  await stopped
  t.false(a.isLost)
  t.is(server.lease!.spec.leaseTransitions, 1)
})

test('a lease that was taken while it was stopped is given away all the same', async (t) => {
  const { time, server, candidate } = setUp(t.title)
  const a = candidate('a')
  await time.run(() => server.lease !== undefined, Infinity, 100)
  t.false(a.elector.isLeader)
  const stopped = a.elector.stop()
  await time.pass(2_000)
  await stopped
  t.is(server.lease!.spec.holderIdentity, '')
})

test('a leader that reaches the API server no more says so after ten seconds, before others may lead', async (t) => {
  const { time, server, candidate } = setUp(t.title)
  const a = candidate('a')
  await time.run(() => leads(a), Infinity, 100)
  await time.pass(60_000)
  server.lossProbability = 1
  const lostFrom = time.now()
  t.true(await time.run(() => a.isLost, lostFrom + 60_000))
  const afterMs = time.now() - lostFrom
  t.true(afterMs > 7_000 && afterMs <= 10_000, `${afterMs} ms`)
  t.regex((await a.elector.lost).message, /^'a' does not lead any more: the lease could not be renewed for 10000 ms;/)
})

test('a leader whose lease somebody else has been given is told at once', async (t) => {
  const { time, server, candidate } = setUp(t.title)
  const a = candidate('a')
  await time.run(() => leads(a), Infinity, 100)
  const { metadata, spec } = server.lease!
  server.lease = { metadata: { ...metadata, resourceVersion: 'other' }, spec: { ...spec, holderIdentity: 'person' } }
  const takenAt = time.now()
  t.true(await time.run(() => a.isLost, takenAt + 3_000))
  t.regex((await a.elector.lost).message, /the lease is held by 'person'/)
})

test('a lease that somebody has merely touched stays with its leader', async (t) => {
  const { time, server, candidate } = setUp(t.title)
  const a = candidate('a')
  await time.run(() => leads(a), Infinity, 100)
  for (let i = 0; i < 200; i++) {
    await time.pass(time.between(1, 2_000))
    const { metadata, spec } = server.lease!
    server.lease = { metadata: { ...metadata, resourceVersion: `touched ${i}` }, spec }
  }
  t.true(leads(a))
  t.deepEqual(a.errors, [])
})

test('a leader that has stood still knows that it does not lead before it does anything', async (t) => {
  const { time, candidate } = setUp(t.title)
  const a = candidate('a')
  await time.run(() => leads(a), Infinity, 100)
  const b = candidate('b')
  await time.pass(60_000)
  a.process.pause(30_000)
  await time.pass(30_000)
  t.true(leads(b))
  t.false(a.elector.isLeader)
  await time.pass(3_000)
  t.true(a.isLost)
})

test('whosever clock jumps, by hours and in whichever direction, the same one leads', async (t) => {
  const { time, server, candidate } = setUp(t.title)
  const a = candidate('a')
  await time.run(() => leads(a), Infinity, 100)
  const b = candidate('b')
  await time.pass(60_000)
  for (const offsetMs of [3_600_000, 0, -3_600_000, 0]) {
    for (const { machine } of [a.process, b.process]) {
      time.setWall(machine, offsetMs)
      await time.pass(30_000)
      t.deepEqual([a, b].map(leads), [true, false])
    }
  }
  t.is(server.lease!.spec.leaseTransitions, 0)
  t.false(a.isLost)
})

test('whatever is lost, slow, paused or killed, two never lead at once, and in the end one does', async (t) => {
  for (let seed = 0; seed < 40; seed++) {
    const { time, server, candidate } = setUp(`${t.title} ${seed}`)
    const all: Candidate[] = ['a', 'b', 'c'].map(candidate)
    let turns = 0
    const step = async (): Promise<void> => {
      await time.pass(time.between(10, 4_000))
      server.lossProbability = time.pick([0, 0, 0.1, 0.5, 1])
      const victim = time.pick(all)
      if (time.chance(0.1)) victim.process.pause(time.between(1_000, 40_000))
      if (time.chance(0.03)) victim.process.crash()
      for (const [at, { process, isLost }] of all.entries())
        if (!process.isAlive || isLost) all[at] = candidate(`${at} of turn ${turns}`)
      const leading = all.filter(leads).map(({ process }) => process.name)
      if (leading.length > 1) t.fail(`seed ${seed}: ${leading.join(' and ')} lead at once`)
    }
    for (; turns < 60; turns++) await step()
    server.lossProbability = 0
    t.true(await time.run(() => all.filter(leads).length === 1, time.now() + 120_000), `seed ${seed}: nobody leads`)
  }
})

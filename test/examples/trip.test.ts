import { execFileSync } from 'node:child_process'
import test, { type ExecutionContext } from 'ava'
import { endOf, type Guide, guideOf, type Program } from './guide.ts'

const missing = ['go', 'python3'].filter((program) => {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`])
    return false
  } catch {
    return true
  }
})

const page = { path: 'examples/trip/README.md', ports: ['8080', '7001', '7002', '7003'], copied: 'examples/trip' }

const pause = (): Promise<void> => new Promise((resolve) => void setTimeout(resolve, 20))

type Trip = Guide & {
  readonly hotel: { program: Program }
  ask(tripId: string, more?: object): Promise<void>
  mood(mood: string): Promise<void>
  startHotel(): Promise<void>
}

const tripOf = async (t: ExecutionContext): Promise<Trip> => {
  const guide = await guideOf(t, page)
  const startHotel = (): Promise<Program> => guide.begin('python3', 'rooms at')
  const [, , , hotel] = await Promise.all([
    guide.begin('PARCOMOLO_APP=none', 'Parcomolo is ready'),
    guide.begin('node', 'flights at'),
    guide.begin('go run', 'cars at'),
    startHotel()
  ])
  const trip: Trip = {
    ...guide,
    hotel: { program: hotel },
    startHotel: async () => void (trip.hotel.program = await startHotel()),
    ask: async (tripId, more = {}) => {
      const body = { tripId, traveller: 'Ann', to: 'Oslo', day: '2027-05-01', nights: 3, withCar: true, ...more }
      const headers = { 'content-type': 'application/json', 'ce-id': tripId, 'ce-type': 'TripRequested' }
      const url = `${guide.url}/participants/desk/events`
      t.is((await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).status, 202)
    },
    mood: async (mood) => {
      t.is((await fetch(guide.here('http://localhost:7003/mood'), { method: 'PUT', body: mood })).status, 200)
    }
  }
  return trip
}

if (missing.length > 0) test.skip(`the trip needs ${missing.join(' and ')} on the PATH`, () => undefined)
else
  test('the trip runs by the commands of its page, and comes through all that its hotel does wrong', async (t) => {
    t.timeout(240_000)
    const trip = await tripOf(t)
    const { url } = trip
    await trip.run('curl -s localhost:8080/participants/desk/events')
    const booked = await endOf(url, 'trip', 'ann-1', 'completed')
    t.deepEqual(
      booked.timeline
        .filter(({ type }) => type === 'StepSucceeded')
        .map(({ step }) => step!)
        .sort(),
      ['car', 'flight', 'hotel']
    )
    t.regex(await trip.run('curl -s localhost:8080/sagas/trip/ann-1'), /"completed"/)

    await trip.ask('full', { nights: 20 })
    const full = await endOf(url, 'trip', 'full', 'compensated')
    t.is(full.failure?.type, 'HotelFull')
    t.deepEqual(
      full.timeline.filter(({ type }) => type === 'StepCompensated').map(({ step }) => step),
      ['car', 'flight']
    )
    await trip.ask('sunk', { to: 'Atlantis' })
    t.is((await endOf(url, 'trip', 'sunk', 'compensated')).failure?.type, 'NoFlight')

    const calls = { broken: 'status 500', wrong: 'wrong-answer', slow: 'timeout' }
    for (const [mood, detail] of Object.entries(calls)) {
      await trip.mood(mood)
      await trip.ask(mood)
      while (!trip.hotel.program.said().includes(`trip/hotel/${mood}:`)) await pause()
      await trip.mood('well')
      const { timeline } = await endOf(url, 'trip', mood, 'completed')
      t.like(
        timeline.find(({ type }) => type === 'CallFailed'),
        { step: 'hotel', detail },
        mood
      )
    }
    for (const mood of ['late', 'twice']) {
      await trip.mood(mood)
      await trip.ask(mood)
      const { timeline } = await endOf(url, 'trip', mood, 'completed')
      t.like(
        timeline.find(({ type }) => type === 'CallAccepted'),
        { step: 'hotel' },
        mood
      )
      t.is(timeline.filter(({ type, step }) => type === 'StepSucceeded' && step === 'hotel').length, 1)
    }
    await trip.mood('well')

    await trip.hotel.program.end()
    await trip.ask('away')
    const hasBegun = ({ timeline }: { timeline: readonly { step?: string }[] }): boolean =>
      timeline.some(({ step }) => step === 'hotel')
    while (!hasBegun(await endOf(url, 'trip', 'away', 'running').catch(() => ({ timeline: [] })))) await pause()
    await trip.startHotel()
    const { timeline } = await endOf(url, 'trip', 'away', 'completed')
    t.like(
      timeline.find(({ type }) => type === 'CallFailed'),
      { step: 'hotel', detail: 'unreachable' }
    )
  })

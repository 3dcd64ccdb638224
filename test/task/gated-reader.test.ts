import test from 'ava'
import type { Chunk, Reader } from '../../src/log/index.ts'
import { GatedReader } from '../../src/task/gated-reader.ts'

/** One that says itself when it has something. */
class Told implements Reader {
  asked = 0
  taken = 0
  #ready = Promise.withResolvers<void>()

  take(): Chunk[] {
    this.taken++
    return []
  }

  ready(): Promise<void> {
    this.asked++
    return this.#ready.promise
  }

  tell(): void {
    this.#ready.resolve()
    this.#ready = Promise.withResolvers()
  }

  close(): void {
    this.tell()
  }
}

const readers = (room: { now: number }) => {
  const [inbox, others] = [new Told(), new Told()]
  return { inbox, others, both: new GatedReader(inbox, others, () => room.now) }
}

test('an inbox that stays empty while other things come is asked once, and keeps nothing of each round', async (t) => {
  const { inbox, others, both } = readers({ now: 1 })
  for (let round = 0; round < 1_000; round++) {
    const ready = both.ready()
    others.tell()
    await ready
  }
  t.is(inbox.asked, 1)
  t.is(others.asked, 1_000)
})

test('an inbox without room is neither asked nor taken from until somebody looks and finds room', async (t) => {
  const room = { now: 0 }
  const { inbox, both } = readers(room)
  const ready = both.ready()
  both.look()
  both.take(10)
  t.deepEqual([inbox.asked, inbox.taken], [0, 0])
  room.now = 2
  both.look()
  inbox.tell()
  await ready
  both.take(10)
  t.deepEqual([inbox.asked, inbox.taken], [1, 1])
})

test('whoever waits is let go when it is closed', async (t) => {
  const { both } = readers({ now: 0 })
  const ready = both.ready()
  both.close()
  await t.notThrowsAsync(ready)
})

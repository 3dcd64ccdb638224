import { readFile, truncate, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'ava'
import { FolderWatch } from '../../../src/operator/files/folder-watch.ts'
import { VirtualClock } from '../../helpers/virtual-clock.ts'
import { newFolder } from '../../log/folder.ts'

/** Knows when the watch has looked and waits again. */
class WatchedClock extends VirtualClock {
  #waits = 0

  override at(at: number, call: () => void): () => void {
    this.#waits++
    return super.at(at, call)
  }

  /** Lets so much time go by, a look at a time. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 25) {
      const before = this.#waits
      this.advance(25)
      while (this.#waits === before && !this.isIdle) await new Promise((resolve) => void setImmediate(resolve))
    }
  }

  /** The watch waits for later than now: it has nothing to do. */
  get isIdle(): boolean {
    return this.waiting > 0
  }
}

test('a file that is made empty before it is written anew is read when it is whole', async (t) => {
  const folder = newFolder(t)
  const file = join(folder, 'saga.yaml')
  await writeFile(file, 'first')
  const clock = new WatchedClock(0)
  const read: string[] = []
  const watch = new FolderWatch({
    ...{ folders: [folder], isOurs: () => true, clock, onUntold: () => undefined },
    onChange: async () => {
      read.push(await readFile(file, 'utf8'))
      return undefined
    }
  })
  await watch.start()
  t.teardown(() => watch.close())
  await truncate(file)
  await clock.pass(900)
  t.deepEqual(read, ['first'])
  await writeFile(file, 'second')
  await clock.pass(600)
  t.deepEqual(read, ['first', 'second'])

  await truncate(file)
  await clock.pass(2_000)
  t.deepEqual(read, ['first', 'second', ''], 'one that stays empty is told, too')
})

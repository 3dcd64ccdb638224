import { openEmbeddedLog } from '../../src/log/embedded/index.ts'
import type { Log } from '../../src/log/index.ts'
import { type StageMaker, testLogContract } from './contract.ts'
import { newFolder } from './folder.ts'

const stageWith =
  (options: { segmentBytes?: number; tailBytesMax?: number }): StageMaker =>
  async (t) => {
    const dir = newFolder(t)
    let log: Log | undefined
    return {
      open: async () => (log = await openEmbeddedLog({ dir, ...options })),
      end: async () => log?.close()
    }
  }

testLogContract('embedded', stageWith({}))
testLogContract('embedded, read from the disk', stageWith({ segmentBytes: 200, tailBytesMax: 0 }))

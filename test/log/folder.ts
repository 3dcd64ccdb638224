import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ExecutionContext } from 'ava'

/** A new folder, gone after the test. */
export const newFolder = (t: ExecutionContext): string => {
  const dir = mkdtempSync(join(tmpdir(), 'parcomolo-log-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

import { execFile } from 'node:child_process'
import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from '../bench/processes.ts'

const run = promisify(execFile)

/** As the image has it: types that Node takes away by itself are 30 MB more that stay resident. */
export const buildProduct = async (): Promise<void> => {
  await run(process.execPath, ['node_modules/typescript/bin/tsc', '--project', 'tsconfig.build.json'])
}

/** The shop's sagas and participants, and beside them the neighbour's. */
export const sagasFolder = async (resources: AsyncDisposableStack): Promise<string> => {
  const folder = join(temporaryFolder(resources, 'parcomolo-backlog-sagas-'), 'sagas')
  await mkdir(folder)
  for (const from of ['sagas', 'test/backlog/sagas']) await cp(from, folder, { recursive: true })
  return folder
}

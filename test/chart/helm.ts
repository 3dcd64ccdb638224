import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'

const run = promisify(execFile)
const cwd = join(import.meta.dirname, '../..')
const chart = 'charts/parcomolo'

const isThere = (program: string): boolean => spawnSync(program, ['version']).error === undefined

export const hasHelm = isThere('helm')
export const hasKubectl = isThere('kubectl')
export const hasKubeScore = isThere('kube-score')

/** What `helm` prints; rejects with what it complains of. */
export const helm = async (...args: readonly string[]): Promise<string> => {
  const { stdout } = await run('helm', args, { cwd, maxBuffer: 64 * 1024 * 1024 })
  return stdout
}

export type Values = { readonly [key: string]: unknown }

/** All that an installation with these values consists of, hooks and tests too; rejects where they are refused. */
export const rendered = (values: Values, release = 'shop'): Promise<string> =>
  withValues(values, (file) => helm('template', release, chart, '--namespace', 'parcomolo', '--values', file))

/** What Helm tells whoever has installed it. */
export const notes = async (values: Values): Promise<string> => {
  const dry = ['--dry-run=client', '--namespace', 'parcomolo', '--values']
  const all = await withValues(values, (file) => helm('install', 'shop', chart, ...dry, file))
  return all.slice(all.lastIndexOf('NOTES:'))
}

const withValues = async (values: Values, work: (file: string) => Promise<string>): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'parcomolo-chart-'))
  const file = join(folder, 'values.json')
  try {
    await writeFile(file, JSON.stringify(values))
    return await work(file)
  } finally {
    await rm(folder, { recursive: true })
  }
}

export const lint = (): Promise<string> => helm('lint', '--strict', chart)

/** What it says, on both streams, when it is given this to read. */
export const fed = async (
  program: string,
  args: readonly string[],
  input: string
): Promise<{ readonly status: number | null; readonly out: string; readonly err: string }> => {
  const child = spawn(program, args, { cwd, stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.end(input)
  const [out, err] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
  return { status: child.exitCode, out, err }
}

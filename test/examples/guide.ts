import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { ExecutionContext } from 'ava'
import { freePort } from '../helpers/free-port.ts'

const project = fileURLToPath(new URL('../..', import.meta.url))

/** A page whose commands are run as they stand, but with free ports, and in a folder of the test's own. */
export type Guide = {
  /** The engine's address. */
  readonly url: string
  /** The commands of the block that begins so; gives what they print. */
  run(begin: string): Promise<string>
  /** Those that go on until the test ends: resolves when this has been printed. */
  begin(begin: string, printed: string): Promise<Program>
  /** A text of the page, with the test's ports. */
  here(of: string): string
}

export type Program = { readonly said: () => string; end(): Promise<void> }

export type Page = {
  readonly path: string
  /** Ports that the page names, the engine's first. */
  readonly ports: readonly string[]
  /** A folder that is copied, and the page names by its path. */
  readonly copied?: string
  /** The commands run in the copy, not in the project. */
  readonly isApart?: true
}

export const guideOf = async (t: ExecutionContext, { path, ports, copied }: Page): Promise<Guide> => {
  const folder = await mkdtemp(join(tmpdir(), 'parcomolo-guide-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const free = new Map<string, string>()
  for (const port of ports) free.set(port, String(await freePort()))
  const here = (of: string): string => {
    const moved = of.replaceAll(/(?<=localhost:|'|\(|"|listen\()\d{4}\b/g, (port) => free.get(port) ?? port)
    return copied === undefined
      ? moved.replaceAll(/(?<![\w/])my\//g, `${folder}/my/`)
      : moved.replaceAll(copied, folder)
  }
  if (copied !== undefined) await copyTo(folder, copied, here)
  const blocks = [...(await readFile(join(project, path), 'utf8')).matchAll(/^```sh\n(.*?)^```/gms)].map(
    ([, it]) => it!
  )
  const port = free.get(ports[0]!)!
  // The Node that runs the tests, as a machine may have an older one beside it.
  const PATH = `${dirname(process.execPath)}:${process.env['PATH']}`
  const env = { ...process.env, PATH, PORT: port, PARCOMOLO_DATA: join(folder, 'log'), LOG_LEVEL: 'error' }
  const blockOf = (begin: string): string => {
    const found = blocks.find((block) => block.startsWith(begin))
    if (found === undefined) throw new TypeError(`${path} has no block that begins with '${begin}'`)
    return here(found)
  }
  return {
    here,
    url: `http://localhost:${port}`,
    run: async (begin) => {
      const child = spawn('bash', ['-euc', blockOf(begin)], { cwd: project, env, stdio: ['ignore', 'pipe', 'pipe'] })
      const [out, error, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
      if (code !== 0) throw new Error(`'${begin}' has ended with ${code}: ${out}${error}`)
      return out
    },
    begin: (begin, printed) => {
      // Only the engine is told its port by the environment.
      const own = blockOf(begin).includes('npm start')
        ? env
        : { ...env, PORT: undefined, PARCOMOLO: `http://localhost:${port}` }
      return programOf(
        t,
        spawn('bash', ['-uc', blockOf(begin)], { ...spawning, cwd: project, env: own }),
        here(printed)
      )
    }
  }
}

const spawning: SpawnOptions = { detached: true, stdio: ['ignore', 'pipe', 'pipe'] }

const copyTo = async (folder: string, from: string, here: (of: string) => string): Promise<void> => {
  await cp(join(project, from), folder, { recursive: true, filter: (path) => !/\/data(\/|$)/.test(path) })
  for (const file of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!file.isFile()) continue
    const path = join(file.parentPath, file.name)
    await writeFile(path, here(await readFile(path, 'utf8')))
  }
}

/** With all that it starts. */
const programOf = async (t: ExecutionContext, child: ChildProcess, printed: string): Promise<Program> => {
  let said = ''
  const ended = once(child, 'exit')
  const end = async (): Promise<void> => {
    // The whole group: what the shell has begun may end later than the shell.
    for (let signal: NodeJS.Signals | 0 = 'SIGTERM'; isThere(child.pid!, signal); signal = 0)
      await new Promise((resolve) => void setTimeout(resolve, 20))
  }
  t.teardown(end)
  await new Promise<void>((resolve, reject) => {
    const hear = (more: Buffer): void => {
      said += more
      if (said.includes(printed)) resolve()
    }
    child.stdout!.on('data', hear)
    child.stderr!.on('data', hear)
    void ended.then(() => reject(new Error(`it has ended: ${said}`)))
  })
  return { said: () => said, end }
}

const isThere = (group: number, signal: NodeJS.Signals | 0): boolean => {
  try {
    return process.kill(-group, signal)
  } catch {
    return false
  }
}

/** Asks until the instance has this status; ava's own timeout ends it. */
export const endOf = async (url: string, saga: string, key: string, status: string): Promise<Saga> => {
  for (;;) {
    const found = (await (await fetch(`${url}/sagas/${saga}/${key}`)).json()) as Saga
    if (found.status === status) return found
    await new Promise((resolve) => void setTimeout(resolve, 50))
  }
}

export type Saga = {
  readonly status: string
  readonly failure: { readonly type: string } | null
  readonly timeline: readonly { readonly type: string; readonly step?: string; readonly detail?: string }[]
}

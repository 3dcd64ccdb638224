import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'

const runtime = 'node_modules/node/bin/node'

/** Stands in for npm: writes down how it was called, and "installs" what the lockfile lists. */
const npm = `
const fs = require('node:fs')
fs.appendFileSync('calls', process.argv.slice(2).join(' ') + '\\n')
if (fs.existsSync('npm-fails')) process.exit(1)
fs.mkdirSync('node_modules/node/bin', { recursive: true })
fs.copyFileSync('package-lock.json', 'node_modules/.package-lock.json')
if (!fs.existsSync('scripts-blocked') || process.argv[2] === 'rebuild') fs.writeFileSync('${runtime}', '')
`

const lockfile = (version: string): string =>
  JSON.stringify({
    packages: {
      '': { version: '0.1.0' },
      'node_modules/avsc': { version },
      'node_modules/binding-for-another-platform': { version: '1.0.0', optional: true }
    }
  })

const project = async (t: ExecutionContext) => {
  const root = await mkdtemp(join(tmpdir(), 'parcomolo-install-'))
  t.teardown(() => rm(root, { recursive: true }))
  await mkdir(join(root, 'src/cli'), { recursive: true })
  await cp('src/cli/install.mjs', join(root, 'src/cli/install.mjs'))
  await writeFile(join(root, 'package-lock.json'), lockfile('5.7.9'))
  await writeFile(join(root, 'npm-cli.js'), npm)
  return {
    write: (name: string, text: string) => writeFile(join(root, name), text),
    remove: (name: string) => rm(join(root, name)),
    /** How often npm has been called so far, and with what. */
    calls: async () => (await readFile(join(root, 'calls'), 'utf8').catch(() => '')).split('\n').slice(0, -1),
    install: () =>
      promisify(execFile)(process.execPath, [join(root, 'src/cli/install.mjs')], {
        cwd: tmpdir(),
        env: { ...process.env, npm_execpath: join(root, 'npm-cli.js') }
      })
  }
}

const cleanInstall = 'ci --include=dev --no-audit --no-fund --loglevel=error'

test('a fresh clone is installed once, with one line about it', async (t) => {
  const { install, calls } = await project(t)
  t.is((await install()).stdout.trim().split('\n').length, 1)
  t.deepEqual(await install(), { stdout: '', stderr: '' })
  t.deepEqual(await calls(), [cleanInstall])
})

test('a changed lockfile is installed again', async (t) => {
  const { install, calls, write } = await project(t)
  await install()
  await write('package-lock.json', lockfile('5.8.0'))
  await install()
  t.deepEqual(await calls(), [cleanInstall, cleanInstall])
})

test('a missing runtime is installed again, also where npm has not run its script', async (t) => {
  const { install, calls, write, remove } = await project(t)
  await install()
  await remove(runtime)
  await write('scripts-blocked', '')
  await install()
  t.deepEqual(await calls(), [cleanInstall, cleanInstall, 'rebuild node --ignore-scripts=false'])
})

test('a failed installation ends with exit code 1 and the way to see why', async (t) => {
  const { install, write } = await project(t)
  await write('npm-fails', '')
  const error = (await t.throwsAsync(install)) as Error & { code: number; stderr: string }
  t.is(error.code, 1)
  t.regex(error.stderr, /run "npm ci" to see all of it/)
})

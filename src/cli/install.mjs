/**
 * Runs before `npm start`, `npm test` and their like: installs what package-lock.json says, unless it is there already.
 * It is plain JavaScript for old versions of Node, since the Node that runs everything else is among what it installs.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const runtime = process.platform === 'win32' ? 'node_modules/node/bin/node.exe' : 'node_modules/node/bin/node'

/** The packages of a lockfile by folder; none where the file is missing or broken. */
const packagesOf = (lockfile) => {
  try {
    return JSON.parse(readFileSync(root + lockfile, 'utf8')).packages
  } catch {
    return {}
  }
}

/** npm keeps a list of what it has put into node_modules; packages for other platforms are optional and may be absent from it. */
const isInstalled = () => {
  const wanted = packagesOf('package-lock.json')
  const present = packagesOf('node_modules/.package-lock.json')
  const differs = (folder) => {
    const found = present[folder]
    return found === undefined ? wanted[folder].optional !== true : found.version !== wanted[folder].version
  }
  return existsSync(root + runtime) && !Object.keys(wanted).some((folder) => folder !== '' && differs(folder))
}

/** The npm that is running this script, else the one on the PATH. */
const npm = (...args) => {
  const cli = process.env.npm_execpath || ''
  const options = { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] }
  return basename(cli) === 'npm-cli.js'
    ? spawnSync(process.execPath, [cli, ...args], options)
    : spawnSync('npm', args, { ...options, shell: true })
}

if (!isInstalled()) {
  console.log('Installing what package-lock.json lists (once) …')
  const { status } = npm('ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error')
  if (status === 0 && !existsSync(root + runtime)) npm('rebuild', 'node', '--ignore-scripts=false')
  if (!isInstalled()) {
    console.error('The installation failed, for the reason that npm gives above; run "npm ci" to see all of it')
    process.exit(1)
  }
}

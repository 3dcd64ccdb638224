import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/**
 * The path of Restate's server. It is installed when somebody first compares with it, since it is 216 MB and under a
 * licence of its own. Its packages for Linux hold nothing but the program; the one that npm users know chooses among
 * them, and reports its installation to its makers.
 */
export const restateServer = (): string => {
  const path = `${folder}node_modules/@restatedev/restate-server-${process.platform}-${process.arch}/bin/restate-server`
  if (existsSync(path)) return path
  console.log('Installing the server of Restate from npm (once, 216 MB) …')
  const { status } = spawnSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit']
  })
  if (status === 0 && existsSync(path)) return path
  throw new Error(`'npm ci' in ${folder} brought no server of Restate for ${process.platform}-${process.arch}`)
}

const folder = fileURLToPath(new URL('server/', import.meta.url))

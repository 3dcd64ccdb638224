import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { freePort } from '../helpers/free-port.ts'

type Started = { readonly child: ChildProcess; readonly url: string; readonly errors: Promise<string> }

const launch = (variables: Record<string, string>, ...line: string[]): ChildProcess =>
  spawn(process.execPath, ['src/cli/parcomolo.ts', ...line], {
    env: { ...process.env, PORT: '0', LOG_LEVEL: 'error', ...variables },
    stdio: ['ignore', 'pipe', 'pipe']
  })

const started = async (t: ExecutionContext, variables: Record<string, string>): Promise<Started> => {
  const child = launch(variables, 'start')
  t.teardown(() => child.kill('SIGKILL'))
  const errors = text(child.stderr!)
  const [greeting = ''] = (await Promise.race([once(child.stdout!, 'data'), once(child, 'exit')])).map(String)
  const url = /^Parcomolo is ready at (http:\/\/\S+)\n/.exec(greeting)?.[1]
  if (url === undefined) throw new Error(`it did not start: ${greeting} ${await errors}`)
  return { child, url, errors }
}

const ended = async (child: ChildProcess): Promise<unknown> => (await once(child, 'exit'))[0]

const refusal = async (variables: Record<string, string>): Promise<{ code: unknown; errors: string }> => {
  const child = launch(variables, 'start')
  const [code, errors] = await Promise.all([ended(child), text(child.stderr!)])
  return { code, errors }
}

const dataFolder = async (t: ExecutionContext): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'parcomolo-process-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('start listens, is ready, and stops on SIGINT with exit code 0', async (t) => {
  const { child, url, errors } = await started(t, { PARCOMOLO_DATA: await dataFolder(t) })
  t.is((await fetch(`${url}/readyz`)).status, 200)
  child.kill('SIGINT')
  t.is(await ended(child), 0)
  t.is(await errors, 'Stopping; once more stops at once\n')
})

test('no signal opens the inspector, and SIGHUP stops in good order', async (t) => {
  const { child, url, errors } = await started(t, { PARCOMOLO_DATA: await dataFolder(t) })
  child.kill('SIGUSR1')
  t.is((await fetch(`${url}/readyz`)).status, 200)
  child.kill('SIGHUP')
  t.is(await ended(child), 0)
  t.is(await errors, 'Stopping; once more stops at once\n')
})

test('start stops when npm is killed that runs it through a shell', async (t) => {
  const command = `sh -c "'${process.execPath}' src/cli/parcomolo.ts start; true"; true`
  const variables = { PORT: '0', LOG_LEVEL: 'error', PARCOMOLO_DATA: await dataFolder(t) }
  const child = spawn('sh', ['-c', command], {
    env: { ...process.env, ...variables, npm_lifecycle_event: 'start' },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const errors = text(child.stderr)
  t.regex(String(await once(child.stdout, 'data')), /^Parcomolo is ready at /)
  child.kill('SIGKILL')
  // The stream ends when the last process that holds it is gone.
  t.is(await errors, 'Stopping; once more stops at once\n')
})

test('a reader that stops reading is no error', async (t) => {
  const child = launch({}, 'errors')
  child.stdout!.destroy()
  const [code, errors] = await Promise.all([ended(child), text(child.stderr!)])
  t.deepEqual([code, errors], [0, ''])
})

test('a full disk under stdout fails a command, and stops no start', async (t) => {
  const full = openSync('/dev/full', 'w')
  t.teardown(() => closeSync(full))
  const onFull = (...line: string[]): ChildProcess =>
    spawn(process.execPath, ['src/cli/parcomolo.ts', ...line], {
      env: { ...process.env, PORT: String(port), LOG_LEVEL: 'error', PARCOMOLO_DATA: folder },
      stdio: ['ignore', full, 'pipe']
    })
  const [port, folder] = [await freePort(), await dataFolder(t)]
  t.is(await ended(onFull('errors')), 1)
  const child = onFull('start')
  t.teardown(() => child.kill('SIGKILL'))
  t.is(await untilReady(`http://127.0.0.1:${port}`, '"status":"ok"'), 200)
  child.kill('SIGTERM')
  t.is(await ended(child), 0)
})

test('a full disk under stderr ends nothing, however much is said there', async (t) => {
  const full = openSync('/dev/full', 'w')
  t.teardown(() => closeSync(full))
  const child = spawn(process.execPath, ['src/cli/parcomolo.ts', 'start'], {
    env: { ...process.env, PORT: '0', LOG_LEVEL: 'debug', PARCOMOLO_DATA: await dataFolder(t) },
    stdio: ['ignore', 'pipe', full]
  })
  t.teardown(() => child.kill('SIGKILL'))
  const [greeting] = (await once(child.stdout!, 'data')).map(String)
  const url = /http:\/\/\S+/.exec(greeting!)![0]
  for (let i = 0; i < 20; i++) t.is((await fetch(`${url}/orders/${'a'.repeat(200)}-${i}`)).status, 404)
  t.is((await fetch(`${url}/readyz`)).status, 200)
  child.kill('SIGTERM')
  t.is(await ended(child), 0)
})

test('a reader of stderr that stands still holds up neither the work nor the stop', async (t) => {
  const child = launch({ LOG_LEVEL: 'debug', PARCOMOLO_DATA: await dataFolder(t) }, 'start')
  t.teardown(() => child.kill('SIGKILL'))
  child.stderr!.pause()
  const [greeting] = (await once(child.stdout!, 'data')).map(String)
  const url = /http:\/\/\S+/.exec(greeting!)![0]
  const body = JSON.stringify({ junk: 'a'.repeat(20_000) })
  for (let i = 0; i < 40; i++)
    await fetch(`${url}/orders?status=${'a'.repeat(10_000)}`, { method: 'POST', body }).then((answer) => answer.text())
  t.is((await fetch(`${url}/readyz`)).status, 200)
  child.kill('SIGTERM')
  t.is(await ended(child), 0)
})

test('a port and a data folder that another process has are told, with what to do', async (t) => {
  const folder = await dataFolder(t)
  const { child, url } = await started(t, { PARCOMOLO_DATA: folder })
  const { port } = new URL(url)
  const onPort = await refusal({ PORT: port, PARCOMOLO_DATA: await dataFolder(t) })
  t.is(onPort.code, 1)
  t.regex(
    onPort.errors,
    new RegExp(`^PARCOMOLO_MAIN_CANNOT_LISTEN: port '${port}' on '127.0.0.1' is in use; [^\\n]*\\n$`)
  )
  const onFolder = await refusal({ PARCOMOLO_DATA: folder })
  t.is(onFolder.code, 1)
  t.regex(onFolder.errors, /^PARCOMOLO_LOG_IN_USE: [^\n]*\n$/)
  child.kill()
  t.is(await ended(child), 0)
})

test('a data folder that is a file is told', async (t) => {
  const path = join(await dataFolder(t), 'file')
  await writeFile(path, '')
  const { code, errors } = await refusal({ PARCOMOLO_DATA: path })
  t.is(code, 1)
  t.regex(errors, /^PARCOMOLO_[A-Z_]+: [^\n]*'[^\n]*file[^\n]*\n$/)
})

test('a folder without sagas is told', async (t) => {
  const folder = await dataFolder(t)
  const { code, errors } = await refusal({ PARCOMOLO_DATA: folder, PARCOMOLO_SAGAS: join(folder, 'none') })
  t.is(code, 1)
  t.regex(errors, /^PARCOMOLO_MAIN_SAGAS_UNREADABLE: [^\n]*\n$/)
})

test('a pipe among the sagas is refused, and neither the start nor the stop waits for it', async (t) => {
  const folder = await dataFolder(t)
  const sagas = join(folder, 'sagas')
  await cp('sagas', sagas, { recursive: true })
  execFileSync('mkfifo', [join(sagas, 'pipe.yaml')])
  const { child, errors } = await started(t, { PARCOMOLO_DATA: join(folder, 'data'), PARCOMOLO_SAGAS: sagas })
  child.kill('SIGTERM')
  t.is(await ended(child), 0)
  t.regex(await errors, /PARCOMOLO_FILE_UNREADABLE.*pipe\.yaml' cannot be read \(it is a named pipe\)/)
})

test('a process that still waits for Kafka lives, says so, and stops on SIGTERM at once', async (t) => {
  const nobody = '127.0.0.1:1'
  const port = await freePort()
  const child = launch(
    {
      ...{ KAFKA_BROKERS: nobody, SCHEMA_REGISTRY_URL: `http://${nobody}`, PARCOMOLO_ROLES: 'order' },
      ...{ PORT: String(port), PARCOMOLO_DATA: await dataFolder(t) }
    },
    'start'
  )
  t.teardown(() => child.kill('SIGKILL'))
  const errors = text(child.stderr!)
  t.is(await untilReady(`http://127.0.0.1:${port}`, `it is looking for Kafka at ${nobody}`), 503)
  const askedAt = performance.now()
  child.kill('SIGTERM')
  t.is(await ended(child), 0)
  t.true(performance.now() - askedAt < 5000)
  t.is(await errors, 'Stopping; once more stops at once\n')
})

/** The status of `/readyz` once it has this detail. */
const untilReady = async (url: string, detail: string): Promise<number> => {
  for (;;) {
    const answer = await fetch(`${url}/readyz`).catch(() => undefined)
    if (answer !== undefined && (await answer.text()).includes(detail)) return answer.status
    await wait(20)
  }
}

test('TLS files that cannot be read end with exit code 2', async (t) => {
  const environment = {
    ...{ KAFKA_BROKERS: '127.0.0.1:1', SCHEMA_REGISTRY_URL: 'http://127.0.0.1:1', PARCOMOLO_DATA: await dataFolder(t) },
    ...{ KAFKA_TLS: 'true', KAFKA_TLS_CA_FILE: 'no/such.pem' }
  }
  t.deepEqual(await refusal(environment), {
    code: 2,
    errors:
      "PARCOMOLO_CONFIG_INVALID: KAFKA_TLS_CA_FILE: 'no/such.pem' cannot be read (ENOENT); " +
      'expected the path of a PEM file with a CERTIFICATE; correct it, or leave KAFKA_TLS_CA_FILE out\n'
  })
})

test('a wrong environment ends with exit code 2 and a line for each fault', async (t) => {
  t.deepEqual(await refusal({ PORT: 'http', PARCOMOLO_FLOW: 'choreography' }), {
    code: 2,
    errors:
      "PARCOMOLO_CONFIG_INVALID: PORT: 'http' is not accepted; expected a whole number from 0 to 65535; leave it out to use '8080'\n" +
      "PARCOMOLO_CONFIG_INVALID: PARCOMOLO_FLOW: no variable has this name; did you mean 'FLOW'?\n"
  })
})

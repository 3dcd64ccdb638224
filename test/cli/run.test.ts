import { execFileSync } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { errorCodes, ParcomoloError } from '../../src/base/index.ts'
import { type Program } from '../../src/cli/command.ts'
import { run } from '../../src/cli/run.ts'
import { firstSteps } from '../../src/shop/about.ts'
import { shopNames } from '../../src/shop/names.ts'

type Result = { readonly code: number; readonly out: string[]; readonly err: string[] }

const idle: Program = {
  reserved: shopNames,
  start: async () => ({
    url: 'http://localhost:8080',
    firstSteps: firstSteps('http://localhost:8080'),
    roles: 'all',
    failed: new Promise(() => {}),
    stop: async () => {}
  }),
  checkSettings: async () => {},
  settings: async () => [],
  acceptLoss: async () => {
    throw new TypeError('not here')
  },
  deadLetters: async () => {
    throw new TypeError('no log here')
  },
  backup: async (folder) => ({ folder, bytes: 12_345, records: 67 }),
  restore: async () => ({ folder: '.parcomolo', bytes: 12_345, records: 67 }),
  repair: async () => []
}

const terminalFor = (signals = new EventEmitter()) => {
  const seen = { out: [] as string[], err: [] as string[], exits: [] as number[] }
  return {
    ...seen,
    signals,
    terminal: {
      signals,
      out: (line: string) => void seen.out.push(line),
      err: (line: string) => void seen.err.push(line),
      exit: (code: number) => void seen.exits.push(code)
    }
  }
}

const ran = async (line: readonly string[], program: Partial<Program> = {}): Promise<Result> => {
  const { terminal, out, err } = terminalFor()
  const code = await run(line, terminal, { ...idle, ...program })
  return { code, out, err }
}

const temporaryFolder = async (t: ExecutionContext): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'parcomolo-cli-'))
  t.teardown(() => rm(folder, { recursive: true }))
  return folder
}

for (const line of [[], ['help'], ['--help'], ['-h']]) {
  test(`'parcomolo ${line.join(' ')}' lists every command`, async (t) => {
    const { code, out, err } = await ran(line)
    t.is(code, 0)
    t.deepEqual(err, [])
    for (const name of [
      'start',
      'config',
      'errors',
      'generate',
      'verify',
      'graph',
      'dead-letters',
      'backup',
      'restore',
      'repair',
      'help'
    ]) {
      t.true(
        out.some((text) => text.startsWith(`  parcomolo ${name}`)),
        name
      )
    }
    t.true(out.every((text) => text.length <= 80))
  })
}

const misused = test.macro({
  title: (_, ...line: string[]) => `'parcomolo ${line.slice(1).join(' ')}' is refused with exit code 2`,
  exec: async (t, message: string, ...line: string[]) => {
    t.deepEqual(await ran(line), { code: 2, out: [], err: [`PARCOMOLO_CLI_USAGE: ${message}`] })
  }
})

test(misused, "there is no command 'star'; did you mean 'start'?", 'star')
test(misused, "Unknown option '--port'; 'parcomolo help' lists what there is", 'start', '--port', '1')
test(misused, "start takes no arguments, and was given 'now'", 'start', 'now')
test(misused, 'verify takes FILE…, and was given none', 'verify')
test(misused, "no error has the code 'NO_SUCH'; 'parcomolo errors' lists them all", 'errors', 'NO_SUCH')
test(
  misused,
  "no error has the code 'PARCOMOLO_LOG_FENCE'; did you mean 'PARCOMOLO_LOG_FENCED'?",
  'errors',
  'PARCOMOLO_LOG_FENCE'
)

test('an error with a code is one line and exit code 1', async (t) => {
  const start = async (): Promise<never> => {
    throw new ParcomoloError('PARCOMOLO_LOG_CLOSED', "the log is 'closed'")
  }
  t.deepEqual(await ran(['start'], { start }), {
    code: 1,
    out: [],
    err: ["PARCOMOLO_LOG_CLOSED: the log is 'closed'"]
  })
})

test('an error of many lines has its code on each', async (t) => {
  const checkSettings = async (): Promise<never> => {
    throw new ParcomoloError('PARCOMOLO_CONFIG_INVALID', 'PORT: one\nFLOW: two')
  }
  t.deepEqual(await ran(['config'], { checkSettings }), {
    code: 2,
    out: [],
    err: ['PARCOMOLO_CONFIG_INVALID: PORT: one', 'PARCOMOLO_CONFIG_INVALID: FLOW: two']
  })
})

test('what nobody has foreseen is a defect with exit code 70, and a stack only if asked for', async (t) => {
  const start = async (): Promise<never> => {
    throw new TypeError('x is not a function', { cause: new Error('the disk is gone') })
  }
  const quiet = await ran(['start'], { start })
  t.is(quiet.code, 70)
  t.deepEqual(quiet.err, [
    'PARCOMOLO_CLI_DEFECT: x is not a function; run it again with --verbose, and report what it prints'
  ])
  const { err } = await ran(['start', '--verbose'], { start })
  t.regex(err[1]!, /TypeError: x is not a function\n +at /)
  t.regex(err[1]!, /caused by Error: the disk is gone/)
})

test('start tells where it listens and how to place an order', async (t) => {
  const { terminal, out, signals } = terminalFor()
  const ended = run(['start'], terminal, idle)
  await new Promise(setImmediate)
  t.is(out[0], 'Parcomolo is ready at http://localhost:8080')
  t.true(out.some((line) => line.includes("curl -s http://localhost:8080/orders -H 'content-type: application/json'")))
  t.true(out.some((line) => line.includes('http://localhost:8080/docs')))
  signals.emit('SIGINT')
  t.is(await ended, 0)
})

const greetingOf = async (roles: readonly string[]): Promise<string[]> => {
  const { terminal, out, signals } = terminalFor()
  const start: Program['start'] = async (signal) => ({ ...(await idle.start(signal)), roles })
  const ended = run(['start'], terminal, { ...idle, start })
  await new Promise(setImmediate)
  signals.emit('SIGTERM')
  await ended
  return out
}

test('a process of some roles names them, and offers orders only where it takes them', async (t) => {
  const ready = 'Parcomolo is ready at http://localhost:8080'
  t.deepEqual(await greetingOf(['order', 'payment']), [ready, 'It runs order, payment'])
  const withView = await greetingOf(['payment', 'view'])
  t.deepEqual(withView.slice(0, 4), [ready, 'It runs payment, view', '', 'Place an order:'])
})

test('a stop that comes before the start is done ends it, with exit code 0', async (t) => {
  const seen = terminalFor()
  const start: Program['start'] = (signal) =>
    new Promise((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('the start was ended')))
    })
  const ended = run(['start'], seen.terminal, { ...idle, start })
  await new Promise(setImmediate)
  seen.signals.emit('SIGTERM')
  t.is(await ended, 0)
  t.deepEqual(seen.out, [])
  t.deepEqual(seen.err, ['Stopping; once more stops at once'])
  t.deepEqual(seen.exits, [0], 'whatever the start still waits for')
})

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143]
] as const) {
  test(`the first ${signal} stops in good order, the second at once`, async (t) => {
    let stopped = (): void => {}
    const stop = (): Promise<void> => new Promise((resolve) => (stopped = resolve))
    const seen = terminalFor()
    const start: Program['start'] = async (asked) => ({ ...(await idle.start(asked)), stop })
    const ended = run(['start'], seen.terminal, { ...idle, start })
    await new Promise(setImmediate)
    seen.signals.emit(signal)
    await new Promise(setImmediate)
    t.deepEqual(seen.exits, [])
    seen.signals.emit(signal)
    t.deepEqual(seen.exits, [code])
    stopped()
    t.is(await ended, 0)
  })
}

test('a failure stops what runs and is told, whatever the stop stumbles over', async (t) => {
  let stops = 0
  const start = async () => ({
    url: 'http://localhost:8080',
    firstSteps: firstSteps('http://localhost:8080'),
    roles: 'all' as const,
    failed: Promise.resolve(new ParcomoloError('PARCOMOLO_LOG_CLOSED', "the log is 'closed'")),
    stop: async () => {
      stops += 1
      throw new Error('a consequence')
    }
  })
  const { code, err } = await ran(['start'], { start })
  t.deepEqual([code, err, stops], [1, ["PARCOMOLO_LOG_CLOSED: the log is 'closed'"], 1])
})

test('config shows each variable with its value and its meaning', async (t) => {
  const settings = async () => [
    { name: 'PORT', value: '9000', isSet: true, meaning: 'TCP port of the REST interface' },
    { name: 'FLOW', value: 'orchestration', isSet: false, meaning: 'Who decides what comes next' }
  ]
  t.deepEqual((await ran(['config'], { settings })).out, [
    'PORT=9000   (set)',
    '    TCP port of the REST interface',
    'FLOW=orchestration',
    '    Who decides what comes next'
  ])
})

test('errors explains every code there is', async (t) => {
  const { out } = await ran(['errors'])
  t.deepEqual(
    out.filter((line) => line.startsWith('PARCOMOLO_')),
    Object.keys(errorCodes)
  )
})

test('errors explains the one that is asked for', async (t) => {
  t.deepEqual((await ran(['errors', 'PARCOMOLO_LOG_FENCED'])).out, [
    'PARCOMOLO_LOG_FENCED',
    '    Another owner has claimed this journal partition, so this one may no longer',
    '    write to it.',
    ' -> None is needed: the task stops here and goes on at its new owner.'
  ])
})

test('generate --check passes on what is committed', async (t) => {
  t.deepEqual(await ran(['generate', '--resources', '--check']), { code: 0, out: [], err: [] })
})

test('generate --resources writes schemas and tables, and leaves the rest of a README as it is', async (t) => {
  const folder = await temporaryFolder(t)
  const guides = ['sagas/README.md', 'sagas/participants/README.md']
  await mkdir(join(folder, 'sagas/participants'), { recursive: true })
  for (const guide of guides) {
    const text = await readFile(guide, 'utf8')
    await writeFile(join(folder, guide), text.replace(/^\| `inbox`.*\n/m, ''))
  }
  const resources = ['generate', '--resources', '--into', folder]
  const { code, out } = await ran(resources)
  t.is(code, 0)
  t.deepEqual(
    out.filter((line) => !line.endsWith('.generated.ts')),
    [
      'charts/parcomolo/crds/sagas.parcomolo.io.yaml',
      'charts/parcomolo/crds/participants.parcomolo.io.yaml',
      'sagas/schema/saga.schema.json',
      'sagas/schema/participant.schema.json',
      'sagas/participants/README.md'
    ].map((path) => `wrote ${join(folder, path)}`)
  )
  for (const guide of guides) t.is(await readFile(join(folder, guide), 'utf8'), await readFile(guide, 'utf8'))
  const schema = join(folder, 'sagas/schema/saga.schema.json')
  await writeFile(schema, '{}\n')
  const { err } = await ran([...resources, '--check'])
  t.deepEqual(err, [
    `PARCOMOLO_CLI_RESOURCES_STALE: not what 'src/operator/crd' gives: '${schema}'; run 'npm run generate' and commit the result`
  ])
})

test('generate --resources needs the comments that a table stands between', async (t) => {
  const folder = await temporaryFolder(t)
  await mkdir(join(folder, 'sagas/participants'), { recursive: true })
  const paths = ['sagas/README.md', 'sagas/participants/README.md'].map((path) => join(folder, path))
  for (const path of paths) await writeFile(path, "<!-- fields: written by 'npm run generate' -->\n")
  const { code, err } = await ran(['generate', '--resources', '--into', folder])
  t.is(code, 1)
  t.regex(
    err[0]!,
    /^PARCOMOLO_CLI_RESOURCES_STALE: '.*README\.md' has no '<!-- fields: .*' with '<!-- end of fields -->'/
  )
})

test('generate names a folder that cannot be read', async (t) => {
  t.deepEqual(await ran(['generate', 'no/such/folder']), {
    code: 1,
    out: [],
    err: ["PARCOMOLO_CLI_FILE_UNREADABLE: 'no/such/folder' cannot be read (ENOENT); expected a path"]
  })
})

test('generate writes the types of a new participant, and --check misses them before', async (t) => {
  const folder = await temporaryFolder(t)
  const text = await readFile('sagas/participants/payment.yaml', 'utf8')
  const renamed = text.replaceAll('payment', 'testcli').replace('protocol Payment', 'protocol Testcli')
  await writeFile(join(folder, 'testcli.yaml'), renamed)
  const path = join(folder, 'src/shop/testcli/types.generated.ts')
  const check = ['generate', folder, '--into', folder, '--check']
  const { code, err } = await ran(check)
  t.is(code, 1)
  t.true(err[0]!.startsWith(`PARCOMOLO_CLI_TYPES_STALE: not what the contracts in '${folder}' give: '${path}'; run `))
  t.deepEqual(await ran(['generate', folder, '--into', folder]), { code: 0, out: [`wrote ${path}`], err: [] })
  t.regex(await readFile(path, 'utf8'), /export type ProcessPayment = /)
  t.is((await ran(check)).code, 0)
})

test('verify passes what is committed', async (t) => {
  const { code, out, err } = await ran(['verify', 'sagas/order.yaml', 'sagas/participants/payment.yaml'])
  t.deepEqual([code, err], [0, []])
  t.regex(out[0]!, /^sagas\/order\.yaml: saga 'order' is valid: \d+ steps, revision [0-9a-f]{12}$/)
  t.regex(out[1]!, /^sagas\/order\.yaml: saga 'order' has one key: .* its task reads its own partition only$/)
  t.regex(out[2]!, /^sagas\/participants\/payment\.yaml: participant 'payment' is valid: \d+ operations$/)
})

test('verify tells file, line and column of everything that is wrong, and ends with exit code 1', async (t) => {
  const folder = await temporaryFolder(t)
  const saga = join(folder, 'order.yaml')
  const text = await readFile('sagas/order.yaml', 'utf8')
  await writeFile(
    saga,
    text.replace('command: ReleaseStock', 'command: RelaseStock').replace('timeout: 3s', 'timeout: 3x')
  )
  const { code, out, err } = await ran(['verify', saga, '--participants', 'sagas/participants'])
  t.deepEqual([code, err], [1, []])
  t.is(out.length, 2)
  t.true(out[0]!.startsWith(`${saga}:18:30 steps[0].compensate.command: unknown command 'RelaseStock'; did you mean`))
  t.true(out[1]!.startsWith(`${saga}:27:16 steps[1].timeout: '3x' is no duration`))
})

test('verify tells what is wrong with a participant', async (t) => {
  const folder = await temporaryFolder(t)
  const path = join(folder, 'payment.yaml')
  const text = await readFile('sagas/participants/payment.yaml', 'utf8')
  await writeFile(path, text.replace('inbox: payment-commands', 'inbox: payment commands'))
  const { code, out } = await ran(['verify', path])
  t.is(code, 1)
  t.true(out[0]!.startsWith(`${path}:6:10 spec.inbox: `), out[0])
})

const foreign = async (folder: string, name: string, inbox: string): Promise<string> => {
  const text = await readFile('test/foreign/loyalty/participant.yaml', 'utf8')
  const path = join(folder, `${name}.yaml`)
  const own = text.replace('name: loyalty', `name: ${name}`).replaceAll('example.loyalty', `example.${name}`)
  await writeFile(path, own.replace('loyalty-commands', inbox).replace('loyalty-events', `${name}-events`))
  return path
}

test('verify refuses a participant that takes a name of the product, and says whose it is', async (t) => {
  const path = await foreign(await temporaryFolder(t), 'mine', 'saga-events')
  const { code, out } = await ran(['verify', path])
  t.is(code, 1)
  t.true(
    out[0]!.startsWith(`${path}:5:10 spec.inbox: topic 'saga-events' belongs to the orchestrator, as its journal;`)
  )
  t.true(out[0]!.endsWith('(PARCOMOLO_CONTRACT_CONFLICT)'))
})

test('verify refuses a participant beside which another has its topic', async (t) => {
  const folder = await temporaryFolder(t)
  const one = await foreign(folder, 'one', 'zz.in')
  const { code } = await ran(['verify', one])
  t.is(code, 0)
  const two = await foreign(folder, 'two', 'zz_in')
  await writeFile(join(folder, 'broken.yaml'), 'kind: Participant\n')
  const { code: refused, out } = await ran(['verify', one, two])
  t.is(refused, 1)
  t.is(out.length, 2)
  t.true(
    out[1]!.startsWith(`${two}: topic 'zz_in' is topic 'zz.in' to Kafka, which belongs to the inbox of participant`)
  )
})

test('verify takes another version of a participant that the given folder has', async (t) => {
  const folder = await temporaryFolder(t)
  await foreign(folder, 'one', 'one-commands')
  const changed = await foreign(await temporaryFolder(t), 'one', 'one-inbox')
  const { code, out } = await ran(['verify', changed, '--participants', folder])
  t.deepEqual([code, out.length], [0, 1], out.join())
})

test('verify names a file that it cannot read', async (t) => {
  const { code, err } = await ran(['verify', 'no/such.yaml'])
  t.is(code, 1)
  t.deepEqual(err, ["PARCOMOLO_CLI_FILE_UNREADABLE: 'no/such.yaml' cannot be read (ENOENT); expected a path"])
})

test('verify of several files refuses a name that two of them have, and tells both', async (t) => {
  const folder = await temporaryFolder(t)
  const [one, two] = [join(folder, 'order.yaml'), join(folder, 'order2.yaml')]
  const text = await readFile('sagas/order.yaml', 'utf8')
  await writeFile(one, text)
  await writeFile(two, text.replace('timeout: 3s', 'timeout: 4s'))
  const { code, out, err } = await ran(['verify', one, two, one, '--participants', 'sagas/participants'])
  t.deepEqual([code, err], [1, []])
  const said = `saga 'order' is in '${one}' and '${two}'; expected each name in one file; rename one, or delete a file`
  t.deepEqual(out, [`${one}: ${said}`, `${two}: ${said}`])
  const payment = 'sagas/participants/payment.yaml'
  const copy = join(folder, 'payment.yaml')
  await writeFile(copy, await readFile(payment))
  t.is((await ran(['verify', payment, copy])).code, 1)
  const participants = join(folder, 'participants')
  await mkdir(participants)
  for (const name of ['pay.yaml', 'payment.yaml']) await writeFile(join(participants, name), await readFile(payment))
  const { err: beside } = await ran(['verify', 'sagas/order.yaml', '--participants', participants])
  t.regex(beside[0]!, /^PARCOMOLO_SAGA_NAMED_TWICE: participant 'payment' is in '.*pay\.yaml' and '.*payment\.yaml'/)
})

test('verify refuses bytes that are no UTF-8, with line and column', async (t) => {
  const folder = await temporaryFolder(t)
  const path = join(folder, 'order.yaml')
  const text = (await readFile('sagas/order.yaml', 'utf8')).replace('failure.type', "'zurück: ' + failure.type")
  await writeFile(path, Buffer.from(text, 'latin1'))
  const { code, out } = await ran(['verify', path, 'sagas/order.yaml', '--participants', 'sagas/participants'])
  t.is(code, 1)
  t.regex(out[0]!, new RegExp(`^${path}:\\d+:\\d+ the byte 0xfc is no UTF-8; save the file in UTF-8$`))
  t.is(out.length, 3)
})

test('verify refuses what is no file among the participants, and does not wait for it', async (t) => {
  const folder = await temporaryFolder(t)
  execFileSync('mkfifo', [join(folder, 'pipe.yaml')])
  const { code, err } = await ran(['verify', 'sagas/order.yaml', '--participants', folder])
  t.is(code, 1)
  t.deepEqual(err, [
    `PARCOMOLO_CLI_FILE_UNREADABLE: '${folder}/pipe.yaml' cannot be read (it is a named pipe); expected a path`
  ])
})

test('verify counts what it does not list', async (t) => {
  const folder = await temporaryFolder(t)
  const saga = join(folder, 'many.yaml')
  await writeFile(saga, Array.from({ length: 30 }, (_, i) => `key${i}: 1`).join('\n'))
  const { code, out } = await ran(['verify', saga, '--participants', 'sagas/participants'])
  t.is(code, 1)
  t.is(out.length, 21)
  t.is(out.at(-1), `${saga}: and 11 more`)
})

test('verify names the folder of participants that it has missed', async (t) => {
  const folder = await temporaryFolder(t)
  await writeFile(join(folder, 'order.yaml'), 'kind: Saga')
  const { code, err } = await ran(['verify', join(folder, 'order.yaml')])
  t.is(code, 1)
  const missing = join(folder, 'participants')
  t.deepEqual(err, [`PARCOMOLO_CLI_FILE_UNREADABLE: '${missing}' cannot be read (ENOENT); expected a path`])
})

test("the README's picture of the order saga is what graph --svg draws today", async (t) => {
  const { code, out } = await ran(['graph', 'sagas/order.yaml', '--svg'])
  t.is(code, 0)
  t.is(`${out.join('\n')}\n`, await readFile('sagas/order.svg', 'utf8'))
})

test('graph draws each step of the saga', async (t) => {
  const { code, out } = await ran(['graph', 'sagas/order.yaml'])
  t.is(code, 0)
  const drawing = out.join('\n')
  t.regex(drawing, /^flowchart /m)
  for (const step of ['stock', 'payment', 'confirm', 'shipping', 'dispatch', 'complete']) {
    t.regex(drawing, new RegExp(`\\b${step}\\b`))
  }
})

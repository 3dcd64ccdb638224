/** What somebody who comes from outside is told to run is there, and is the same in every place that tells it. */
import { existsSync, globSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { parse } from 'yaml'

const root = realpathSync(fileURLToPath(new URL('..', import.meta.url))) + '/'
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

type Service = {
  readonly image: string
  readonly ports: readonly string[]
  readonly healthcheck?: unknown
  readonly environment: Readonly<Record<string, unknown>>
  /** The variables by which tests find it. */
  readonly 'x-tests': Readonly<Record<string, string>>
}
type Step = { readonly run?: string; readonly uses?: string; readonly with?: Readonly<Record<string, unknown>> }
type Job = {
  readonly env?: Readonly<Record<string, string>>
  readonly permissions?: unknown
  readonly 'timeout-minutes'?: number
  readonly steps: readonly Step[]
}
type Image = { readonly repository: string; readonly tag: string }

const { scripts } = JSON.parse(read('package.json')) as { readonly scripts: Readonly<Record<string, string>> }
const servicesOf = (file: string): Readonly<Record<string, Service>> =>
  (parse(read(file), { merge: true }) as { readonly services: Readonly<Record<string, Service>> }).services
const services = servicesOf('compose.yaml')
/** Those that tests may kill. */
const mortal = servicesOf('test/e2e/compose/compose.yaml')
const workflow = parse(read('.github/workflows/ci.yml')) as {
  readonly permissions: unknown
  readonly concurrency?: unknown
  readonly jobs: Readonly<Record<string, Job>>
}
const jobs = Object.entries(workflow.jobs)
const steps = jobs.flatMap(([, job]) => job.steps)

const filesUnder = (folder: string, name: RegExp): string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && name.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    // Not what a link leads to a second time.
    .filter((path) => realpathSync(path) === path)
    .map((path) => path.slice(root.length))
    .sort()

const documents = [
  ...readdirSync(root).filter((name) => name.endsWith('.md')),
  ...['docs', '.github', 'examples', 'src', 'test', 'sagas', 'charts', 'manifests'].flatMap((folder) =>
    filesUnder(folder, /\.md$/)
  )
]
const tests = filesUnder('test', /\.ts$/)

test('every npm script that a document or the workflow names is there', (t) => {
  const named = [...documents, '.github/workflows/ci.yml', ...filesUnder('.github/ISSUE_TEMPLATE', /\.yml$/), '.ci/run']
    .map((file) => ({ file, text: read(file) }))
    .flatMap(({ file, text }) =>
      [...text.matchAll(/\bnpm (?:run (?:-s )?([a-z][\w:-]*)|(test|start)\b)/g)].map(([, run, word]) => ({
        file,
        script: (run ?? word)!
      }))
    )
  t.deepEqual(
    named.filter(({ script }) => scripts[script] === undefined),
    []
  )
  t.true(named.length > 20)
})

test('a test that needs more than npm is chosen by the script that brings it', (t) => {
  const variables: Readonly<Record<string, RegExp>> = {
    'test:kafka': /process\.env\['(KAFKA_BROKERS|SCHEMA_REGISTRY_URL)'\]|KAFKA_SECURE_\w+:/,
    'test:postgres': /process\.env\['TEST_DATABASE_URL'\]/,
    'test:faults': /process\.env\['KAFKA_FAULT_BROKERS'\]/,
    'test:cluster': /process\.env\['CLUSTER_IMAGE'\]/
  }
  for (const [script, pattern] of Object.entries(variables)) {
    const globs = [...scripts[script]!.matchAll(/"([^"]+)"/g)].map(([, glob]) => glob!)
    const chosen = globs.flatMap((glob) => globSync(glob, { cwd: root }))
    const needing = tests.filter(
      (file) => file.endsWith('.test.ts') && closureOf(file).some((part) => pattern.test(read(part)))
    )
    t.deepEqual(needing, chosen.toSorted(), script)
    t.true(chosen.length > 0, script)
  }
})

/** A file with all of `test` that it imports, also by others. */
const closureOf = (file: string, seen = new Set<string>()): readonly string[] => {
  if (seen.has(file)) return []
  seen.add(file)
  const targets = [...read(file).matchAll(/\bfrom '(\.[^']+\.ts)'/g)].map(([, target]) => join(dirname(file), target!))
  return [file, ...targets.filter((target) => tests.includes(target)).flatMap((target) => closureOf(target, seen))]
}

test('every file, and every heading of one, that a document links to is there', (t) => {
  const isThere = (file: string, target: string): boolean => {
    const [path = '', heading] = target.split('#')
    const found = path === '' ? file : join(dirname(file), path)
    return existsSync(join(root, found)) && (heading === undefined || headingsOf(read(found)).includes(heading))
  }
  const wrong = documents.flatMap((file) =>
    [
      ...read(file)
        .replace(/^```.*?^```/gms, '')
        .matchAll(/\]\((?!https?:)([^)\s]+)/g)
    ]
      .filter(([, target]) => !isThere(file, target!))
      .map(([, target]) => `${file}: ${target}`)
  )
  t.deepEqual(wrong, [])
})

/** As GitHub names them in addresses. */
const headingsOf = (text: string): string[] =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-')
  )

test('services that tests may use listen on loopback alone, are pinned, and tell when they are ready', (t) => {
  for (const [name, { image, ports, healthcheck }] of [...Object.entries(services), ...Object.entries(mortal)]) {
    t.regex(image, /:\d+\.\d+(\.\d+)?$/, name)
    t.truthy(healthcheck, name)
    for (const port of ports) t.regex(port, /^127\.0\.0\.1:\d+:\d+$/, name)
  }
})

test('the broker and the registry are those that the chart brings for development', (t) => {
  const { kafka, registry } = parse(read('charts/parcomolo/values.yaml')) as {
    readonly kafka: { readonly broker: { readonly image: Image } }
    readonly registry: { readonly server: { readonly image: Image } }
  }
  const named = ({ repository, tag }: Image): string => `${repository}:${tag}`
  t.is(services['kafka']?.image, named(kafka.broker.image))
  t.is(services['registry']?.image, named(registry.server.image))
  for (const [name, { image }] of Object.entries(mortal))
    t.is(image, name === 'registry' ? named(registry.server.image) : named(kafka.broker.image))
})

test('the variables of a service are read by tests, and name the port that it has', (t) => {
  const texts = tests.map(read)
  for (const [name, service] of Object.entries(services)) {
    const variables = Object.entries(service['x-tests'])
    t.true(variables.length > 0, name)
    for (const [variable, value] of variables) {
      t.true(
        texts.some((text) => text.includes(`process.env['${variable}']`)),
        `no test reads ${variable}`
      )
      const port = /127\.0\.0\.1:(\d+)/.exec(value)?.[1]
      t.true(
        service.ports.some((published) => published.startsWith(`127.0.0.1:${port}:`)),
        `${name} has no port ${port}`
      )
    }
  }
})

test('the workflow and CONTRIBUTING.md give tests the variables of the services, as compose.yaml has them', (t) => {
  const variables = Object.assign({}, ...Object.values(services).map((service) => service['x-tests'])) as Record<
    string,
    string
  >
  const guide = read('CONTRIBUTING.md')
  for (const [variable, value] of Object.entries(variables)) t.true(guide.includes(`${variable}=${value}`), variable)
  for (const [name, job] of jobs) {
    const started = job.steps.flatMap(
      ({ run }) => /^docker compose up .*--wait (.+)$/.exec(run ?? '')?.[1]?.split(' ') ?? []
    )
    const given = Object.assign({}, ...started.map((service) => services[service]?.['x-tests'])) as object
    t.deepEqual(job.env ?? {}, given, name)
  }
})

test('the workflow uses pinned actions, may only read, and ends', (t) => {
  const used = steps.flatMap(({ uses }) => uses ?? [])
  t.deepEqual(
    used.filter((action) => !/@[0-9a-f]{40}$/.test(action)),
    []
  )
  t.deepEqual(workflow.permissions, { contents: 'read' })
  t.truthy(workflow.concurrency)
  for (const [name, job] of jobs) {
    t.is(job.permissions, undefined, name)
    t.true((job['timeout-minutes'] ?? Infinity) <= 20, name)
  }
  t.false(read('.github/workflows/ci.yml').includes('secrets.'))
})

test('the workflow takes the Node that package.json asks for, and what the lock file says', (t) => {
  for (const [name, job] of jobs) {
    const node = job.steps.find(({ uses }) => uses?.startsWith('actions/setup-node@'))
    t.like(node?.with, { 'node-version-file': 'package.json', cache: 'npm' }, name)
    t.true(
      job.steps.some(({ run }) => run === 'npm ci'),
      name
    )
  }
  const run = steps.flatMap((step) => step.run ?? [])
  for (const script of ['npm run check', 'npm test', 'npm run test:kafka', 'npm run test:postgres'])
    t.true(run.includes(script), script)
})

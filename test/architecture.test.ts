import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * Who may import whom. A room that is not listed for another is forbidden to it; `main` composes all of them and nobody
 * imports it.
 */
const rooms: Record<string, readonly string[]> = {
  base: [],
  contract: ['base'],
  // The door of the rooms in it, by which all others come in.
  saga: ['saga/definition', 'saga/engine', 'saga/graph', 'saga/load', 'saga/source'],
  'saga/definition': ['base'],
  'saga/engine': ['base', 'saga/definition'],
  'saga/source': ['base', 'saga/definition'],
  'saga/expression': ['base', 'saga/definition', 'saga/source'],
  'saga/load': ['base', 'contract', 'saga/definition', 'saga/expression', 'saga/source'],
  'saga/graph': ['saga/definition'],
  log: ['base'],
  'log/embedded': ['base', 'log'],
  'log/kafka': ['base', 'log'],
  registry: ['base'],
  'registry/embedded': ['base', 'registry'],
  'registry/http': ['base', 'registry'],
  task: ['base', 'contract', 'log'],
  // The log's port because it keeps the topic of definitions itself, outside of any task.
  orchestrator: ['base', 'contract', 'saga', 'task', 'log'],
  // Of saga the form of command ids alone, by which an undo is known.
  courier: ['base', 'contract', 'log', 'saga', 'task'],
  // Of orchestrator the names of its topics.
  'dead-letters': ['base', 'contract', 'log', 'orchestrator', 'registry', 'task'],
  // What an application is: of http, view and log it knows the forms of what an application is given and gives.
  application: ['base', 'contract', 'http', 'log', 'task', 'view'],
  // Of http what routes need, of view what they read.
  shop: ['application', 'base', 'contract', 'http', 'task', 'view', 'shop/intake'],
  // The view's form of waiters and records, so that whoever waits need not know who answers.
  'shop/intake': ['base', 'contract', 'log', 'task', 'view'],
  view: ['base', 'contract', 'log', 'task'],
  'view/postgres': ['base', 'view'],
  operator: ['base', 'contract', 'saga', 'operator/kube', 'operator/crd'],
  // What is published, and in whose stead, is the orchestrator's to say.
  'operator/files': ['base', 'contract', 'operator', 'orchestrator', 'saga'],
  'operator/kube': ['base'],
  // The bounds of what sagas and contracts hold, said once, become the bounds of the resources.
  'operator/crd': ['base', 'contract', 'saga'],
  http: ['base', 'contract', 'view'],
  cli: ['base', 'contract', 'saga', 'operator/crd'],
  // Of view/postgres the form of its address, of shop the value that it is.
  config: ['application', 'base', 'shop', 'view/postgres'],
  main: ['*']
}

/** Outside libraries, each with the rooms that need it. */
const libraries: Record<string, readonly string[]> = {
  avsc: ['contract', 'registry'],
  '@kafkajs/confluent-schema-registry': ['registry/http'],
  yaml: ['contract', 'saga/source', 'saga/load', 'operator', 'operator/crd'],
  '@kubernetes/client-node': ['operator/kube'],
  '@marcbachmann/cel-js': ['saga/expression'],
  fastify: ['http', 'shop'],
  '@fastify/swagger': ['http'],
  '@fastify/swagger-ui': ['http'],
  'prom-client': ['http'],
  kafkajs: ['log/kafka'],
  pg: ['view/postgres'],
  'node:sqlite': ['view', 'log/embedded']
}

/** Rooms that compute and touch nothing outside, with the parts of Node that they may use all the same. */
const pure: Record<string, readonly string[]> = {
  base: ['node:crypto'],
  saga: [],
  'saga/definition': [],
  'saga/engine': [],
  'saga/source': [],
  'saga/expression': [],
  'saga/load': [],
  'saga/graph': [],
  shop: [],
  log: [],
  registry: []
}

/** The rooms of the engine, which know no word of the shop. */
const withoutShop = Object.keys(rooms).filter((room) => !/^shop\b/.test(room))

/**
 * The entry file of the command line stands above all rooms: it hands `main` to the commands, which know it only as
 * their argument.
 */
const entry = 'src/cli/parcomolo.ts'

/** They name the applications that there are; all others take what they are given. */
const knowing = ['src/config/applications.ts', entry]

type Import = { file: string; line: number; target: string }

test('every import goes where the table of rooms allows it', (t) => {
  const wrong = internalImports.filter(({ file, target }) => {
    const from = roomOf(file)
    const to = roomOf(target)
    return from !== to && file !== entry && !rooms[from]!.includes('*') && !rooms[from]!.includes(to)
  })
  t.deepEqual(wrong.map(said), [])
  t.true(internalImports.length > 0)
})

test('no room may import what it has no use for', (t) => {
  const used = new Set(internalImports.map(({ file, target }) => `${roomOf(file)} → ${roomOf(target)}`))
  const allowed = Object.entries(rooms).flatMap(([from, list]) => list.map((to) => `${from} → ${to}`))
  t.deepEqual(
    allowed.filter((arrow) => !arrow.endsWith('*') && !used.has(arrow)),
    []
  )
})

test('no room may use a library that it has no use for', (t) => {
  const used = new Set(externalImports.map(({ file, target }) => `${roomOf(file)} → ${libraryOf(target)}`))
  const allowed = Object.entries(libraries).flatMap(([library, list]) => list.map((room) => `${room} → ${library}`))
  t.deepEqual(
    allowed.filter((arrow) => !used.has(arrow)),
    []
  )
})

test('the arrows of the table go round in no circle', (t) => {
  const arrows = Object.entries(rooms).filter(([, list]) => !list.includes('*'))
  const floors: string[] = []
  // Whoever imports only what has a floor already stands on top of it; who never does is in a circle, or above one.
  for (let height = -1; height < floors.length;) {
    height = floors.length
    const next = arrows.filter(([room, list]) => !floors.includes(room) && list.every((to) => floors.includes(to)))
    floors.push(...next.map(([room]) => room))
  }
  t.deepEqual(
    arrows.map(([room]) => room).filter((room) => !floors.includes(room)),
    []
  )
})

test('no service imports another service, but for the types of its contract', (t) => {
  const service = (path: string): string | undefined => /^src\/shop\/([^/]+)\//.exec(path)?.[1]
  const wrong = internalImports.filter(({ file, target }) => {
    const [from, to] = [service(file), service(target)]
    return from !== undefined && to !== undefined && from !== to && !target.endsWith('.generated.ts')
  })
  t.deepEqual(wrong.map(said), [])
})

test('of services, only reactions know the task runtime', (t) => {
  const wrong = internalImports.filter(
    ({ file, target }) => roomOf(file) === 'shop' && roomOf(target) === 'task' && !/\/(reactions|index)\.ts$/.test(file)
  )
  t.deepEqual(wrong.map(said), [])
})

test('deciders import base, contract and their own service, never its reactions', (t) => {
  const wrong = internalImports
    .filter(({ file }) => file.endsWith('/decider.ts'))
    .filter(({ target }) => /\/(reactions|index)\.ts$/.test(target) && roomOf(target) === 'shop')
  t.deepEqual(wrong.map(said), [])
})

test('another room is imported through its index, unless it is generated types or the port of an adapter', (t) => {
  const wrong = internalImports.filter(({ file, target }) => {
    const [from, to] = [roomOf(file), roomOf(target)]
    // The entry file needs the names of services alone, and the shop's index would load the read model.
    const isFree = from === to || from.startsWith(`${to}/`) || target.endsWith('.generated.ts') || file === entry
    return !isFree && !target.endsWith('/index.ts')
  })
  t.deepEqual(wrong.map(said), [])
})

test('the engine speaks of no shop, but in examples', (t) => {
  const word = /\b(orderIds?|orders|Order[A-Z]\w+|[sS]tock\w*|[pP]ayments?|[sS]hipping|[iI]nventory|Flow|[sS]hop\w*)\b/
  const texts = /'[^']*'|"[^"]*"|`[^`]*`|^\s*(\/?\*|\/\/).*/g
  const wrong = sources
    .filter((file) => withoutShop.includes(roomOf(file)) && !knowing.includes(file))
    .flatMap((file) => linesOf(file)!.map((line, at) => ({ at: `${file}:${at + 1}`, code: line.replace(texts, '') })))
    .filter(({ code }) => word.test(code))
  t.deepEqual(wrong, [])
  t.true(withoutShop.length > 10)
})

test('one file of the engine knows which applications there are', (t) => {
  const wrong = internalImports.filter(({ file, target }) => roomOf(target) === 'shop' && !file.startsWith('src/shop/'))
  t.deepEqual(wrong.filter(({ file }) => !knowing.includes(file)).map(said), [])
})

test('the rooms of saga are entered by its door', (t) => {
  const wrong = internalImports.filter(
    ({ file, target }) => roomOf(target).startsWith('saga/') && !/^saga\b/.test(roomOf(file))
  )
  t.deepEqual(wrong.map(said), [])
})

test('main is imported by nobody but the entry file of the command line', (t) => {
  const wrong = internalImports.filter(({ file, target }) => roomOf(target) === 'main' && roomOf(file) !== 'main')
  t.deepEqual(wrong.filter(({ file }) => file !== entry).map(said), [])
})

test('an outside library is imported only by the rooms that need it', (t) => {
  const wrong = externalImports.filter(({ file, target }) => {
    const library = libraryOf(target)
    if (library.startsWith('node:') && libraries[library] === undefined) return false
    return !(libraries[library] ?? []).includes(roomOf(file))
  })
  t.deepEqual(wrong.map(said), [])
})

test('pure rooms use nothing of Node', (t) => {
  const wrong = externalImports.filter(({ file, target }) => {
    const allowed = pure[roomOf(file)]
    return allowed !== undefined && target.startsWith('node:') && !allowed.includes(target)
  })
  t.deepEqual(wrong.map(said), [])
})

test('every folder of src is a room', (t) => {
  t.deepEqual(
    [...new Set(sources.map(roomOf))].filter((room) => rooms[room] === undefined),
    []
  )
})

test('every room explains itself in at most 30 lines', (t) => {
  const written = new Set(sources.map(roomOf))
  const wrong = [...written].filter((room) => {
    const lines = linesOf(`src/${room}/README.md`)
    return lines === undefined || lines.length > 31
  })
  t.deepEqual(wrong, [])
})

// Coverage depends on it too: a file that holds nothing but types counts as uncovered until it is loaded.
test('every file can be loaded by itself', async (t) => {
  const modules = sources.filter((file) => file !== entry)
  const outcomes = await Promise.allSettled(modules.map((file) => import(join(root, file))))
  const wrong = outcomes.flatMap((outcome, at) =>
    outcome.status === 'rejected' ? [`${modules[at]}: ${String(outcome.reason)}`] : []
  )
  t.deepEqual(wrong, [])
})

test('the top level holds nothing but what a reader expects there', (t) => {
  const folders = [
    'charts',
    'docs',
    'examples',
    'manifests',
    'sagas',
    'src',
    'test',
    'node_modules',
    'dist',
    'coverage'
  ]
  const documents = ['README', 'CONTRIBUTING', 'SECURITY', 'CHANGELOG'].map((name) => `${name}.md`)
  const files = /^(package(-lock)?\.json|LICENSE|Dockerfile|compose\.yaml|tsconfig(\.\w+)?\.json|knip\.jsonc)$/
  const wrong = readdirSync(root, { withFileTypes: true })
    .filter(({ name }) => !name.startsWith('.'))
    .filter(({ name }) => ![...folders, ...documents].includes(name) && !files.test(name))
  t.deepEqual(
    wrong.map(({ name }) => name),
    []
  )
})

test('no file is named after nothing in particular', (t) => {
  const empty = /(^|[/-])(utils?|helpers?|common|misc|manager|impl)([/.-]|$)/
  t.deepEqual(
    sources.filter((file) => empty.test(file)),
    []
  )
})

test('no line is longer than 120 characters', (t) => {
  const files = [...sources, ...filesUnder('test', /\.ts$/)].filter((file) => !file.endsWith('.generated.ts'))
  const wrong = files.flatMap((file) =>
    linesOf(file)!.flatMap((line, at) =>
      line.length > 120 && !isText(line) ? [`${file}:${at + 1} ${line.length}`] : []
    )
  )
  t.deepEqual(wrong, [])
})

const filesUnder = (folder: string, name: RegExp): string[] =>
  readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && name.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length).replaceAll('\\', '/'))
    .sort()

const linesOf = (file: string): string[] | undefined => {
  try {
    return readFileSync(join(root, file), 'utf8').split('\n')
  } catch {
    return undefined
  }
}

/** A message that stands alone on its line: it stays whole, so that it can be searched for. */
const isText = (line: string): boolean => /^\s*(return |\w+: )?(['"`]).*\2(,| \+)?$/.test(line)

/** The longest name of a room that the path lies in; `shop/order` counts as `service`. */
const roomOf = (file: string): string => {
  const folders = dirname(file).split('/').slice(1)
  const adapter = folders.slice(0, 2).join('/')
  return rooms[adapter] === undefined ? folders[0]! : adapter
}

/** `node:fs/promises` is `node:fs`; `@scope/name/part` is `@scope/name`. */
const libraryOf = (target: string): string =>
  target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/')

const importsOf = (file: string): Import[] => {
  const text = linesOf(file)!.join('\n')
  const pattern = /^\s*(?:import|export)\b[^'"`;]*?\bfrom\s+'([^']+)'|^\s*import\s+'([^']+)'|\bimport\(\s*'([^']+)'/gm
  const located = /new URL\('(\.[^']+\.ts)', import\.meta\.url\)/g
  return [...text.matchAll(pattern), ...text.matchAll(located)].map((match) => {
    const target = (match[1] ?? match[2] ?? match[3])!
    return {
      file,
      line: text.slice(0, match.index + match[0].length).split('\n').length,
      target: target.startsWith('.') ? normalize(join(dirname(file), target)).replaceAll('\\', '/') : target
    }
  })
}

const said = ({ file, line, target }: Import): string => `${file}:${line} imports ${target}`

const sources = filesUnder('src', /\.ts$/)
const imports = sources.flatMap(importsOf)
const internalImports = imports.filter(({ target }) => target.startsWith('src/'))
const externalImports = imports.filter(({ target }) => !target.startsWith('src/'))

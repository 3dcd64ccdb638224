import { readFileSync } from 'node:fs'
import test from 'ava'
import { isParcomoloError } from '../../src/base/index.ts'
import { contractLimits, readContract, readProtocolText } from '../../src/contract/index.ts'

const times = (count: number, text: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => text(i)).join('\n')
const protocol = (body: string): string => `@namespace("a.b") protocol P { ${body} }`

const problemsOf = (body: string): string[] => {
  try {
    readProtocolText(protocol(body), 'p')
  } catch (error) {
    if (isParcomoloError(error, 'PARCOMOLO_CONTRACT_INVALID')) return error.message.split('\n')
    throw error
  }
  return []
}

const refused = test.macro<[string, RegExp]>({
  exec: (t, body, problem) =>
    t.true(
      problemsOf(body).some((line) => problem.test(line)),
      problemsOf(body).join('\n')
    ),
  title: (what) => `${what} is refused by the name of its limit`
})

test(
  '501 fields',
  refused,
  `record R { ${times(501, (i) => `string f${i};`)} }`,
  /'R' has 501 fields; expected at most 500 \(fieldsMax\)/
)
test(
  '501 types',
  refused,
  times(501, (i) => `record R${i} { int n; }`),
  /more than 500 types; expected at most that \(typesMax\)/
)
test(
  '501 messages',
  refused,
  `record R { int n; } ${times(501, (i) => `void m${i}(R e) oneway;`)}`,
  /more than 500 messages; .* \(messagesMax\)/
)
test(
  '1001 symbols',
  refused,
  `enum E { ${times(1_001, (i) => `S${i},`).slice(0, -1)} }`,
  /'E' has 1001 symbols; .* \(symbolsMax\)/
)
test(
  'lists 20,000 deep',
  refused,
  `record R { ${'array<'.repeat(20_000)}int${'>'.repeat(20_000)} f; }`,
  /types stand in each other more than 20 deep; .* \(nestingMax\)/
)
test('maps without an end', refused, `record R { ${'map<'.repeat(40_000)}`, /more than 20 deep/)
test(
  'unions 20,000 deep',
  refused,
  `record R { ${'union {'.repeat(20_000)}int${'}'.repeat(20_000)} f; }`,
  /more than 20 deep/
)
test(
  'a default 100,000 deep',
  refused,
  `record R { array<int> f = ${'['.repeat(100_000)}${']'.repeat(100_000)}; }`,
  /lists and objects stand in each other more than 20 deep/
)
test(
  'an annotation 100,000 deep',
  refused,
  `@a(${'{"a":'.repeat(30_000)}1${'}'.repeat(30_000)}) record R { int n; }`,
  /lists and objects stand in each other/
)
test(
  'records that hold each other twice, forty times over',
  refused,
  `record R0 { int n; } ${times(18, (i) => `record R${i + 1} { R${i} a; R${i} b; }`)}`,
  /the records up to 'R\d+' hold \d+ fields, .* expected at most 5000 in a protocol \(heldFieldsMax\)/
)
test(
  'records in records, 21 deep',
  refused,
  `record R0 { int n; } ${times(20, (i) => `record R${i + 1} { R${i} a; }`)}`,
  /in 'R20' types stand in each other more than 20 deep/
)
test(
  'records that are large together',
  refused,
  times(60, (i) => `record R${i} { ${times(400, (j) => `int f${j};`)} }`),
  /the records up to 'R12' hold 5200 fields, with those of the records in them; .* \(heldFieldsMax\)/
)

test('of many faults a hundred are told, and the rest is not looked for', (t) => {
  const lines = problemsOf(`record R { ${times(499, (i) => `Strnig f${i};`)} }`)
  t.is(lines.length, contractLimits.problemsMax)
})

test('what is as large as it may be is read in a time that nobody notices', (t) => {
  const largest = times(10, (i) => `record R${i} { ${times(500, (j) => `union { null, string } f${j} = null;`)} }`)
  const before = process.cpuUsage()
  t.is(readProtocolText(protocol(largest)).records.size, 10)
  const { user, system } = process.cpuUsage(before)
  t.true(user + system < 3_000_000, `${user + system} µs`)
})

test('a wrong default among many is found at its place, without compiling each field with all others', (t) => {
  const fields = times(500, (i) => `long f${i} = ${i === 321 ? '"x"' : 0};`)
  const before = process.cpuUsage()
  t.deepEqual(
    problemsOf(`record K { int n; } record R { K k = {"n": 1};\n${fields.split('\n').slice(0, 499).join('\n')} }`),
    [`p:323:13 default "x" does not fit field 'f321'; expected a value of its type`]
  )
  const { user, system } = process.cpuUsage(before)
  t.true(user + system < 3_000_000, `${user + system} µs`)
})

test('a file that opens brackets without an end is refused before it is read as YAML', (t) => {
  t.throws(() => readContract({ path: 'p.yaml', text: '['.repeat(261_000) }), {
    code: 'PARCOMOLO_CONTRACT_INVALID',
    message: 'p.yaml:1:1 261000 brackets are open inside each other; expected at most 1000'
  })
  t.throws(() => readContract({ path: 'p.yaml', text: ' '.repeat(contractLimits.fileCharsMax + 1) }), {
    code: 'PARCOMOLO_CONTRACT_INVALID',
    message: /fileCharsMax/
  })
})

test('a comment as long as the text may be is no trouble', (t) => {
  t.is(readProtocolText(protocol(`/* ${'*'.repeat(200_000)} */ record R { int n; }`)).records.size, 1)
  t.regex(problemsOf(`/* ${'*'.repeat(200_000)}`)[0]!, /expected '\*\/' at the end of this comment/)
})

test('the same text is compiled once, and its fault found once', (t) => {
  const text = readFileSync('test/foreign/loyalty/participant.yaml', 'utf8')
  const read = (path: string, changed = text) => readContract({ path, text: changed })
  t.is(read('a.yaml'), read('a.yaml'))
  t.not(read('a.yaml'), read('b.yaml'), 'faults name the file')
  t.not(read('a.yaml'), read('a.yaml', `${text}\n`))
  const broken = text.replace('record', 'recrod')
  t.is(
    t.throws(() => read('a.yaml', broken)),
    t.throws(() => read('a.yaml', broken))
  )
})

test('what has been read is not kept without bounds', (t) => {
  const text = readFileSync('test/foreign/loyalty/participant.yaml', 'utf8')
  const first = readContract({ path: 'c.yaml', text })
  const comment = `# ${'x'.repeat(900_000)}`
  for (let i = 0; i < 5; i++) readContract({ path: 'c.yaml', text: `${comment}${i}\n${text}` })
  t.not(readContract({ path: 'c.yaml', text }), first)
})

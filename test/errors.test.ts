import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { errorCodes } from '../src/base/index.ts'
import { settingsInUse } from '../src/config/index.ts'

const src = fileURLToPath(new URL('../src', import.meta.url))
const list = join(src, 'base', 'error-codes.ts')

const sources = readdirSync(src, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
  .map((entry) => join(entry.parentPath, entry.name))
  .filter((file) => file !== list)
  .map((file) => ({ file: file.slice(src.length + 1), text: readFileSync(file, 'utf8') }))

const codes = Object.keys(errorCodes)

test('no listed code is dead: each is named in a literal somewhere', (t) => {
  const dead = codes.filter((code) => !sources.some(({ text }) => text.includes(`'${code}'`)))
  t.deepEqual(dead, [])
})

test('every name that begins like a code is a listed code or a variable of the configuration', (t) => {
  const variables = settingsInUse({}).map(({ name }) => name)
  const known = new Set([...codes, ...variables, 'PARCOMOLO_'])
  const unknown = sources.flatMap(({ file, text }) =>
    [...text.matchAll(/\bPARCOMOLO_[A-Z_]*/g)].filter(([name]) => !known.has(name)).map(([name]) => `${file} ${name}`)
  )
  t.deepEqual(unknown, [])
})

test('every code is PARCOMOLO_, the room and what is wrong', (t) => {
  t.deepEqual(
    codes.filter((code) => !/^PARCOMOLO_[A-Z]+(_[A-Z]+)+$/.test(code)),
    []
  )
})

test('every code explains its cause and its remedy in whole sentences', (t) => {
  const sentences = /^[A-Z'].{4,}\.$/
  const wrong = Object.entries(errorCodes)
    .filter(([, { cause, remedy }]) => !sentences.test(cause) || !sentences.test(remedy))
    .map(([code]) => code)
  t.deepEqual(wrong, [])
})

test('messages have no final dot, no exclamation mark and no please', (t) => {
  const message = /new ParcomoloError\(\s*'(?<code>\w+)',\s*(?<quote>['"`])(?<text>(?:\\.|(?!\k<quote>).)*)\k<quote>/gs
  const wrong = sources.flatMap(({ file, text }) =>
    [...text.matchAll(message)]
      .filter(({ groups }) => /\.$|!|\bplease\b/i.test(groups!['text']!.replaceAll(/\$\{[^}]*\}/g, 'x')))
      .map(({ groups }) => `${file} ${groups!['code']}: ${groups!['text']}`)
  )
  t.deepEqual(wrong, [])
})

/** The chart's values as tables for its README: one for what stands alone, and one for each group of values. */
import { stringify } from 'yaml'
import type { Remarks } from './values-text.ts'
import type { Value } from './values-schema.ts'

type Row = { readonly path: string; readonly standard: string; readonly text: string }

type Group = { readonly title: string; readonly text: string; readonly rows: readonly Row[] }

export const tablesOf = (values: { readonly [key: string]: Value }, remarks: Remarks): string => {
  const groups: Group[] = []
  const alone: Row[] = []
  for (const [key, value] of Object.entries(values)) {
    if (isGroup(value, key, remarks)) groups.push({ title: key, ...groupOf(key, value, remarks) })
    else alone.push(rowOf(key, value, remarks))
  }
  return [tableOf(alone), ...groups.map(({ title, text, rows }) => `### ${title}\n\n${text}\n\n${tableOf(rows)}`)].join(
    '\n\n'
  )
}

const isGroup = (value: Value, path: string, remarks: Remarks): value is { readonly [key: string]: Value } => {
  const { asks } = remarks.of(path)
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !asks.has('open') && !asks.has('ref')
}

const groupOf = (path: string, value: Value, remarks: Remarks): Omit<Group, 'title'> => ({
  text: remarks.of(path).text,
  rows: rowsUnder(path, value, remarks)
})

const rowsUnder = (path: string, value: Value, remarks: Remarks): Row[] =>
  Object.entries(value as { readonly [key: string]: Value }).flatMap(([key, inner]) => {
    const place = `${path}.${key}`
    return isGroup(inner, place, remarks) ? rowsUnder(place, inner, remarks) : [rowOf(place, inner, remarks)]
  })

const rowOf = (path: string, value: Value, remarks: Remarks): Row => {
  const { text, asks } = remarks.of(path)
  const inherited = text === '' ? remarks.of(`defaults.${path.split('.').at(-1)}`).text : text
  const choices = asks.get('enum')
  const chosen = choices === undefined ? '' : ` One of ${choices.split(' ').map(quoted).join(', ')}.`
  return { path, standard: shown(value), text: inherited + chosen }
}

const quoted = (word: string): string => `\`${word}\``

/** On one line, as it may be written in YAML. */
const shown = (value: Value): string =>
  stringify(value, { collectionStyle: 'flow', lineWidth: 0, defaultStringType: 'PLAIN' }).trim()

const tableOf = (rows: readonly Row[]): string =>
  [
    '| value | default | meaning |',
    '| --- | --- | --- |',
    ...rows.map(({ path, standard, text }) => `| \`${path}\` | \`${standard}\` | ${text.replaceAll('|', '\\|')} |`)
  ].join('\n')

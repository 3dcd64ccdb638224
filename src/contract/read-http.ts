import { isScalar, isSeq, type Node } from 'yaml'
import { parseDuration } from '../base/index.ts'
import { type HttpEndpoint, type HttpHeader } from './contract.ts'
import { httpLimits, httpPatterns, isOwnHeader } from './http-limits.ts'
import { type YamlFile } from './yaml-file.ts'

const path = 'spec.http'

/** `spec.http`: undefined where it is not there, or something of it is wrong, which is reported. */
export const readHttp = (yaml: YamlFile, node: Node | null | undefined): HttpEndpoint | undefined => {
  if (node === undefined) return undefined
  const optional = ['timeout', 'concurrency', 'perSecond', 'headers']
  const fields = yaml.fields(node, path, { required: ['url'], optional })
  const url = readUrl(yaml, fields.get('url'))
  const timeoutMs = readTimeout(yaml, fields.get('timeout'))
  const concurrency = readNumber(yaml, fields.get('concurrency'), 'concurrency', httpLimits.concurrencyMax)
  const perSecond = readNumber(yaml, fields.get('perSecond'), 'perSecond', httpLimits.perSecondMax)
  const headers = readHeaders(yaml, fields.get('headers'))
  if (url === undefined) return undefined
  return {
    url,
    timeoutMs: timeoutMs ?? httpLimits.timeoutMs,
    concurrency: concurrency ?? httpLimits.concurrency,
    ...(perSecond === undefined ? {} : { perSecond }),
    headers
  }
}

const readUrl = (yaml: YamlFile, node: Node | null | undefined): string | undefined => {
  const text = yaml.text(node, `${path}.url`)
  if (text === undefined) return undefined
  const url = URL.parse(text.value)
  const problem = urlProblem(url, text.value)
  if (problem === undefined) return url!.href
  yaml.report(text, `${path}.url`, problem)
  return undefined
}

/** What is secret in it is not shown: it would stand in a log. */
const urlProblem = (url: URL | null, text: string): string | undefined => {
  if (url !== null && (url.username !== '' || url.password !== ''))
    return "the URL holds a user or a password; expected none, as a URL is shown: put them into 'headers'"
  if (text.length > httpLimits.urlCharsMax)
    return `the URL has ${text.length} characters; expected at most ${httpLimits.urlCharsMax}`
  if (url === null || !httpPatterns.url.test(text))
    return `'${text}' is refused; expected the URL that commands are sent to, such as 'http://billing/commands'`
  return undefined
}

const readTimeout = (yaml: YamlFile, node: Node | null | undefined): number | undefined => {
  const text = yaml.text(node, `${path}.timeout`)
  if (text === undefined) return undefined
  const ms = parseDuration(text.value)
  if (ms !== undefined && ms >= 1 && ms <= httpLimits.timeoutMsMax) return ms
  yaml.report(text, `${path}.timeout`, `'${text.value}' is refused; expected a time such as '5s', at most 10m`)
  return undefined
}

const readNumber = (yaml: YamlFile, node: Node | null | undefined, name: string, max: number): number | undefined => {
  if (node === undefined) return undefined
  const value = isScalar(node) ? node.value : undefined
  if (typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= max) return value
  const found = typeof value === 'number' || typeof value === 'string' ? `'${value}'` : 'no number'
  yaml.report(node ?? 0, `${path}.${name}`, `found ${found}; expected a whole number from 1 to ${max}`)
  return undefined
}

const readHeaders = (yaml: YamlFile, node: Node | null | undefined): readonly HttpHeader[] => {
  if (node === undefined) return []
  if (!isSeq(node) || node.items.length > httpLimits.headersMax) {
    const text = `expected a list of at most ${httpLimits.headersMax}, such as [{ name: X-Key, secret: billing }]`
    yaml.report(node ?? 0, `${path}.headers`, text)
    return []
  }
  const headers = node.items.flatMap((item, at) => readHeader(yaml, item as Node, `${path}.headers[${at}]`))
  const names = headers.map(({ name }) => name.toLowerCase())
  const twice = names.findIndex((name, at) => names.indexOf(name) !== at)
  if (twice >= 0) yaml.report(node, `${path}.headers`, `'${names[twice]}' is there twice; expected each header once`)
  return headers
}

const sources = ['value', 'env', 'secret'] as const

const readHeader = (yaml: YamlFile, item: Node, at: string): HttpHeader[] => {
  const fields = yaml.fields(item, at, { required: ['name'], optional: sources })
  const name = yaml.text(fields.get('name'), `${at}.name`)
  if (name !== undefined && (!httpPatterns.headerName.test(name.value) || isOwnHeader(name.value))) {
    const expected = "expected a name that neither HTTP nor the courier sets itself, such as 'Authorization'"
    yaml.report(name, `${at}.name`, `header '${name.value}' is refused; ${expected}`)
    return []
  }
  const given = sources.filter((source) => fields.has(source))
  if (given.length !== 1) {
    yaml.report(item, at, `it has ${given.length} of 'value', 'env', 'secret'; expected one of them`)
    return []
  }
  const source = given[0]!
  const text = yaml.text(fields.get(source), `${at}.${source}`)
  if (name === undefined || text === undefined) return []
  const isFitting = text.value.length <= httpLimits.headerCharsMax && httpPatterns[source].test(text.value)
  if (isFitting) return [{ name: name.value, source, text: text.value }]
  yaml.report(text, `${at}.${source}`, `it is refused; expected ${expectedOf[source]}`)
  return []
}

const expectedOf = {
  value: `visible ASCII characters and blanks, at most ${httpLimits.headerCharsMax}`,
  env: "a variable of the courier's environment, whose name begins with 'COURIER_'",
  secret: "the name of a file in the folder PARCOMOLO_COURIER_SECRETS: letters, digits, '.', '_' and '-'"
}

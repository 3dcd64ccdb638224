/**
 * What may be shown of values in which somebody may have put a password, right or wrong as they are. Each takes what is
 * known to hold none, and shows no more of all else than scheme and host.
 */

/** Stands for what is not shown. */
export const hidden = '***'

const hostPattern = /^([\w.-]+|\[[\da-f:.]+\])$/i

/** `host`, `host:port`, `scheme://host:port/path`: no user, no query, and no port that is a word. */
const harmlessUrl = /^(\w+:\/\/)?[\w .-]*(:\d{0,5})?(\/[\w./-]*)?$/

/** An address, such as of a server. */
export const shownUrl = (text: string): string => (harmlessUrl.test(text) ? text : schemeAndHost(text))

/** No more of an address than that, also of one that looks right. */
export const schemeAndHost = (text: string): string => {
  if (text === '') return ''
  const [, scheme, authority, rest] = /^([a-z]\w{0,15}:\/\/)([^/?#]*)(.*)$/is.exec(text) ?? []
  if (scheme === undefined) return hidden
  const host = hostOf(text, authority!, rest!)
  if (host === undefined) return scheme + hidden
  return `${scheme}${authority!.includes('@') ? `${hidden}@` : ''}${host}${rest === '' ? '' : `/${hidden}`}`
}

/** Undefined where it is not clear: what stands before the last '@' may all be a password, with '/' or '@' in it. */
const hostOf = (text: string, authority: string, rest: string): string | undefined => {
  if (rest.includes('@') || authority.split('@').length > 2) return undefined
  const { hostname = '' } = URL.parse(text) ?? {}
  return hostPattern.test(hostname) ? hostname : undefined
}

/** A list of `host:port` with commas between them; a comma may also be one of a password. */
export const shownHosts = (text: string): string =>
  text.split(',').every((part) => /^(\w+:\/\/)?[\w .-]*(:\d{0,5})?$/.test(part)) ? text : hidden

/** The path of a file that holds a secret, in whose place somebody may have put what the file holds. */
export const shownPath = (text: string): string => {
  const isPath = text.length <= 255 && (/^(~|\.{0,2})\//.test(text) || /\.\w{1,10}$/.test(text))
  return text === '' || (isPath && !/-----|[\r\n@]/.test(text)) ? text : hidden
}

/** A name, in whose place somebody may have put more than that. */
export const shownName = (text: string): string => (/^[\w$.@+-]{0,128}$/.test(text) ? text : hidden)

const telltale = /:\/\/|-----BEGIN|(pass(word|wd)?|pwd|secret|token|api_?key)\w*\s*[=:]|:[^\s/]*@/i

/** Any other value. */
export const shownText = (text: string): string => (telltale.test(text) ? hidden : text)

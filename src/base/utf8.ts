/** Where bytes are no UTF-8: line and column count from 1, in UTF-16 units; the byte is the first that is no text. */
export type Utf8Fault = { readonly line: number; readonly column: number; readonly byte: number }

/** The text that these bytes are, without a byte order mark; where they are none, the place of the first fault. */
export const decodeUtf8 = (bytes: Uint8Array): string | Utf8Fault => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return faultIn(bytes)
  }
}

/** By halves: so many bytes from the start can be read, the next one cannot; what it cuts short is no text either. */
const faultIn = (bytes: Uint8Array): Utf8Fault => {
  let [good, bad] = [0, bytes.length + 1]
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    if (begun(bytes.subarray(0, middle)) === undefined) bad = middle
    else good = middle
  }
  const text = begun(bytes.subarray(0, good))!
  const lines = text.split(/\r\n|\r|\n/)
  const byte = bytes[new TextEncoder().encode(text).length]!
  return { line: lines.length, column: lines.at(-1)!.length + 1, byte }
}

/** The whole characters of what may go on; undefined where it is no UTF-8. */
const begun = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: true })
  } catch {
    return undefined
  }
}

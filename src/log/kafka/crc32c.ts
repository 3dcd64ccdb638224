/**
 * CRC-32C (Castagnoli polynomial, reflected), as record batches carry it; Node's zlib has the other polynomial only.
 * Four tables, four bytes a step ("slicing-by-4", Kounavis and Berry 2005).
 */
export const crc32c = (bytes: Uint8Array, start: number, end: number): number => {
  let crc = 0xffffffff
  let at = start
  for (const stop = end - 3; at < stop; at += 4) {
    crc ^= bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)
    crc =
      tables[3]![crc & 0xff]! ^
      tables[2]![(crc >>> 8) & 0xff]! ^
      tables[1]![(crc >>> 16) & 0xff]! ^
      tables[0]![crc >>> 24]!
  }
  for (; at < end; at++) crc = (crc >>> 8) ^ tables[0]![(crc ^ bytes[at]!) & 0xff]!
  return (crc ^ 0xffffffff) >>> 0
}

const polynomial = 0x82f63b78

const makeTables = (): Int32Array[] => {
  const made = Array.from({ length: 4 }, () => new Int32Array(256))
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ polynomial : crc >>> 1
    made[0]![byte] = crc
  }
  for (let byte = 0; byte < 256; byte++) {
    for (let step = 1; step < 4; step++) {
      const before = made[step - 1]![byte]!
      made[step]![byte] = (before >>> 8) ^ made[0]![before & 0xff]!
    }
  }
  return made
}

const tables = makeTables()

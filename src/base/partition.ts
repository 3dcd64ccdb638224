/**
 * The partition of a key, as Kafka's default partitioner computes it (murmur2 over UTF-8), so that any client agrees.
 */
export const partitionOf = (key: string, partitions: number): number =>
  partitions === 1 ? 0 : (murmur2(Buffer.from(key, 'utf8')) & 0x7fffffff) % partitions

/** murmur2 with Kafka's seed (org.apache.kafka.common.utils.Utils.murmur2), as a signed 32-bit number. */
export const murmur2 = (data: Uint8Array): number => {
  const m = 0x5bd1e995
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength)
  let h = 0x9747b28c ^ data.length
  const words = data.length >> 2
  for (let i = 0; i < words; i++) {
    let k = Math.imul(view.getInt32(i * 4, true), m)
    k ^= k >>> 24
    h = Math.imul(h, m) ^ Math.imul(k, m)
  }
  const rest = data.subarray(words * 4)
  if (rest.length > 0) {
    for (const [i, byte] of rest.entries()) h ^= byte << (8 * i)
    h = Math.imul(h, m)
  }
  h ^= h >>> 13
  h = Math.imul(h, m)
  return h ^ (h >>> 15)
}

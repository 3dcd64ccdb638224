import type { TopicPartition } from '../log/index.ts'

/** A place in a journal: a record that has been written. */
export type Mark = TopicPartition & { readonly offset: number }

/** `order-events/0@41,stock-events/0@7`: opaque to users, readable for whoever debugs. */
export const formatPosition = (marks: readonly Mark[]): string =>
  marks.map(({ topic, partition, offset }) => `${topic}/${partition}@${offset}`).join(',')

/** The marks of a token; undefined for any other text. */
export const parsePosition = (text: string): readonly Mark[] | undefined => {
  if (text.length > tokenCharsMax) return undefined
  const marks = text.split(',').map(parseMark)
  return marks.every((mark) => mark !== undefined) ? marks : undefined
}

const tokenCharsMax = 4_096
const markPattern = /^([A-Za-z0-9._-]{1,249})\/(\d{1,9})@(\d{1,15})$/

const parseMark = (text: string): Mark | undefined => {
  const match = markPattern.exec(text)
  if (match === null) return undefined
  return { topic: match[1]!, partition: Number(match[2]), offset: Number(match[3]) }
}

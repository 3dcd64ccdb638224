import test from 'ava'
import { isGone } from '../../../src/operator/kube/api-error.ts'
import { framesOf } from '../../../src/operator/kube/frames.ts'

const streamOf = (chunks: readonly (Uint8Array | Error)[]): ReadableStream<Uint8Array> =>
  new ReadableStream({
    start: (controller) => {
      for (const chunk of chunks) {
        if (chunk instanceof Error) return controller.error(chunk)
        controller.enqueue(chunk)
      }
      controller.close()
    }
  })

const read = async (text: string, bytesEach: number): Promise<string[]> => {
  const bytes = Buffer.from(text)
  const chunks = Array.from({ length: Math.ceil(bytes.length / bytesEach) }, (_, i) =>
    bytes.subarray(i * bytesEach, (i + 1) * bytesEach)
  )
  const found: string[] = []
  for await (const { type, object } of framesOf(streamOf(chunks), 'watch'))
    found.push(`${type} ${object.metadata.name}`)
  return found
}

const line = (type: string, name: string): string => `${JSON.stringify({ type, object: { metadata: { name } } })}\n`

test('frames are the same however the network cuts them, also within a character', async (t) => {
  const text = line('ADDED', 'größe') + line('BOOKMARK', '') + line('DELETED', '😀')
  for (let bytesEach = 1; bytesEach < 100; bytesEach++)
    t.deepEqual(await read(text, bytesEach), ['ADDED größe', 'BOOKMARK ', 'DELETED 😀'])
})

test('a frame that the end has cut off is left to the next watch', async (t) => {
  const text = line('ADDED', 'a') + line('ADDED', 'b').slice(0, -5)
  t.deepEqual(await read(text, 1000), ['ADDED a'])
})

test('an error of the server is thrown with its status', async (t) => {
  const status = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old resource version' }
  const error = await t.throwsAsync(read(`${JSON.stringify({ type: 'ERROR', object: status })}\n`, 1000), {
    code: 'PARCOMOLO_OPERATOR_API_REFUSED',
    message: 'the API server refuses watch with 410: too old resource version'
  })
  t.true(isGone(error))
})

test('what is no frame is thrown, not swallowed', async (t) => {
  for (const text of ['<html>\n', '{}\n', '{"type":"ADDED"}\n', '{"type":"NEWS","object":{"metadata":{}}}\n'])
    await t.throwsAsync(read(text, 1000), {
      code: 'PARCOMOLO_OPERATOR_API_UNAVAILABLE',
      message: /is no watch: found /
    })
})

test('a connection that breaks off is an error of the call', async (t) => {
  const reading = async (): Promise<void> => {
    const error = new TypeError('terminated', { cause: new Error('other side closed') })
    for await (const _ of framesOf(streamOf([error]), 'watch'));
  }
  await t.throwsAsync(reading, { message: /^the API server gives no answer to watch: other side closed;/ })
})
